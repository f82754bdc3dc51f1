"""A run over the allow-list, on each database: no account stops another, and nothing is lost whenever it ends."""

import signal
from dataclasses import dataclass, field

import pytest

from connector.directory.runs import Cause, RunKind
from connector.errors import ConfigError, StoreError, TargetUnavailable, TargetUnfit, UnforeseenFault
from connector.rotation.model.ports import KeptPasswords
from connector.rotation.model.secret import Secret
from connector.rotations.rotate_all import FoundAccounts, ListedAccount, rotate_all
from connector.rotations.rotation_report import RotationReport
from connector.store.migrations import open_database
from connector.store.runs.queue import Runs
from connector.store.runs.rotated_accounts import RotatedAccounts
from connector.store.runs.run import begin
from tests.rotation.engine.memory import OLD, Crash, Failpoints, Fault, MemoryTarget, MemoryVault, rotation

NAMES = ("ann", "bo", "cy")
CALLS_OF_A_RUN = 24


@dataclass
class Cast:
    """Some accounts, each with its vault; `points` counts the calls of all of them."""

    points: Failpoints = field(default_factory=Failpoints)
    targets: dict[str, MemoryTarget] = field(default_factory=dict)
    vaults: dict[str, MemoryVault] = field(default_factory=dict)
    found: dict[str, object] = field(default_factory=dict)

    def __post_init__(self):
        for name in NAMES:
            self.targets[name] = MemoryTarget(self.points, identity=name)
            self.vaults[name] = MemoryVault(self.points, name=f"secret {name}")

    def find(self):
        """Find them."""
        accounts = [ListedAccount(name, f"secret {name}", lambda name=name: self.open(name)) for name in NAMES]
        return FoundAccounts(accounts, **self.found)

    def open(self, name):
        """Make the rotation of one of them."""
        return rotation(self.targets[name], self.vaults[name])

    def signs_in(self, name):
        """Tell whether the current value of a vault is the live password, and none is pending."""
        kept = self.vaults[name].kept
        return kept.current == self.targets[name].password and kept.pending is None

    def watch(self):
        """Some value that each vault keeps signs in: the invariant of every instant."""
        for name in NAMES:
            kept = self.vaults[name].kept
            assert self.targets[name].password in (kept.current, kept.pending, kept.previous)


@pytest.fixture
def cast():
    """Three accounts, whose passwords are old."""
    return Cast()


def execute(database, cast):
    """Rotate all of them in a run, and return the run as the history has it."""
    with begin(database, RunKind.ROTATE, cause=Cause.COMMAND) as run:
        rotate_all(run, cast.find)
    return Runs(database).find(run.id)


def outcomes(run):
    """Return the outcome of each account."""
    return {entry["account"]: entry["outcome"] for entry in run.result["accounts"]}


def test_every_account_gets_a_password_that_is_proved(database, cast):
    """P37: each account with outcome, proof and notes; the run says how many, and never a password (P27)."""
    run = execute(database, cast)
    first = run.result["accounts"][0]

    assert (run.outcome, run.result["rotated"], run.result["failed"], run.result["needs_operator"]) == (
        "rotated",
        3,
        0,
        [],
    )
    assert first == {
        "account": "ann",
        "vault": "secret ann",
        "outcome": "rotated",
        "proof": "accepted",
        "notes": ["A note."],
    }
    assert all(cast.signs_in(name) and cast.targets[name].password != OLD for name in NAMES)
    assert run.progress == {"phase": "rotating", "accounts": 3, "rotated": 2, "failed": 0}
    assert not [name for name in NAMES if cast.targets[name].password.reveal() in str(run.as_json())]


def test_an_account_that_fails_stops_no_other(database, cast, monkeypatch):
    """P37: refused, faulty and good ones side by side; what an operator is to do is told of each."""
    monkeypatch.setattr(cast.targets["ann"], "examine", _refuse)
    monkeypatch.setattr(cast.targets["bo"], "examine", lambda: 1 / 0)
    run = execute(database, cast)

    assert (run.outcome, outcomes(run)) == ("partly", {"ann": "failed", "bo": "failed", "cy": "rotated"})
    assert run.result["needs_operator"] == [
        {"account": "ann", "fault": "Disabled.", "do": "Enable it."},
        {
            "account": "bo",
            "fault": "bo: an unexpected fault (ZeroDivisionError).",
            "do": "Run `cognito-scim rotate verify` to see which password is live, and report the fault.",
        },
    ]
    assert [state.last.account for state in RotatedAccounts(database).all() if state.needs_operator] == ["ann", "bo"]


def _refuse():
    raise TargetUnfit("Disabled.", remedy="Enable it.")


def test_a_run_that_rotated_nobody_has_failed(database, cast, monkeypatch):
    """P37: and one without any account has nothing to do."""
    for name in NAMES:
        monkeypatch.setattr(cast.targets[name], "examine", _refuse)
    failed = execute(database, cast)
    monkeypatch.setattr(cast, "find", lambda: FoundAccounts([]))

    assert (failed.outcome, failed.result["rotated"], failed.result["failed"]) == ("failed", 0, 3)
    assert execute(database, cast).outcome == "unchanged"


