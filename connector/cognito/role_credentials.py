"""Temporary credentials of a role, renewed while a harvest goes on (STS API reference: AssumeRole). Promise P13.

botocore's own refreshable credentials log a traceback when a renewal fails, and do not hear it when AWS calls them
expired before their time; hence these.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from botocore.credentials import CredentialProvider, Credentials, ReadOnlyCredentials

from connector.errors import SourceUnavailable

RENEW_BEFORE = timedelta(minutes=5)
"""How long before their end credentials are renewed: longer than any call with its retries takes."""


@dataclass(frozen=True, slots=True)
class SessionGrant:
    """What AssumeRole hands out."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires: datetime


class RoleCredentials(Credentials):
    """Credentials that botocore signs with, always those of a living grant.

    Args:
        assume: asks for a grant; its errors end the call that needed it.
        now: the time, with its zone.
    """

    def __init__(self, assume: Callable[[], SessionGrant], *, now: Callable[[], datetime]) -> None:
        super().__init__(access_key="", secret_key="", method="assume-role")
        self._assume = assume
        self._now = now
        self._lock = threading.Lock()
        self._grant: SessionGrant | None = None
        self._signed_with = threading.local()

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return one consistent set of credentials, renewed first if they end soon."""
        with self._lock:
            grant = self._grant = self._signed_with.grant = self._living(self._grant)
        return ReadOnlyCredentials(grant.access_key_id, grant.secret_access_key, grant.session_token)

    def discard(self) -> None:
        """Forget the grant with which this thread signed last, because AWS says that it has expired.

        Another thread may have heard the same, and renewed it already.
        """
        with self._lock:
            if self._grant is getattr(self._signed_with, "grant", None):
                self._grant = None

    def _living(self, grant: SessionGrant | None) -> SessionGrant:
        if grant is None:
            return self._assume()
        left = grant.expires - self._now()
        if left > RENEW_BEFORE:
            return grant
        try:
            return self._assume()
        except SourceUnavailable:
            if left > timedelta(0):
                return grant
            raise


class RoleProvider(CredentialProvider):
    """The one provider in the chain of a botocore session that works as the role."""

    METHOD = "assume-role"

    def __init__(self, credentials: RoleCredentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> RoleCredentials:
        """Return the role's credentials."""
        return self._credentials
