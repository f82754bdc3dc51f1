"""What is shipped, tested as it is installed."""
