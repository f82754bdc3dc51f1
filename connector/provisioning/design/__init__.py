"""What the AWS side should be: names, documents and objects, all of it pure."""
