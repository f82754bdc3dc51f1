"""Rotate passwords without ever losing one: one engine behind the command line, the Lambda function and Keeper.

Nothing here but the standard library and boto3, so that a function and a plugin can carry it as it is.
"""
