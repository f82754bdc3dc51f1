"""The Lambda proxy: who shows an ID token of the pool gets a role's session of up to twelve hours.

Standard library and boto3 only, so that the function carries it as it is. What is expected of a token comes from the
function's own environment, never from the event and never from the token.
"""
