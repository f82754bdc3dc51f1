"""People's temporary credentials."""
