"""The configuration: what it accepts, refuses, warns of and shows."""
