"""Logins and credentials that no AWS gave."""

from datetime import UTC, datetime

from connector.access.model import AwsCredentials, Federation, LoginPlan, SignedInPerson, Tokens
from connector.rotation.model.secret import Secret

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
PLAN = LoginPlan("eu-west-1_Strict123", "app", identity_pool_id="eu-west-1:01234567-89ab-cdef-0123-456789abcdef")


def credentials(
    expires: datetime = datetime(2026, 1, 31, 20, tzinfo=UTC), account: str = "123456789012"
) -> AwsCredentials:
    """Return credentials that came at noon."""
    return AwsCredentials(
        "ASIAIOSFODNN7EXAMPLE",
        Secret("s3cr3t/k'ey"),
        Secret("t0ken%=="),
        expires=expires,
        issued=NOON,
        account=account,
        arn="arn:aws:sts::123456789012:assumed-role/People/ann",
    )


def login() -> SignedInPerson:
    """Return a login of Ann's."""
    tokens = Tokens("ann", Secret("id"), Secret("access"), Secret("refresh"))
    return SignedInPerson(PLAN.fingerprint, "ann", Federation.IDENTITY_POOL, 3600, tokens, credentials())
