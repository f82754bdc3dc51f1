"""What the Cognito Authoriser's administrator sets up: pools, roles, policies and the credential proxy.

Each step looks first and then creates or updates, so that a command that was interrupted is run again.
"""
