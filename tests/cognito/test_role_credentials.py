import threading
from datetime import UTC, datetime, timedelta

import pytest

from connector.cognito.role_credentials import RENEW_BEFORE, RoleCredentials, SessionGrant
from connector.errors import ConnectorError, SourceDenied, SourceUnavailable

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Tokens:
    """An STS whose grants are numbered and last an hour; `fault` is raised while it is set."""

    def __init__(self) -> None:
        self.now = START
        self.granted = 0
        self.fault: ConnectorError | None = None

    def assume(self) -> SessionGrant:
        """Hand out the next grant."""
        if self.fault:
            raise self.fault
        self.granted += 1
        return SessionGrant(f"ASIA{self.granted}", "secret", "token", self.now + HOUR)

    def credentials(self) -> RoleCredentials:
        """Return credentials that ask here."""
        return RoleCredentials(self.assume, now=lambda: self.now)


@pytest.fixture
def tokens() -> Tokens:
    """An STS at the start of time."""
    return Tokens()


def test_nothing_is_asked_before_it_is_needed(tokens: Tokens) -> None:
    """P13: opening a pool costs no call."""
    tokens.credentials()

    assert tokens.granted == 0


def test_a_living_grant_is_used_again(tokens: Tokens) -> None:
    """P13: one AssumeRole serves all calls until shortly before its end."""
    credentials = tokens.credentials()

    keys = set()
    for tokens.now in (START, START + HOUR / 2, START + HOUR - RENEW_BEFORE - timedelta(seconds=1)):
        keys.add(credentials.get_frozen_credentials().access_key)

    assert keys == {"ASIA1"}


def test_a_grant_is_renewed_before_it_ends(tokens: Tokens) -> None:
    """P13: with five minutes left, the next call gets a new one."""
    credentials = tokens.credentials()
    credentials.get_frozen_credentials()

    tokens.now = START + HOUR - RENEW_BEFORE

    assert credentials.get_frozen_credentials().access_key == "ASIA2"


def test_a_disturbed_renewal_leaves_the_old_grant_while_it_lives(tokens: Tokens) -> None:
    """P13: an STS that is briefly away does not end a run."""
    credentials = tokens.credentials()
    credentials.get_frozen_credentials()

    tokens.now, tokens.fault = START + HOUR - timedelta(minutes=1), SourceUnavailable("away")

    assert credentials.get_frozen_credentials().access_key == "ASIA1"


def test_a_disturbed_renewal_after_the_end_is_an_error(tokens: Tokens) -> None:
    """P13: dead credentials are never sent."""
    credentials = tokens.credentials()
    credentials.get_frozen_credentials()

    tokens.now, tokens.fault = START + HOUR, SourceUnavailable("away")

    with pytest.raises(SourceUnavailable, match="away"):
        credentials.get_frozen_credentials()


def test_a_refused_renewal_is_an_error_at_once(tokens: Tokens) -> None:
    """P13: whoever took the trust away meant it."""
    credentials = tokens.credentials()
    credentials.get_frozen_credentials()

    tokens.now, tokens.fault = START + HOUR - timedelta(minutes=1), SourceDenied("no longer")

    with pytest.raises(SourceDenied, match="no longer"):
        credentials.get_frozen_credentials()


def test_a_discarded_grant_is_not_used_again(tokens: Tokens) -> None:
    """P13: AWS may end a session before its time."""
    credentials = tokens.credentials()
    credentials.get_frozen_credentials()

    credentials.discard()

    assert credentials.get_frozen_credentials().access_key == "ASIA2"


def test_a_grant_shows_no_secret() -> None:
    """P27: what is printed by accident holds neither the key nor the token."""
    shown = repr(SessionGrant("ASIA1", "hidden-key", "hidden-token", START))

    assert "hidden" not in shown


def test_grants_that_end_under_several_threads_are_renewed_once(tokens: Tokens) -> None:
    """P13: walks side by side hear of the same end one after the other; only the first of them asks again."""
    credentials = tokens.credentials()
    both_signed, first_renewed = threading.Barrier(2), threading.Event()

    def hear_of_it_late() -> None:
        credentials.get_frozen_credentials()
        both_signed.wait()
        first_renewed.wait()
        credentials.discard()
        credentials.get_frozen_credentials()

    late = threading.Thread(target=hear_of_it_late)
    late.start()
    credentials.get_frozen_credentials()
    both_signed.wait()
    credentials.discard()
    credentials.get_frozen_credentials()
    first_renewed.set()
    late.join()

    assert tokens.granted == 2
