"""Every call of a rotation over HTTP, for every target and vault: killed before and after it, unheard, its reply lost.

After the fault a new process resumes. At every instant some value that is kept signs in, in the end the current one.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from connector.errors import RotationError
from connector.journal.journal import Journal
from connector.journal.journal_vault import JournalVault
from connector.journal.seal import Sealer
from connector.rotation.aws.aws_clients import AwsDoor
from connector.rotation.engine.backoff import Backoff
from connector.rotation.engine.engine import AccountRotation
from connector.rotation.model.allowed import EVERYONE
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.flows import AppClient, Flow
from connector.rotation.sign_in.sign_in import SignIn
from connector.rotation.targets.cognito_user import AdministeredUser, PoolUser, SelfServedUser
from connector.rotation.targets.iam_user import IamUser
from connector.rotation.vaults.secrets_manager import SecretsManagerVault
from tests.fakes.rotation.cloud import ACCOUNT, POOL_ID, REGION, Cloud
from tests.fakes.rotation.policies import AccountPolicy, PoolPolicy

OLD = "Old-passw0rd-0000"
DOCUMENT = {"username": "alice", "password": OLD, "clientid": "app", "foreign": {"keys": [1, None, "é"]}}
RUNS_AT_MOST = 4
LOCKOUT_IS_OVER = 3600
CALLS_AT_MOST = 40
FEWEST_CALLS = 4


class Crash(BaseException):
    """The process is killed here."""


class Fault(StrEnum):
    """What happens at one call."""

    KILLED_BEFORE = "killed before the call is sent"
    KILLED_AFTER = "killed after the call was answered"
    UNHEARD = "the call is not sent"
    REPLY_LOST = "the call is answered, and the answer lost"


class Way(StrEnum):
    """How the password is set."""

    ADMIN = "administrator's way"
    ADMIN_HISTORY = "administrator's way, with a password history"
    OWN_SRP = "own way by SRP"
    OWN_SECRET = "own way, app client with a secret, with a password history"
    IAM = "IAM user"
    IAM_REUSE = "IAM user, reuse prevented"


IAM_USERS = (Way.IAM, Way.IAM_REUSE)


@dataclass
class Wire:
    """Counts the requests of all clients, and lets one of them meet a fault or, without one, wait for somebody else."""

    fault: Fault | None = None
    at: int = 0
    sent: int = 0
    between: Callable[[], object] = lambda: None

    def __call__(self, client):
        """Put the wire under a client."""
        session = client._endpoint.http_session
        real = session.send

        def send(request):
            self.sent += 1
            meets = self.sent == self.at
            if meets and self.fault is None:
                self.between()
            if meets and self.fault is Fault.KILLED_BEFORE:
                raise Crash
            if meets and self.fault is Fault.UNHEARD:
                raise EndpointConnectionError(endpoint_url=request.url)
            answer = real(request)
            if meets and self.fault is Fault.KILLED_AFTER:
                raise Crash
            if meets and self.fault is Fault.REPLY_LOST:
                raise ConnectionClosedError(endpoint_url=request.url)
            return answer

        session.send = send
        return client


@dataclass
class Scene:
    """One account in one AWS, with what keeps its password."""

    way: Way
    cloud: Cloud
    wire: Wire
    journal: Journal | None = None
    given: list[Secret] = field(default_factory=list)
    clients: dict[str, object] = field(default_factory=dict)

    def connect(self):
        """Make the clients, all on one wire."""
        door = AwsDoor(self.cloud.session(), REGION, endpoint_url=self.cloud.endpoint_url)
        needed = {"secrets": door.secrets_manager, "idp": door.cognito}
        if self.way in IAM_USERS:
            needed = {"secrets": door.secrets_manager, "iam": door.iam, "sts": door.sts}
        self.clients = {name: self.wire(make()) for name, make in needed.items()}

    def begin(self, at: int, journal: Journal | None):
        """Make the account anew and, without a journal, the secret about it."""
        history = 4 if self.way in (Way.ADMIN_HISTORY, Way.OWN_SECRET) else 0
        self.cloud.pool.policy = PoolPolicy(minimum=20, history=history)
        self.cloud.pool.add_user("alice", OLD)
        flows = {"ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH"}
        self.cloud.pool.add_client("app", secrets=self.client_secrets(), flows=flows)
        self.cloud.account.policy = AccountPolicy(minimum=20, reuse=4) if self.way is Way.IAM_REUSE else None
        self.cloud.account.add_user("alice", OLD)
        self.cloud.secrets.create("alice", json.dumps(DOCUMENT)).rotation_enabled = None
        self.journal, self.given = journal, []
        self.wire.sent, self.wire.at = 0, at
        self.cloud.observations.clear()
        self.cloud.observe(self.live_is_kept)

    def client_secrets(self):
        """Return the secrets of the app client."""
        return ["the-client-secret"] if self.way is Way.OWN_SECRET else []

    def is_live(self, password: str) -> bool:
        """Tell without a trace whether a password signs in."""
        if self.way in IAM_USERS:
            return self.cloud.account.users["alice"].password == password
        return self.cloud.pool.signs_in("alice", password)

    def kept(self) -> list[str]:
        """Return every value that somebody keeps."""
        if self.journal is None:
            secret = self.cloud.secrets.secret("alice")
            return [json.loads(text)["password"] for text in map(secret.text, secret.labels) if text]
        place = f"iam-user {ACCOUNT}" if self.way in IAM_USERS else f"cognito-user {POOL_ID}"
        entry = self.journal.find(f"{place}/alice")
        return [OLD, *([entry.new.reveal()] if entry else []), *(password.reveal() for password in self.given)]

    def live_is_kept(self) -> bool:
        """Tell whether the password that is live is one that is kept."""
        return any(self.is_live(password) for password in self.kept())

    def target(self):
        """Return the target, as a new process makes it."""
        if self.way in IAM_USERS:
            return IamUser(self.clients["iam"], self.clients["sts"], username="alice", allowed=EVERYONE)
        idp, now = self.clients["idp"], self.cloud.clock.now
        flow = Flow.USER_SRP_AUTH if self.way is Way.OWN_SRP else Flow.USER_PASSWORD_AUTH
        app = AppClient(POOL_ID, "app", tuple(map(Secret, self.client_secrets())), (flow,))
        user, sign_in = PoolUser(POOL_ID, "alice", EVERYONE), SignIn(idp, app, username="alice", now=now)
        if self.way in (Way.OWN_SRP, Way.OWN_SECRET):
            return SelfServedUser(idp, user, sign_in=sign_in)
        return AdministeredUser(idp, user, sign_in=sign_in)

    def vault(self, target):
        """Return the vault, as a new process makes it."""
        backoff = Backoff((0.1, 0.1), self.cloud.clock.sleep)
        if self.journal is None:
            return SecretsManagerVault(self.clients["secrets"], "alice", backoff=backoff)
        return JournalVault(self.journal, target.identity, hand_over=self.given.append, current=Secret(OLD))

    def run(self) -> bool:
        """Rotate as a new process does, when any lock-out is over, and tell whether it came to its end."""
        self.cloud.clock.sleep(LOCKOUT_IS_OVER)
        try:
            target = self.target()
            AccountRotation(target, self.vault(target), backoff=Backoff(sleep=self.cloud.clock.sleep)).rotate()
        except (Crash, RotationError):
            return False
        finally:
            self.wire.at = 0
            assert self.live_is_kept()
        return True


def play(scene: Scene, at: int, journal: Journal | None) -> None:
    """Run until the rotation ends, with the fault at one call."""
    scene.begin(at, journal)
    assert any(scene.run() for _ in range(RUNS_AT_MOST)), f"no run came to its end with call {at} {scene.wire.fault}"
    assert all(kept for _, kept in scene.cloud.observations)


def current(scene: Scene) -> str:
    """Return what readers take for the password."""
    if scene.journal is not None:
        return scene.given[-1].reveal()
    document: dict[str, str] = json.loads(scene.cloud.secrets.secret("alice").text("AWSCURRENT") or "")
    assert {**document, "password": OLD} == DOCUMENT
    return document["password"]


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("keeps", ["Secrets Manager", "journal"])
@pytest.mark.parametrize("way", Way)
def test_fault_at_any_call_loses_no_password(way, keeps, fault, tmp_path, caplog):
    """P26: for each target, vault and call: nothing is lost, the next run finishes, foreign keys are as they were."""
    caplog.set_level(logging.DEBUG, logger="connector")
    seen = {OLD}
    with Cloud() as cloud:
        scene = Scene(way, cloud, Wire(fault))
        scene.connect()
        for at in range(1, CALLS_AT_MOST):
            play(scene, at, Journal(tmp_path / str(at), Sealer(b"k" * 32)) if keeps == "journal" else None)
            password = current(scene)
            assert (scene.is_live(password), scene.is_live(OLD), password in seen) == (True, False, False)
            seen.add(password)
            if scene.wire.sent < at:
                break
    assert scene.wire.sent < at, "the rotation takes more calls than were tried"
    assert at > FEWEST_CALLS
    assert not [password for password in seen if password in caplog.text]


@pytest.mark.parametrize("way", [Way.ADMIN, Way.ADMIN_HISTORY, Way.OWN_SECRET])
def test_whole_rotation_between_any_two_calls_of_another_loses_no_password(way):
    """P26: two rotations in place agree on one candidate, or one of them stops; the current value signs in."""
    with Cloud() as cloud:
        scene, other = Scene(way, cloud, Wire()), Scene(way, cloud, Wire())
        scene.connect()
        other.connect()
        scene.wire.between = other.run
        for at in range(1, CALLS_AT_MOST):
            scene.begin(at, None)
            scene.run()
            password = current(scene)
            assert (scene.is_live(password), scene.is_live(OLD)) == (True, False)
            assert all(kept for _, kept in cloud.observations)
            if scene.wire.sent < at:
                break
    assert scene.wire.sent < at, "the rotation takes more calls than were tried"
