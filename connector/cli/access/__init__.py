"""The commands of people's temporary AWS credentials, and those of the Cognito Authoriser."""
