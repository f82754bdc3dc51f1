"""Everything at once, for long, with processes killed at any moment: `make soak`."""
