"""The command line: what it prints, and with which code it ends."""
