"""What would change in the account, and how it is changed."""
