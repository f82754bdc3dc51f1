"""How SQL is spoken, on SQLite and PostgreSQL."""
