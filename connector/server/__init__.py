"""The production server inside `serve`."""
