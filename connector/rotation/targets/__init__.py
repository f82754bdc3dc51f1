"""The accounts whose passwords can be rotated."""
