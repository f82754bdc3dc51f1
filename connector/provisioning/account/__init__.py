"""What is there in the AWS account, read as the caller."""
