"""The service user's access key: where it is kept, and how it is replaced."""
