"""The dated copy: SQL tables of generations, staging, runs and clients, on SQLite or PostgreSQL."""
