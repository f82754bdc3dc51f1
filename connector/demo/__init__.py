"""The whole product on one machine: an embedded user pool, a sample directory, and the story told with them.

Everything here needs the extra `demo`; nothing else imports it, and none of it ever reaches AWS.
"""
