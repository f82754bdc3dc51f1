"""The login of one profile: begun by a person, renewed silently, ended.

A call that finds fresh credentials asks nobody. One that does not takes the profile's lock and looks once more, so that
of many parallel calls one renews and the others read what it kept.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from connector.access.aws_doors import AwsDoors
from connector.access.federation import exchange, identify
from connector.access.model import AwsCredentials, LoginPlan, SignedInPerson, Tokens
from connector.access.store import Locks, LoginStore
from connector.access.tokens import renew_tokens, revoke_tokens
from connector.errors import LoginError, LoginUnavailable, LoginUnfit, NotSignedIn

_log = logging.getLogger(__name__)
_ID_TOKEN_LEFT = timedelta(minutes=5)
_CLOCKS_DIFFER = timedelta(minutes=5)
"""From here on AWS refuses signatures (IAM user guide, "Signature Version 4")."""


Exchange = Callable[[Tokens], AwsCredentials]


class SignsIn(Protocol):
    """Brings a person to tokens."""

    def __call__(self, doors: AwsDoors) -> tuple[str, Tokens]:
        """Return the name by which somebody signed in, and the tokens."""


@dataclass(slots=True)
class LoginSession:
    """The login of one profile.

    Args:
        profile: its name.
        plan: how a person comes to credentials.
        store: where it is kept.
        locks: keep parallel calls apart.
        doors: to AWS.
        now: the time, with its zone.
    """

    profile: str
    plan: LoginPlan
    store: LoginStore
    locks: Locks
    doors: AwsDoors
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def kept(self) -> SignedInPerson | None:
        """Return who is signed in, as far as is known here; a login made another way is none."""
        login = self.store.read(self.profile)
        return login if login and login.plan == self.plan.fingerprint else None

    def credentials(self) -> AwsCredentials:
        """Return fresh credentials, without asking anybody.

        Raises:
            NotSignedIn: nobody is, or no longer.
            LoginError: AWS could not be asked, or gives none.
        """
        login = self.kept()
        if login and login.credentials and login.credentials.are_fresh(self.now()):
            return login.credentials
        if login is None:
            raise NotSignedIn(f"Nobody is signed in for profile {self.profile}.", remedy=self._sign_in_again)
        with self.locks.hold(self.profile):
            login = self.kept()
            if login is None:
                raise NotSignedIn(f"Nobody is signed in for profile {self.profile}.", remedy=self._sign_in_again)
            if login.credentials and login.credentials.are_fresh(self.now()):
                return login.credentials
            return self._renew(login)

    def login(self, sign_in: SignsIn, *, exchange_by: Exchange | None = None) -> AwsCredentials:
        """Let a person sign in, and return the credentials; what was kept before is taken back.

        Args:
            sign_in: brings the person to tokens.
            exchange_by: another way from tokens to credentials than the plan's.

        Raises:
            LoginError: nothing was kept, and whoever was signed in still is.
        """
        with self.locks.hold(self.profile):
            before = self.store.read(self.profile)  # finds out before a password is asked for whether there is a place
        person, tokens = sign_in(self.doors)
        plan = self.plan
        credentials = exchange_by(tokens) if exchange_by else self._exchange(plan, tokens)
        login = SignedInPerson(plan.fingerprint, person, plan.federation, plan.seconds, tokens, credentials)
        with self.locks.hold(self.profile):
            replaced = self.store.read(self.profile) or before
            self.store.write(self.profile, login)
        if (
            replaced
            and replaced.plan == self.plan.fingerprint
            and replaced.tokens.refresh_token != tokens.refresh_token
        ):
            self._take_back(replaced)
        return credentials

    def logout(self) -> bool:
        """Forget the login and take its refresh token back; say whether there was one.

        Raises:
            LoginError: it is forgotten here, but the pool could not be told.
        """
        with self.locks.hold(self.profile):
            login = self.store.read(self.profile)
            self.store.remove(self.profile)
        if login is None:
            return False
        try:
            revoke_tokens(self.doors.user_pool(), self.plan, login.tokens)
        except LoginError as error:
            raise LoginUnavailable(
                f"You are signed out here, but the session at the user pool could not be ended: {error.message}",
                remedy="It ends by itself. An administrator can end it at once: AdminUserGlobalSignOut.",
            ) from None
        return True

    def _renew(self, login: SignedInPerson) -> AwsCredentials:
        try:
            tokens = login.tokens if self._counts(login.tokens) else self._renew_tokens(login)
            plan = replace(self.plan, federation=login.federation, seconds=login.seconds)
            credentials = self._exchange(plan, tokens)
        except LoginUnavailable:
            if login.credentials and self.now() < login.credentials.expires - timedelta(minutes=1):
                _log.warning(
                    "The credentials could not be renewed now; those until %s go on.", login.credentials.expires
                )
                return login.credentials
            raise
        self.store.write(self.profile, replace(login, tokens=tokens, credentials=credentials))
        return credentials

    def _renew_tokens(self, login: SignedInPerson) -> Tokens:
        tokens = renew_tokens(self.doors.user_pool(), self.plan, login.tokens)
        # Kept at once: where refresh tokens rotate, the one before may count no longer.
        self.store.write(self.profile, replace(login, tokens=tokens))
        return tokens

    def _counts(self, tokens: Tokens) -> bool:
        ends = tokens.claims.get("exp")
        return isinstance(ends, int | float) and self.now().timestamp() < ends - _ID_TOKEN_LEFT.total_seconds()

    def _exchange(self, plan: LoginPlan, tokens: Tokens) -> AwsCredentials:
        credentials = exchange(self.doors, plan, tokens, now=self.now)
        return self.complete(credentials)

    def complete(self, credentials: AwsCredentials) -> AwsCredentials:
        """Return credentials with what AWS says of their bearer; the clock of this machine is looked at, too.

        Raises:
            LoginUnfit: by this machine's clock they have ended already.
        """
        ahead = self.doors.clock_ahead
        if ahead is not None and abs(ahead) > _CLOCKS_DIFFER:
            _log.warning(
                "This machine's clock is %.0f minutes %s; AWS refuses what is signed with it. Set the clock.",
                abs(ahead).total_seconds() / 60,
                "ahead" if ahead > timedelta(0) else "behind",
            )
        if credentials.expires <= self.now():
            raise LoginUnfit(
                "The credentials that AWS gave have ended already, by this machine's clock.", remedy="Set the clock."
            )
        try:
            account, arn = identify(self.doors, credentials)
        except LoginError as error:
            _log.warning("Who AWS takes the person for is not known: %s", error.message)
            return credentials
        return replace(credentials, account=account, arn=arn)

    def _take_back(self, replaced: SignedInPerson) -> None:
        try:
            revoke_tokens(self.doors.user_pool(), self.plan, replaced.tokens)
        except LoginError as error:
            _log.debug("The session before could not be ended: %s", error.message)

    @property
    def _sign_in_again(self) -> str:
        option = "" if self.profile == "default" else f" --profile {self.profile}"
        return f"Sign in: cognito-scim login{option}"
