"""The Lambda proxy, attacked."""
