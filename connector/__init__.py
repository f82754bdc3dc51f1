"""Amazon Cognito user pools, served to identity domains as an exact, dated SCIM 2.0 directory."""

__version__ = "0.1.0"
