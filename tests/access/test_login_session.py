"""A login is kept, renewed without a question, and ended; whatever goes wrong, nobody is half signed in."""

import json
import logging
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connector.access.aws_doors import AwsDoors
from connector.access.kept_form import write_login
from connector.access.keyring_store import KeyringStore
from connector.access.login_session import LoginSession
from connector.access.model import LoginPlan
from connector.access.person import sign_in_person
from connector.access.store import FileStore, Locks, entry_name
from connector.errors import LoginStoreFault, LoginUnavailable, LoginUnfit, NotSignedIn
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.dialogue import Dialogue
from connector.rotation.sign_in.flows import AppClient, Flow
from tests.access.sample import login as sample_login
from tests.access.test_person import Somebody
from tests.fakes.challenges import CANARY, POOL_ID, AskingPool
from tests.fakes.refusals import Refusal

PLAN = LoginPlan(
    POOL_ID,
    "app",
    flows=(Flow.USER_PASSWORD_AUTH,),
    identity_pool_id="eu-west-1:01234567-89ab-cdef-0123-456789abcdef",
)


@pytest.fixture
def pool(request, monkeypatch):
    """A pool that asks nothing but the password; further ways by parameter."""
    with AskingPool(**getattr(request, "param", {})) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        yield running


def session(tmp_path, plan=PLAN, **others):
    """Return the login of profile p, kept under a folder."""
    folder = tmp_path / "state"
    return LoginSession("p", plan, FileStore(folder), Locks(folder, wait=1), AwsDoors("eu-west-1"), **others)


def ann(doors):
    """Sign Ann in."""
    cognito = doors.user_pool()
    dialogue = Dialogue(cognito, AppClient(POOL_ID, "app", (), (Flow.USER_PASSWORD_AUTH,)), username="ann")
    return "ann", sign_in_person(cognito, dialogue, Somebody(), password=Secret("right"), label="p:ann")


def age(found, **spent):
    """Let time pass for what is kept: the credentials end, and the id token is an old one."""
    kept = found.kept()
    old = Secret("a.e30.c")
    credentials = replace(kept.credentials, expires=datetime.now(UTC) + timedelta(**spent or {"seconds": -1}))
    found.store.write("p", replace(kept, credentials=credentials, tokens=replace(kept.tokens, id_token=old)))


def test_kept_credentials_are_handed_over_without_a_call(pool, tmp_path):
    """SDKs ask often; AWS is asked once."""
    first = session(tmp_path).login(ann)
    calls = dict(pool.calls)

    assert session(tmp_path).credentials() == first
    assert dict(pool.calls) == calls
    assert first.arn.endswith("/People/CognitoIdentityCredentials")


@pytest.mark.parametrize("pool", [{}, {"rotates": True}, {"tracks_devices": True}], indirect=True, ids=str)
def test_ended_credentials_are_renewed_without_a_question(pool, tmp_path):
    """By the refresh token, also one that rotates, and with the device that a pool tracks; twice."""
    first = session(tmp_path).login(ann)
    for _ in range(2):
        age(session(tmp_path))
        renewed = session(tmp_path).credentials()
        assert renewed.access_key_id != first.access_key_id
        assert renewed.are_fresh(datetime.now(UTC))
    kept = session(tmp_path).kept()

    assert kept.tokens.refresh_token.reveal() in pool.refresh_tokens
    assert kept.person == "ann"


def test_session_that_has_ended_asks_for_a_new_sign_in(pool, tmp_path):
    """A revoked token, a disabled user: the same words, exit code 77."""
    session(tmp_path).login(ann)
    age(session(tmp_path))
    pool.refresh_tokens.clear()
    with pytest.raises(NotSignedIn, match="has ended") as caught:
        session(tmp_path).credentials()

    assert caught.value.exit_code == 77
    assert "cognito-scim login" in caught.value.remedy


def test_credentials_that_count_still_outlive_an_outage(pool, tmp_path):
    """They end in ten minutes and could not be renewed: they go on, with a warning."""
    session(tmp_path).login(ann)
    age(session(tmp_path), minutes=10)
    pool.faults["InitiateAuth"] = Refusal("InternalErrorException", "", 500)

    assert session(tmp_path).credentials().expires > datetime.now(UTC)
    age(session(tmp_path), seconds=-1)
    with pytest.raises(LoginUnavailable):
        session(tmp_path).credentials()


def test_nobody_signed_in_says_how(pool, tmp_path):
    """With the profile's own command."""
    assert pool
    with pytest.raises(NotSignedIn) as caught:
        session(tmp_path).credentials()

    assert caught.value.remedy == "Sign in: cognito-scim login --profile p"


@pytest.mark.usefixtures("pool")
def test_login_made_another_way_is_not_used(tmp_path):
    """Another role, another pool: what is kept belongs to another plan."""
    session(tmp_path).login(ann)
    other = replace(PLAN, role_arn="arn:aws:iam::123456789012:role/Other")

    assert session(tmp_path).kept() is not None
    assert session(tmp_path, other).kept() is None


def test_a_new_login_takes_the_one_before_back(pool, tmp_path):
    """No session is left open that nobody knows of any more."""
    session(tmp_path).login(ann)
    before = session(tmp_path).kept().tokens.refresh_token.reveal()
    session(tmp_path).login(ann)

    assert before not in pool.refresh_tokens
    assert session(tmp_path).kept().tokens.refresh_token.reveal() in pool.refresh_tokens