def test_what_earlier_runs_left_is_recovered_before_anything_is_rotated(database, cast):
    """P37, P26: an account whose live password is pending waits for no other; then it gets a new one as well."""
    cast.targets["cy"].password = left = Secret("Left-password-0000")
    cast.vaults["cy"].kept = KeptPasswords(current=OLD, pending=left)
    promoted = []
    cast.points.watch = lambda: promoted.append((len(cast.points.calls), cast.vaults["cy"].kept.current))
    run = execute(database, cast)
    recovered = next(call for call, current in promoted if current == left)

    assert cast.points.calls.index("stage") > recovered - 1
    assert run.result["accounts"][0]["notes"][-1] == "What an earlier rotation had begun was brought to its end first."
    assert (run.outcome, cast.signs_in("cy"), cast.targets["cy"].password != left) == ("rotated", True, True)


def test_an_account_that_cannot_be_recovered_is_left_alone(database, cast):
    """P37: trying it twice would spend its sign-ins twice."""
    cast.vaults["ann"].kept = KeptPasswords(current=OLD, pending=Secret("short"))
    run = execute(database, cast)

    assert outcomes(run)["ann"] == "failed"
    assert cast.points.calls.count("examine") == 3
    assert cast.targets["ann"].password == OLD


def test_faults_of_the_list_are_told_and_stop_nobody(database, cast):
    """P37: a group that could not be read is one line of the result."""
    cast.found = {"faults": {"group g": TargetUnavailable("Throttled.", remedy="Wait.")}, "notes": ("Odd.",)}
    run = execute(database, cast)

    assert (run.outcome, run.result["rotated"], run.result["notes"]) == ("partly", 3, ["Odd."])
    assert run.result["needs_operator"] == [{"account": "group g", "fault": "Throttled.", "do": "Wait."}]


def test_a_configuration_that_cannot_rotate_ends_the_run(database, cast, monkeypatch):
    """P37: the history says what is wrong with it."""

    def find():
        raise ConfigError("No vault.", remedy="Name one.")

    monkeypatch.setattr(cast, "find", find)
    run = execute(database, cast)

    assert (run.outcome, run.result["cause"]) == ("failed", "No vault. Name one.")


def test_a_cancelled_run_ends_between_two_accounts(database, cast):
    """P37: the account at hand is brought to its end; the others are as they were, and named."""
    queue = Runs(database)

    def cancel():
        if cast.points.calls[-1] == "set_password" and cast.targets["ann"].password != OLD:
            queue.cancel(queue.history(count=1)[0].id)
            cast.points.watch = lambda: None

    cast.points.watch = cancel
    run = execute(database, cast)

    assert (run.outcome, run.result["cause"]) == ("failed", "It was cancelled. Start it again when it is wanted.")
    assert outcomes(run) == {"ann": "rotated", "bo": "not begun", "cy": "not begun"}
    assert (run.result["rotated"], run.result["not_begun"]) == (1, 2)
    assert (cast.signs_in("ann"), cast.targets["bo"].password) == (True, OLD)


def test_a_process_that_is_asked_to_end_finishes_the_account_at_hand(database, cast):
    """P37: a stopping server never leaves a password half way."""

    def interrupt():
        if cast.points.calls[-1] == "set_password":
            cast.points.watch = lambda: None
            signal.raise_signal(signal.SIGINT)

    cast.points.watch = interrupt
    with pytest.raises(KeyboardInterrupt):
        execute(database, cast)
    run = Runs(database).history(count=1)[0]

    assert (run.outcome, run.result["cause"]) == ("failed", "It was interrupted.")
    assert outcomes(run) == {"ann": "rotated", "bo": "not begun", "cy": "not begun"}
    assert cast.signs_in("ann")


def test_an_unforeseen_fault_ends_the_run_under_its_id(database, cast, monkeypatch):
    """P37: the history never takes a fault of the program for an interruption."""

    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(RotationReport, "add_notes", fail)
    with pytest.raises(UnforeseenFault) as told:
        execute(database, cast)
    run = Runs(database).history(count=1)[0]

    assert (run.outcome, run.result["cause"]) == ("failed", str(told.value))


def test_a_store_that_fails_meanwhile_stops_no_rotation(database, cast, monkeypatch, caplog):
    """P37: what is rotated is rotated; the log says what is not on record."""

    def fail(*_, **__):
        raise StoreError("It is away.")

    monkeypatch.setattr(RotatedAccounts, "note", fail)
    monkeypatch.setattr(RotatedAccounts, "schedule", fail)
    run = execute(database, cast)

    assert (run.outcome, all(map(cast.signs_in, NAMES))) == ("rotated", True)
    assert "the rotation is not wholly on record: It is away." in caplog.text


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
def test_killed_at_any_call_the_next_run_recovers_and_rotates_everybody(tmp_path, fault):
    """P37, P26: at every instant a kept value of each account signs in; after the next run the current one does."""
    database = open_database(f"sqlite:///{tmp_path}/store.db")
    for call in range(CALLS_OF_A_RUN):
        cast = Cast(Failpoints({call: fault}))
        cast.points.watch = cast.watch
        with pytest.raises(Crash):
            execute(database, cast)
        for name in NAMES:
            cast.vaults[name].held, cast.targets[name].failures = False, 0
        run = execute(database, cast)

        assert (run.outcome, [name for name in NAMES if not cast.signs_in(name)]) == ("rotated", [])
    untouched = Cast()
    execute(database, untouched)
    assert len(untouched.points.calls) == CALLS_OF_A_RUN
    database.close()
