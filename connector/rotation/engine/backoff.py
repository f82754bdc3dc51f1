"""How long a rotation tries, and how often it may fail to sign in.

Cognito locks an account out after five failures, for 2^(n-5) seconds (developer guide, "Lockout behavior").
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from connector.rotation.model.ports import Proof, Target, Verdict
from connector.rotation.model.secret import Secret

REFUSALS_AT_MOST = 4
"""One fewer than lock an account out."""
_JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long is waited for a target, in seconds.

    Args:
        delays: between one attempt and the next; one attempt more than there are delays.
        sleep: waits.
    """

    delays: tuple[float, ...] = (1, 2, 5, 10)
    sleep: Callable[[float], None] = time.sleep

    def attempts(self) -> Iterator[int]:
        """Yield the number of each attempt, waiting between them."""
        yield 1
        for number, delay in enumerate(self.delays, start=2):
            self.sleep(delay * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311  spreads load, guards nothing
            yield number


class LimitedSignIns:
    """Sign-ins that stop before the account would be locked out."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._refusals = 0

    @property
    def one_left(self) -> bool:
        """Whether only one more sign-in may fail."""
        return self._refusals >= REFUSALS_AT_MOST - 1

    def rehearse(self, current: Secret | None) -> Proof:
        """Find out whether a sign-in proves anything here; see `Target.rehearse`."""
        proof = self._target.rehearse(current)
        self._count(proof)
        return proof

    def prove(self, password: Secret) -> Proof:
        """Try a password once, unless one more failure could lock the account out."""
        if self._refusals >= REFUSALS_AT_MOST:
            return Proof(Verdict.UNDECIDED, "not tried: one more failed sign-in could lock the account out")
        proof = self._target.prove(password)
        self._count(proof)
        return proof

    def count_refusal(self) -> None:
        """Count a failed sign-in that the target made by itself."""
        self._refusals += 1

    def _count(self, proof: Proof) -> None:
        if proof.verdict is Verdict.REFUSED:
            self.count_refusal()
        elif proof.accepted:
            self._refusals = 0
