"""The command line's own journal: what a vault cannot keep while a password changes, sealed."""
