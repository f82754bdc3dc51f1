"""The command line: one module a noun. Each parses, calls one service and prints; none decides anything."""
