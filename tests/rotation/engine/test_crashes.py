"""Faults at every call boundary of a rotation, and any few of them together: the password is never lost."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import RotationError
from connector.rotation.engine.engine import AccountRotation
from connector.rotation.model.policy import PasswordPolicy
from connector.rotation.model.ports import KeptPasswords
from connector.rotation.model.results import RotationResult
from connector.rotation.model.secret import Secret
from tests.rotation.engine.memory import OLD, Crash, Failpoints, Fault, MemoryTarget, MemoryVault, rotation

RUNS_AT_MOST = 12
CALLS = 6
WAYS = {
    "administrator": {},
    "administrator, history": {"policy": PasswordPolicy(history=5)},
    "administrator, policy unreadable": {"policy": PasswordPolicy(known=False)},
    "own": {"needs_current": True},
    "own, history": {"needs_current": True, "policy": PasswordPolicy(history=5)},
    "second factor": {"factor": True},
    "no sign-in": {"verifiable": False},
    "no sign-in, reuse prevented": {"verifiable": False, "policy": PasswordPolicy(history=5)},
}


@dataclass
class Story:
    """Runs after runs, until one comes to its end."""

    target: MemoryTarget
    vault: MemoryVault
    runs: int = 0
    deed: Callable[[AccountRotation], RotationResult] = AccountRotation.rotate
    discard_unfit: bool = False

    def watch(self):
        """Some value that the vault keeps signs in: the invariant of every instant."""
        kept = self.vault.kept
        assert self.target.password in (kept.current, kept.pending, kept.previous)

    def run(self):
        """Run once, as a new process does, after the lock-out of the last run is over."""
        self.runs += 1
        self.vault.held, self.target.failures = False, 0
        try:
            self.deed(rotation(self.target, self.vault, discard_unfit=self.discard_unfit))
        except (Crash, RotationError):
            return False
        finally:
            assert self.target.most_failures < 5
        return True


def tell(faults, **way):
    """Run until the rotation succeeds, with these faults at these calls, and return how it went."""
    points = Failpoints(faults)
    story = Story(MemoryTarget(points, **way), MemoryVault(points))
    points.watch = story.watch
    assert any(story.run() for _ in range(RUNS_AT_MOST)), "no run came to its end"
    return story


def assert_rotated(story):
    """The vault's current value is the account's password, and it is not the old one."""
    assert story.vault.kept.current == story.target.password != OLD
    assert story.vault.kept.pending is None


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("call", "fault"), list(itertools.product(range(CALLS), Fault)))
def test_one_fault_at_any_call_loses_nothing(way, call, fault):
    """P26: killed before or after any call, refused or its reply lost: the next run finishes."""
    story = tell({call: fault}, **WAYS[way])

    assert_rotated(story)
    assert story.runs <= 2


@settings(max_examples=200, deadline=None)
@given(
    way=st.sampled_from(sorted(WAYS)),
    faults=st.dictionaries(st.integers(0, 24), st.sampled_from(Fault), max_size=8),
)
def test_any_faults_together_lose_nothing(way, faults):
    """P26: whatever happens to however many calls, some kept value signs in, and in the end the current one does."""
    assert_rotated(tell(faults, **WAYS[way]))


@settings(max_examples=200, deadline=None)
@given(faults=st.dictionaries(st.integers(0, 24), st.sampled_from(Fault), max_size=8), history=st.integers(0, 3))
def test_refused_candidate_and_any_faults_lose_nothing(faults, history):
    """P26: a target that refuses every candidate keeps the old password, and no discarded value was ever live."""
    points = Failpoints(faults)
    impossible = PasswordPolicy(minimum_length=200, history=history)
    target = MemoryTarget(points, policy=PasswordPolicy(history=history), enforced=impossible)
    story = Story(target, MemoryVault(points))
    points.watch = story.watch

    outcomes = [story.run() for _ in range(4)]

    assert outcomes == [False] * 4
    assert target.password == OLD == story.vault.kept.current


@settings(max_examples=200, deadline=None)
@given(faults=st.dictionaries(st.integers(0, 24), st.sampled_from(Fault), max_size=8), readable=st.booleans())
def test_recovery_that_undoes_and_any_faults_lose_nothing(faults, readable):
    """P26: what is refused is discarded whatever fails on the way; the password that was live is the current one."""
    points = Failpoints(faults)
    target = MemoryTarget(points, policy=PasswordPolicy(known=readable), enforced=PasswordPolicy(minimum_length=12))
    story = Story(
        target,
        MemoryVault(points, KeptPasswords(OLD, Secret("weak"))),
        deed=AccountRotation.recover,
        discard_unfit=True,
    )
    points.watch = story.watch

    assert any(story.run() for _ in range(RUNS_AT_MOST))

    assert (target.password, story.vault.kept) == (OLD, KeptPasswords(OLD))
    assert "stage" not in points.calls


def test_rotations_one_after_another_each_change_the_password():
    """P26: a finished rotation leaves nothing behind that would stop the next."""
    story = tell({})
    first = story.target.password

    assert story.run()

    assert story.target.password != first
    assert story.vault.kept == KeptPasswords(current=story.target.password, previous=first)


def test_failpoints_would_find_a_password_that_is_lost():
    """The invariant can fail: a target that is set before its vault is, is caught."""
    story = tell({})
    story.target.password = OLD

    story.vault.kept = KeptPasswords()

    with pytest.raises(AssertionError):
        story.watch()
