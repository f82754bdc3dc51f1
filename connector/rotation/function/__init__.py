"""What only the Secrets Manager function needs."""
