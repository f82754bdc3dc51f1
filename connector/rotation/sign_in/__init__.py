"""Signing in, which is the only proof of a password."""
