"""The Keeper plugins."""