def test_failed_login_leaves_whoever_was_signed_in(pool, tmp_path):
    """Nothing is half written."""
    session(tmp_path).login(ann)
    kept = session(tmp_path).kept()
    pool.faults["GetId"] = Refusal(
        "NotAuthorizedException", "Token is not from a supported provider of this identity pool."
    )
    with pytest.raises(LoginUnfit, match="Identity pool configuration error"):
        session(tmp_path).login(ann)

    assert session(tmp_path).kept() == kept
    assert kept.tokens.refresh_token.reveal() in pool.refresh_tokens


def test_logout_revokes_and_forgets(pool, tmp_path):
    """Twice is once."""
    session(tmp_path).login(ann)

    assert session(tmp_path).logout() is True
    assert pool.refresh_tokens == set()
    assert session(tmp_path).kept() is None
    assert session(tmp_path).logout() is False


def test_logout_without_a_network_forgets_and_says_what_is_left(pool, tmp_path):
    """The session at the pool ends by itself."""
    session(tmp_path).login(ann)
    pool.faults["RevokeToken"] = Refusal("InternalErrorException", "", 500)
    with pytest.raises(LoginUnavailable, match="could not be ended"):
        session(tmp_path).logout()

    assert session(tmp_path).kept() is None


def test_place_that_cannot_be_written_is_found_out_before_a_password_is_asked(pool, tmp_path):
    """A read-only home."""
    (tmp_path / "state").write_text("not a folder")

    def never(_):
        raise AssertionError("a password was asked for")

    with pytest.raises(LoginStoreFault) as caught:
        session(tmp_path).login(never)
    assert "login.folder" in caught.value.remedy
    assert pool.calls == {}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', '{"version": 2}', write_login(sample_login())[:-20]])
def test_damaged_file_is_nobody(tmp_path, text):
    """Signing in again replaces it."""
    store = FileStore(tmp_path)
    store.write("p", sample_login())
    (tmp_path / "p.json").write_text(text)

    assert store.read("p") is None


def test_files_are_for_their_owner_alone(tmp_path):
    """0600 in a folder of 0700, whatever the umask."""
    store = FileStore(tmp_path / "a/b")
    store.write("p", sample_login())
    assert store.read("p") == sample_login()

    assert stat.S_IMODE((tmp_path / "a/b/p.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "a/b").stat().st_mode) == 0o700


def test_link_in_the_place_of_a_login_is_not_followed(tmp_path):
    """Somebody else would choose what is read."""
    (tmp_path / "elsewhere").write_text(write_login(sample_login()))
    (tmp_path / "p.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LoginStoreFault):
        FileStore(tmp_path).read("p")


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", ".", "..", "x" * 300, "ü", ""])
def test_profile_name_is_never_a_path(name):
    """Whatever it is called, its file is in the folder."""
    assert entry_name(name).startswith("profile-")
    assert "/" not in entry_name(name)


class FakeKeyring:
    """A keyring that takes 1,280 characters an entry, as that of Windows does."""

    def __init__(self):
        self.entries = {}

    def get_password(self, service, entry):
        """Return what is kept."""
        return self.entries.get((service, entry))

    def set_password(self, service, entry, text):
        """Keep a text."""
        if len(text) > 1280:
            raise ValueError("too long")
        self.entries[service, entry] = text

    def delete_password(self, service, entry):
        """Forget it."""
        del self.entries[service, entry]


def test_keyring_keeps_a_login_in_pieces():
    """Tokens are longer than an entry; a piece that is missing makes it nobody."""
    keyring = FakeKeyring()
    store = KeyringStore(keyring)
    long = sample_login()
    long = replace(long, tokens=replace(long.tokens, id_token=Secret("x" * 5000)))
    store.write("p", long)
    assert store.read("p") == long
    store.write("p", sample_login())
    assert store.read("p") == sample_login()
    assert len(keyring.entries) == 2

    del keyring.entries["cognito-scim login", "p 0"]
    assert store.read("p") is None
    store.remove("p")
    assert keyring.entries == {}


def test_second_process_waits_for_the_lock_and_not_for_ever(tmp_path):
    """Bounded, and told as something to try again."""
    locks = Locks(tmp_path, wait=0.1)
    with locks.hold("p"), pytest.raises(LoginUnavailable, match="Another process"), locks.hold("p"):
        raise AssertionError("both were in")
    with locks.hold("p"), locks.hold("q"):
        pass


def test_clock_that_is_off_is_told(pool, tmp_path, caplog):
    """AWS's time is in every answer; what a wrong clock signs is refused."""
    pool._server.date_offset = timedelta(hours=-3)
    with caplog.at_level(logging.WARNING):
        session(tmp_path).login(ann)

    assert "clock is 180 minutes ahead" in caplog.text


def test_clock_far_ahead_makes_new_credentials_look_ended(pool, tmp_path):
    """They are refused with the reason, not kept and renewed for ever."""
    assert pool
    tomorrow = session(tmp_path, now=lambda: datetime.now(UTC) + timedelta(days=1))
    with pytest.raises(LoginUnfit, match="clock"):
        tomorrow.login(ann)
    assert session(tmp_path).kept() is None


def test_no_secret_is_in_any_log_or_repr(pool, tmp_path, caplog):
    """P27: a canary sweep at DEBUG, botocore's loggers included."""
    with caplog.at_level(logging.DEBUG):
        for name in ("botocore", "urllib3", "boto3"):
            logging.getLogger(name).setLevel(logging.DEBUG)
        found = session(tmp_path).login(ann)
        age(session(tmp_path))
        session(tmp_path).credentials()
        session(tmp_path).logout()
    kept = json.dumps([record.getMessage() for record in caplog.records]) + repr(found) + repr(sample_login())

    assert "InitiateAuth" in caplog.text
    for secret in (CANARY, "right", "refresh-", "access-", "s3cr3t"):
        assert secret not in kept
    assert pool.calls["RevokeToken"] == 1
