"""The AWS side: what is set up, and what runs there."""
