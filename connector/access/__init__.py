"""People's temporary AWS credentials: sign in at the user pool, exchange the token, keep and hand over what comes.

Nothing here needs AWS credentials to begin with, and nothing ever makes a long-lived key.
"""
