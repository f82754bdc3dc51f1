"""What a directory is: people, teams and memberships, how they are named, and which changes are credible.

Pure: nothing here knows AWS, HTTP or SQL.
"""
