"""`serve` rotates by its schedule, in a process beside it, against the strict fake over HTTP."""

import json
import signal
import subprocess
import sys
import threading

import pytest
from sqlalchemy import insert

from connector.directory.runs import Cause, RunKind
from connector.errors import AlreadyRunning
from connector.journal.journal import Journal
from connector.journal.journal_vault import JournalVault
from connector.journal.seal import Sealer
from connector.rotation.model.policy import PasswordPolicy
from connector.rotation.model.secret import Secret
from connector.store.runs.queue import Runs, enqueue
from connector.store.runs.rotated_accounts import RotatedAccounts
from connector.store.sql.tables import schedules
from tests.fakes.rotation.cloud import EXTERNAL_ID, POOL_ID, ROLE_ARN, ROTATOR, Cloud
from tests.processes.conftest import environment, serving, wait_for, wait_for_end

OLD = "Old-passw0rd-0000"
NAMES = ("ann", "bo", "cy")
YEARLY = "every 365d"
IDENTITIES = [f"cognito-user {POOL_ID}/{name}" for name in NAMES]


@pytest.fixture
def cloud(folder, monkeypatch):
    """A pool with ann, and a group with bo and cy, each with a secret; the configuration in the folder names them."""
    (folder / "config.yaml").write_text(f"""
cognito: {{user_pool_id: {POOL_ID}}}
rotation:
  allow: [ann, services]
  vault: "secretsmanager:pool/{{username}}"
  schedule: {YEARLY}
  role_arn: {ROLE_ARN}
""")
    with Cloud() as cloud:
        cloud.pool.add_client("app", flows={"ALLOW_USER_SRP_AUTH"})
        for name in NAMES:
            cloud.pool.add_user(name, OLD, groups=[] if name == "ann" else ["services"])
            document = {"username": name, "password": OLD, "clientid": "app"}
            cloud.secrets.create(f"pool/{name}", json.dumps(document)).rotation_enabled = None
        monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint_url)
        monkeypatch.setenv("COGNITO_SCIM_AWS__ACCESS_KEY_ID", ROTATOR.key_id)
        monkeypatch.setenv("COGNITO_SCIM_AWS__SECRET_ACCESS_KEY", ROTATOR.secret)
        monkeypatch.setenv("COGNITO_SCIM_ROTATION__EXTERNAL_ID", EXTERNAL_ID)
        yield cloud


def current(cloud, name):
    """Return the password that readers of a secret find."""
    return json.loads(cloud.secrets.secret(f"pool/{name}").text("AWSCURRENT"))["password"]


def is_whole(cloud, name):
    """Tell whether readers of a secret find the password that signs in, and nothing is pending."""
    labels = cloud.secrets.secret(f"pool/{name}").labels
    settled = labels.get("AWSPENDING", labels["AWSCURRENT"]) == labels["AWSCURRENT"]
    return settled and cloud.pool.signs_in(name, current(cloud, name))


def queue_rotation(store):
    """Queue a rotation, as the schedule does, and return its number."""
    with store.writing() as connection:
        return enqueue(connection, kind=RunKind.ROTATE, cause=Cause.SCHEDULE).id


def say_in_secret(cloud, name, **keys):
    """Write more keys into the secret of a user."""
    secret = cloud.secrets.secret(f"pool/{name}")
    version = secret.labels["AWSCURRENT"]
    secret.versions[version] = json.dumps(json.loads(secret.versions[version]) | keys)


def outcomes(run):
    """Return the outcomes of the accounts, in order."""
    return [entry["outcome"] for entry in run.result["accounts"]]


def test_the_schedule_rotates_the_whole_allow_list(cloud, store):
    """P37, P21: one run; groups stand for their members; the missed slot is caught up and told of; no secret shows.

    Each goes the way that its secret says.
    """
    say_in_secret(cloud, "cy", mode="self")
    with store.writing() as connection:
        connection.execute(insert(schedules).values(kind="rotate", schedule=YEARLY, handled=1))
    with serving() as served:
        wait_for(lambda: len(Runs(store).history(count=9)) == 2)
        first, missed = sorted(Runs(store).history(count=9), key=lambda run: run.result.get("missed", 0))
        ended = wait_for_end(store, first.id)

    assert (ended.kind, ended.cause, ended.outcome) == ("rotate", "schedule", "rotated")
    assert [entry["account"] for entry in ended.result["accounts"]] == IDENTITIES
    assert [entry["proof"] for entry in ended.result["accounts"]] == ["accepted"] * 3
    assert (cloud.calls["AdminSetUserPassword"], cloud.calls["ChangePassword"]) == (2, 1)
    assert "rotations from 19" in missed.result["cause"]
    assert "scheduled rotations missed: " in served.log
    assert [name for name in NAMES if not is_whole(cloud, name) or current(cloud, name) == OLD] == []
    told = served.log + json.dumps(ended.as_json())
    assert not [secret for secret in (*(current(cloud, name) for name in NAMES), EXTERNAL_ID, OLD) if secret in told]


