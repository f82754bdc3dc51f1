"""A target and a vault in memory, with a failpoint before and after every call."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum

from connector.errors import (
    CurrentRefused,
    NewSecretRejected,
    OutcomeUnknown,
    RotationBusy,
    TargetUnavailable,
    VaultUnavailable,
)
from connector.rotation.engine.backoff import Backoff
from connector.rotation.engine.engine import AccountRotation, Options
from connector.rotation.model.policy import PasswordPolicy
from connector.rotation.model.ports import Account, KeptPasswords, Proof, Verdict
from connector.rotation.model.secret import Secret

OLD = Secret("Old-password-0000")
OLDER = Secret("Older-password-00")
IDENTITY = "cognito-user eu-west-1_Ab1/alice"
LOCKED_AFTER = 5
POLICY = PasswordPolicy(minimum_length=12)
KEPT = KeptPasswords(current=OLD)


class Crash(BaseException):
    """The process is killed here."""


class Fault(StrEnum):
    """What happens at one call."""

    CRASH_BEFORE = "killed before the call"
    CRASH_AFTER = "killed after the call"
    NOT_SENT = "the call is refused for now"
    REPLY_LOST = "the call worked, its reply was lost"


@dataclass
class Failpoints:
    """Counts the calls over all runs and fails those that were chosen."""

    faults: Mapping[int, Fault] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    watch: Callable[[], None] = lambda: None

    @contextmanager
    def call(self, name: str, *, unsent: type[Exception], lost: type[Exception]) -> Iterator[None]:
        """Run the block as one call; the invariant is watched before and after it."""
        fault = self.faults.get(len(self.calls))
        self.calls.append(name)
        self.watch()
        if fault is Fault.CRASH_BEFORE:
            raise Crash
        if fault is Fault.NOT_SENT:
            raise unsent("not now")
        yield
        self.watch()
        if fault is Fault.CRASH_AFTER:
            raise Crash
        if fault is Fault.REPLY_LOST:
            raise lost("no reply")


@dataclass
class MemoryTarget:
    """An account that enforces its policy and history, and locks out."""

    points: Failpoints = field(default_factory=Failpoints)
    password: Secret = OLD
    policy: PasswordPolicy = POLICY
    enforced: PasswordPolicy | None = None
    needs_current: bool = False
    verifiable: bool = True
    factor: bool = False
    unseen: int = 0
    failures: int = 0
    most_failures: int = 0
    history: list[Secret] = field(default_factory=list)
    identity: str = IDENTITY
    verdicts: list[Verdict] = field(default_factory=list)

    def examine(self) -> Account:
        """Return the account, which is always fit."""
        with self.points.call("examine", unsent=TargetUnavailable, lost=TargetUnavailable):
            return Account(self.identity, "CONFIRMED", self.policy, ("A note.",))

    def rehearse(self, current: Secret | None) -> Proof:
        """Sign in with the current password, if there is one."""
        with self.points.call("rehearse", unsent=TargetUnavailable, lost=TargetUnavailable):
            return Proof(Verdict.UNDECIDED if current is None else self._prove(current).verdict)

    def release(self) -> None:
        """Keep nothing."""

    def set_password(self, candidate: Secret, *, current: Secret | None) -> None:
        """Set the password as Cognito would."""
        with self.points.call("set_password", unsent=TargetUnavailable, lost=OutcomeUnknown):
            if self.needs_current and current != self.password:
                self._count_failure()
                raise CurrentRefused("The current password is wrong.")
            if (self.enforced or self.policy).faults(candidate):
                raise NewSecretRejected("The policy refuses it.")
            if self.policy.history and candidate in [*self.history, self.password]:
                raise NewSecretRejected("The history refuses it.")
            self.history.append(self.password)
            self.password = candidate

    def prove(self, password: Secret) -> Proof:
        """Sign in."""
        with self.points.call("prove", unsent=TargetUnavailable, lost=TargetUnavailable):
            if self.verdicts:
                return Proof(self.verdicts.pop(0), "told by the test")
            return self._prove(password)

    def _prove(self, password: Secret) -> Proof:
        if not self.verifiable:
            return Proof(Verdict.UNVERIFIABLE, "There is no sign-in to try.")
        if self.failures >= LOCKED_AFTER:
            return Proof(Verdict.UNDECIDED, "Password attempts exceeded")
        if password != self.password or self.unseen:
            self.unseen = max(0, self.unseen - 1)
            self._count_failure()
            return Proof(Verdict.REFUSED)
        self.failures = 0
        return Proof(Verdict.FACTOR_OUTSTANDING, "SOFTWARE_TOKEN_MFA") if self.factor else Proof(Verdict.ACCEPTED)

    def _count_failure(self) -> None:
        self.failures += 1
        self.most_failures = max(self.most_failures, self.failures)


@dataclass
class MemoryVault:
    """A vault that keeps what it was given over a crash of the process."""

    points: Failpoints = field(default_factory=Failpoints)
    kept: KeptPasswords = KEPT
    name: str = "the vault"
    held: bool = False

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Let one in at a time."""
        if self.held:
            raise RotationBusy("Another rotation is inside.")
        self.held = True
        try:
            yield
        finally:
            self.held = False

    def read(self) -> KeptPasswords:
        """Return what is kept."""
        with self.points.call("read", unsent=VaultUnavailable, lost=VaultUnavailable):
            return self.kept

    def stage(self, candidate: Secret, *, policy: PasswordPolicy) -> Secret:
        """Keep a candidate unless one is kept."""
        assert policy.digest()
        with self.points.call("stage", unsent=VaultUnavailable, lost=VaultUnavailable):
            self.kept = replace(self.kept, pending=self.kept.pending or candidate)
        assert self.kept.pending is not None
        return self.kept.pending

    def promote(self) -> None:
        """Move the values on."""
        with self.points.call("promote", unsent=VaultUnavailable, lost=VaultUnavailable):
            if self.kept.pending is not None:
                self.kept = KeptPasswords(current=self.kept.pending, previous=self.kept.current)

    def discard_pending(self) -> None:
        """Forget the pending value."""
        with self.points.call("discard_pending", unsent=VaultUnavailable, lost=VaultUnavailable):
            self.kept = replace(self.kept, pending=None)


def without_waiting(waited: list[float] | None = None) -> Backoff:
    """Return a backoff of the usual number of attempts that waits in no time."""
    return Backoff(sleep=(waited if waited is not None else []).append)


def rotation(target: MemoryTarget, vault: MemoryVault, **asked: bool) -> AccountRotation:
    """Return a rotation that waits in no time."""
    return AccountRotation(target, vault, backoff=without_waiting(), options=Options(**asked))
