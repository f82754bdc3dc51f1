"""Where passwords are kept."""
