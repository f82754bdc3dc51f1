"""The AWS account in which the AWS side is set up."""
