"""Which AWS error codes mean what, for every service that is called here.

From the common errors of the query and JSON protocols, and the API references of STS, IAM, Cognito and Secrets Manager.
A code that one service alone uses stays with who calls it.
"""

ACCESS_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "NotAuthorizedException", "UnauthorizedOperation"})
"""The caller is known and may not."""

EXPIRED_CREDENTIALS = frozenset({"ExpiredToken", "ExpiredTokenException"})
"""Temporary credentials are past their end."""

CLOCK_OFF = frozenset({"RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"})
"""The request was signed at another time than AWS's."""

THROTTLED = frozenset(
    {
        "LimitExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Too many calls; the same call succeeds later."""

WRONG_KEYS = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""The access key is unknown, inactive or mistyped."""
