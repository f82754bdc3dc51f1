"""`/api/v1`: runs for scripts."""
