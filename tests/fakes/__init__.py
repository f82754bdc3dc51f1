"""Stand-ins for the outside world: real servers on loopback whose faults are scripted."""
