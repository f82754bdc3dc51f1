"""What the engine asks of a target and of a vault, and the values that pass between them.

A target sets a password and says whether one signs in; a vault keeps a password before and after. Promise P26: at
every instant one of the values that the vault keeps signs in.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from connector.errors import RotationError
from connector.rotation.model.policy import PasswordPolicy
from connector.rotation.model.secret import Secret


class Verdict(StrEnum):
    """What one sign-in says of a password."""

    ACCEPTED = "accepted"
    """It is the password."""
    FACTOR_OUTSTANDING = "accepted, a further factor is outstanding"
    """It is the password: Cognito asks for the next factor only after it."""
    REFUSED = "refused"
    """It is not the password."""
    UNDECIDED = "undecided"
    """Nothing can be said now: locked out ("Password attempts exceeded"), throttled, unreachable, or a challenge
    that proves nothing (CUSTOM_CHALLENGE, SELECT_CHALLENGE)."""
    UNVERIFIABLE = "not verifiable"
    """The target has no sign-in that a program could try (IAM console passwords)."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The outcome of one sign-in.

    Args:
        verdict: what it says of the password.
        detail: what a person should know besides: the factor, the reason, what could be verified instead.
        fault: why nothing was decided, where waiting does not mend it.
    """

    verdict: Verdict
    detail: str = ""
    fault: RotationError | None = field(default=None, compare=False)

    @property
    def accepted(self) -> bool:
        """Whether it was the password."""
        return self.verdict in (Verdict.ACCEPTED, Verdict.FACTOR_OUTSTANDING)


@dataclass(frozen=True, slots=True)
class Account:
    """An account that was examined and may be rotated.

    Args:
        identity: the target's identity.
        state: what the target calls its state (CONFIRMED, FORCE_CHANGE_PASSWORD, …).
        policy: what it demands of a password.
        notes: what a person should know, a sentence each.
    """

    identity: str
    state: str
    policy: PasswordPolicy
    notes: tuple[str, ...] = ()


class Target(Protocol):
    """Where the password is used.

    Every method sends each request once and never repeats it by itself: the engine waits and repeats, with the same
    password. Any method raises `RotationDenied` when AWS refuses the caller.
    """

    @property
    def identity(self) -> str:
        """A stable name ("cognito-user eu-west-1_Ab1/alice"): the key of lock and journal."""

    @property
    def needs_current(self) -> bool:
        """Whether only who knows the current password can set another (the user's own way)."""

    def examine(self) -> Account:
        """Look whether the password may be rotated; changes nothing.

        Raises:
            NotAllowed: it is not on the list of accounts that may be rotated.
            TargetUnfit: missing, disabled, federated, without a console password, in a state that setting would change.
            TargetUnavailable: unreachable or throttled.
        """

    def set_password(self, candidate: Secret, *, current: Secret | None) -> None:
        """Make the candidate the password, for good (Permanent).

        Args:
            candidate: the new password.
            current: the password until now, where `needs_current`.

        Raises an error that `answers_change` where the call itself was answered so, which says nothing of its effect.

        Raises:
            NewSecretRejected: the policy or the history refuses the candidate.
            CurrentRefused: `current` is not the password; nothing has changed.
            TargetUnavailable: throttled or not ready; nothing has changed.
            OutcomeUnknown: time-out, broken connection or 5xx; it may have changed.
            TargetUnfit: the account cannot be set this way (a challenge that nobody can answer).
        """

    def rehearse(self, current: Secret | None) -> Proof:
        """Find out, before anything is set, whether a password can be proved or set here; one sign-in may fail.

        Args:
            current: the password until now, where the vault keeps one.

        Returns:
            What it says of `current`; the detail is what a person should know.

        Raises:
            TargetUnfit: flow, app client or client secret do not fit, or a factor that nobody answers is in the way.
            TargetUnavailable: locked out, throttled or unreachable.
        """

    def release(self) -> None:
        """End the session that `rehearse` may have kept for `set_password`."""

    def prove(self, password: Secret) -> Proof:
        """Try to sign in, once; a lock-out, throttling or an unreachable target is UNDECIDED, not an error."""


@runtime_checkable
class SignsOut(Protocol):
    """A target that can end the sessions begun with the old password."""

    def sign_out(self) -> None:
        """End every session.

        Raises:
            TargetUnavailable: unreachable or throttled.
        """


@dataclass(frozen=True, slots=True)
class KeptPasswords:
    """What a vault keeps of one account.

    Args:
        current: what its readers take for the password; None if it never held one.
        pending: a candidate that may or may not be live already.
        previous: the password before.
    """

    current: Secret | None = None
    pending: Secret | None = None
    previous: Secret | None = None


class Vault(Protocol):
    """Where the password is kept, durably: what a method wrote is still there after a crash.

    Every method raises `VaultUnavailable`, `RotationDenied` or `VaultUnfit` (what is kept cannot be used: no JSON, a
    key missing, another account than the target's).
    """

    @property
    def name(self) -> str:
        """How messages name the vault."""

    def hold(self) -> AbstractContextManager[None]:
        """Keep other rotations of the account out for the length of a block.

        A vault that makes two rotations agree on one candidate by itself may let both in.

        Raises:
            RotationBusy: another one is inside.
        """

    def read(self) -> KeptPasswords:
        """Return what is kept."""

    def stage(self, candidate: Secret, *, policy: PasswordPolicy) -> Secret:
        """Keep a candidate as pending, and return what is pending now.

        Repeating it is harmless: a candidate that is already kept stays, and is what is returned.

        Args:
            candidate: the new password.
            policy: the demands that it meets.
        """

    def promote(self) -> None:
        """Make what is pending the current value, and the current one the previous; harmless when already done."""

    def discard_pending(self) -> None:
        """Forget what is pending. Only with proof that it is not live: this may be its only copy."""