class Hold:
    """Holds an answer back until it is released."""

    def __init__(self, cloud, operation):
        self.reached, self.released = threading.Event(), threading.Event()
        cloud.before(operation, call=1, do=self.answer)

    def answer(self):
        """Wait, for a bounded time: the caller would give up."""
        self.reached.set()
        self.released.wait(10)


def test_a_stopping_server_lets_the_account_at_hand_be_finished(cloud, store):
    """P37: no account is left half way; those after it are not begun."""
    hold = Hold(cloud, "AdminSetUserPassword")
    with serving() as served:
        run = queue_rotation(store)
        assert hold.reached.wait(60)
        served.process.send_signal(signal.SIGTERM)
        hold.released.set()
        ended = wait_for_end(store, run)

    assert (ended.outcome, ended.result["cause"]) == ("failed", "It was interrupted.")
    assert outcomes(ended) == ["rotated", "not begun", "not begun"]
    assert is_whole(cloud, "ann")
    assert current(cloud, "bo") == OLD
    assert "Traceback" not in served.log


def test_rotations_and_syncs_do_not_wait_for_each_other(store):
    """P37: each kind has a lease of its own; two rotations never overlap."""
    queue = Runs(store)
    sync, first = queue.request(RunKind.SYNC, cause=Cause.API), queue.request(RunKind.ROTATE, cause=Cause.SCHEDULE)
    second = queue_rotation(store)

    with pytest.raises(AlreadyRunning, match=f"run {first.id}"):
        queue.request(RunKind.ROTATE, cause=Cause.SCHEDULE)
    assert queue.claim({RunKind.SYNC}).lease.run == sync.id
    claimed = queue.claim({RunKind.ROTATE})
    assert (claimed.lease.run, queue.claim({RunKind.ROTATE})) == (first.id, None)
    queue.abandon(claimed.lease, "Done.")
    assert queue.claim({RunKind.ROTATE}).lease.run == second


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("PutSecretValue", 1),
        ("AdminSetUserPassword", 2),
        ("RespondToAuthChallenge", 2),
        ("UpdateSecretVersionStage", 3),
    ],
)
def test_killed_anywhere_the_next_run_recovers_and_nothing_is_lost(cloud, store, operation, call):
    """P37, P26: kill -9 of the process; every kept current value signs in after the next run."""
    child = {}
    cloud.before(operation, call=call, do=lambda: _kill(child))
    killed = _execute(store, child)
    history = {state.last.account: state.rotated_at for state in RotatedAccounts(store).all()}
    lost = [name for name in NAMES if not _some_value_lives(cloud, name)]
    after = _execute(store, {})

    assert (killed.outcome, after.outcome, lost) == ("failed", "rotated", [])
    assert [name for name in NAMES if not is_whole(cloud, name) or current(cloud, name) == OLD] == []
    assert list(history) == IDENTITIES


def _some_value_lives(cloud, name):
    secret = cloud.secrets.secret(f"pool/{name}")
    texts = filter(None, map(secret.text, ("AWSCURRENT", "AWSPENDING", "AWSPREVIOUS")))
    return any(cloud.pool.signs_in(name, json.loads(text)["password"]) for text in texts)


def _kill(child):
    child["process"].kill()
    child["process"].wait(30)


def _execute(store, child):
    """Execute a rotation in a child, as an executor does, and return the run."""
    queue = Runs(store)
    queue_rotation(store)
    lease = queue.claim({RunKind.ROTATE}).lease
    command = [sys.executable, "-m", "connector", "execute-run", str(lease.run), "--fence", str(lease.fence)]
    with subprocess.Popen(command, env=environment(), stdin=subprocess.PIPE) as process:
        child["process"] = process
        process.wait(60)
    queue.abandon(lease, "Its process was ended by signal 9.")
    return queue.find(lease.run)


def test_accounts_that_the_journal_has_to_finish_are_left_to_it(cloud, store, folder, monkeypatch):
    """P37: a password that only the journal keeps is not rotated over; the operator is told what to do."""
    key = "a journal key of thirty-two characters or more"
    monkeypatch.setenv("COGNITO_SCIM_ROTATION__JOURNAL_KEY", key)
    journal = Journal(folder / "cognito-scim-journal", Sealer(key.encode()))
    unfinished = JournalVault(journal, IDENTITIES[0], hand_over=lambda _: None)
    unfinished.stage(Secret("Staged-passw0rd-1"), policy=PasswordPolicy())
    run = _execute(store, {})
    (told,) = run.result["needs_operator"]

    assert (run.outcome, outcomes(run)) == ("partly", ["failed", "rotated", "rotated"])
    assert (told["account"], "rotate recover" in told["do"]) == (IDENTITIES[0], True)
    assert cloud.pool.signs_in("ann", OLD)


def test_without_a_vault_a_run_ends_with_the_fault_of_the_configuration(folder, store):
    """P37: what was queued before the configuration changed is on record as failed, with the reason."""
    (folder / "config.yaml").write_text(f"cognito: {{user_pool_id: {POOL_ID}}}\n")
    run = _execute(store, {})

    assert run.outcome == "failed"
    assert "Set rotation.allow, and rotation.vault" in run.result["cause"]
