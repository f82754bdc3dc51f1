"""What the performance goals are measured with: peers beside us, in the same run, on the same machine."""
