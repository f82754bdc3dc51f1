"""What importers are told: the fields of their forms, in their words."""
