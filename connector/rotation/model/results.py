"""What a rotation tells: an outcome, a sentence, and JSON; never a secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connector.rotation.model.ports import Proof


class RotationOutcome(StrEnum):
    """How a rotation ended."""

    ROTATED = "rotated"
    """A new password was generated, set and promoted."""
    FINISHED = "finished"
    """What an earlier rotation had begun was brought to its end."""
    DISCARDED = "discarded"
    """What an earlier rotation had begun could not end, and was undone: the password is the one before."""
    NOTHING_PENDING = "nothing pending"
    """There was nothing to recover."""


@dataclass(frozen=True, slots=True)
class RotationResult:
    """A rotation that came to its end.

    Args:
        account: identity of the target.
        vault: name of the vault.
        outcome: how it ended.
        proof: what signing in with the password told, after a discard with the current one; None if nobody tried.
        notes: what a person should know, a sentence each.
    """

    account: str
    vault: str
    outcome: RotationOutcome
    proof: Proof | None = None
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the one document of the command."""
        return {
            "account": self.account,
            "vault": self.vault,
            "outcome": self.outcome.value,
            "proof": self.proof.verdict.value if self.proof else "not tried",
            "notes": [*self.notes, *([self.proof.detail] if self.proof and self.proof.detail else [])],
        }

    def sentence(self) -> str:
        """Return the result as one line."""
        if self.outcome is RotationOutcome.NOTHING_PENDING:
            return f"{self.account}: nothing is pending in {self.vault}."
        if self.outcome is RotationOutcome.DISCARDED:
            now = "the current one signs in" if self.proof else "no other is kept there, and none was set"
            return f"{self.account}: the pending password, refused and not live, is discarded from {self.vault}; {now}."
        proof = self.proof.verdict.value if self.proof else "not tried"
        return f"{self.account}: {self.outcome.value}; the new password is in {self.vault}; sign-in {proof}."


@dataclass(frozen=True, slots=True)
class Verification:
    """Which of the values that a vault keeps signs in.

    Args:
        account: identity of the target.
        vault: name of the vault.
        proofs: what each value that was tried told, by its label (pending, current, previous).
    """

    account: str
    vault: str
    proofs: Mapping[str, Proof]

    @property
    def live(self) -> str:
        """The label of the value that signs in; empty if none was proven to."""
        return next((label for label, proof in self.proofs.items() if proof.accepted), "")

    @property
    def ok(self) -> bool:
        """Whether readers of the vault find a password that signs in."""
        return self.live == "current"

    def as_json(self) -> dict[str, Any]:
        """Return the one document of the command."""
        return {
            "account": self.account,
            "vault": self.vault,
            "ok": self.ok,
            "live": self.live or None,
            "proofs": {label: proof.verdict.value for label, proof in self.proofs.items()},
            "notes": [f"{label}: {proof.detail}" for label, proof in self.proofs.items() if proof.detail],
        }

    def sentence(self) -> str:
        """Return the result as one line."""
        if self.ok:
            return f"{self.account}: the current value of {self.vault} signs in."
        tried = "; ".join(f"{label}: {proof.verdict.value}" for label, proof in self.proofs.items())
        if self.live == "pending":
            return f"{self.account}: the pending value of {self.vault} signs in; finish it with `rotate recover`."
        if self.live:
            return f"{self.account}: only the {self.live} value of {self.vault} signs in ({tried})."
        return f"{self.account}: no value of {self.vault} is proven to sign in ({tried or 'it keeps none'})."
