"""Whether the AWS side still is as it should be."""
