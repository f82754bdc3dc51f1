"""What the change feed has announced, until it was read again."""
