"""Who may come in, how often, and where tokens are issued."""
