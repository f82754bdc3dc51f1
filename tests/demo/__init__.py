"""The demonstration: its pool, its people and the command."""
