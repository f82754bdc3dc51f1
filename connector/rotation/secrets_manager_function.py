"""The rotation function of AWS Secrets Manager: the engine's phases as four steps, each of which may run again.

After any failure Secrets Manager runs the whole rotation again with the same token, from createSecret on ("Rotation by
Lambda function", user guide), so every step finds out for itself what is done already. Promises P26, P35.
"""

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import accumulate
from typing import Any, Protocol, Self

import boto3

from connector.errors import ConnectorError, VaultUnfit
from connector.rotation.aws.aws_clients import AwsDoor
from connector.rotation.engine.backoff import Backoff
from connector.rotation.engine.engine import AccountRotation
from connector.rotation.engine.password_change import Candidate
from connector.rotation.function.environment import read_environment
from connector.rotation.function.log import json_log
from connector.rotation.targets.secret_target import Deployment, open_user
from connector.rotation.vaults.secret_document import SecretDocument
from connector.rotation.vaults.secret_versions import CURRENT, PENDING, Labels, Order
from connector.rotation.vaults.secrets_manager import SecretsManagerVault

_SECRET_ID = re.compile(r"[A-Za-z0-9/_+=.@:!-]{1,2048}")
_TOKEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_DELAYS = (1, 2, 5, 10, 20)
_VAULT_DELAYS = (0.5, 1, 2)
_SHARE_FOR_WAITING = 0.5
"""Of the time that the function has left; calls need the rest."""


_UNCOUNTED = 60.0
"""Seconds that are taken for the time left where no context tells it."""


class LambdaContext(Protocol):
    """What Lambda says of the invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run."""


class Step(StrEnum):
    """The steps, in their order; the documents also write them with underscores."""

    CREATE = "createSecret"
    SET = "setSecret"
    TEST = "testSecret"
    FINISH = "finishSecret"


@dataclass(frozen=True, slots=True)
class StepRequest:
    """What Secrets Manager asks for.

    Args:
        step: which of the four.
        secret_id: name or ARN of the secret.
        version_id: the ClientRequestToken, which is the id of the new version.
        rotation_token: shows PutSecretValue that a rotation asks, where roles or accounts are crossed.
    """

    step: Step
    secret_id: str
    version_id: str
    rotation_token: str | None

    @classmethod
    def read(cls, event: Mapping[str, Any]) -> Self:
        """Return the invocation that an event describes.

        Raises:
            ValueError: it describes none.
        """
        secret_id, version_id = event.get("SecretId"), event.get("ClientRequestToken")
        if not (isinstance(secret_id, str) and _SECRET_ID.fullmatch(secret_id)):
            raise ValueError("The event names no secret (SecretId).")
        if not (isinstance(version_id, str) and _TOKEN.fullmatch(version_id)):
            raise ValueError("The event names no version (ClientRequestToken).")
        step = re.sub("_(s)", lambda found: found[1].upper(), str(event.get("Step")))
        if step not in list(Step):
            raise ValueError("The event names no step of a rotation (Step).")
        return cls(Step(step), secret_id, version_id, event.get("RotationToken"))


def handler(event: Mapping[str, Any], context: LambdaContext | None) -> None:
    """Run one step of a rotation; returning is success, and anything raised makes Secrets Manager try again.

    Args:
        event: what Secrets Manager sends.
        context: tells the time left; None where nobody counts it.

    Raises:
        ValueError: the event is none of a rotation that Secrets Manager has begun.
        ConnectorError: see `AccountRotation`.
    """
    asked = StepRequest.read(event)
    keys = {"secret_id": asked.secret_id, "rotation_step": asked.step.value, "version_id": asked.version_id}
    seconds_left = context.get_remaining_time_in_millis() / 1000 if context else _UNCOUNTED
    with json_log(**keys) as log:
        try:
            function = RotationFunction(_open_door(os.environ.get("AWS_REGION")), read_environment(os.environ))
            log.info(function.run(asked, seconds_left=seconds_left))
        except (ConnectorError, ValueError) as error:
            log.error("%s: %s", type(error).__name__, error)  # noqa: TRY400  a traceback may show values
            raise


def _open_door(region: str | None) -> AwsDoor:
    session = boto3.Session(region_name=region)
    if not session.region_name:
        raise ValueError("The function's environment names no Region (AWS_REGION).")
    return AwsDoor(session, session.region_name)


@dataclass(frozen=True, slots=True)
class RotationFunction:
    """The four steps.

    Args:
        door: reaches Secrets Manager and Cognito, as the function's role.
        deployment: what holds for every secret.
        now: the time, with its zone.
        sleep: waits for so many seconds.
    """

    door: AwsDoor
    deployment: Deployment
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep

    def run(self, asked: StepRequest, *, seconds_left: float) -> str:
        """Run one step, and return what was done as a sentence.

        Raises:
            ValueError: Secrets Manager has not begun this rotation.
            ConnectorError: see `AccountRotation`.
        """
        vault = self._vault(asked)
        labels = vault.labels()
        if _is_done(asked, labels, vault.name):
            return "The version is current already; nothing to do."
        if asked.step is Step.FINISH and labels.holder(CURRENT) is None:
            vault.promote()
            return "The version is current; there was none before."
        backoff = Backoff(_fitting_delays(seconds_left), self.sleep)
        if asked.step is not Step.CREATE:
            _await_value(vault, backoff)
        document = _document(vault)
        target = open_user(self.door, document.username, document, self.deployment, now=self.now, sleep=self.sleep)
        return _advance(asked.step, AccountRotation(target, vault, backoff=backoff))

    def _vault(self, asked: StepRequest) -> SecretsManagerVault:
        order = Order(asked.version_id, asked.rotation_token)
        backoff = Backoff(_VAULT_DELAYS, self.sleep)
        return SecretsManagerVault(self.door.secrets_manager(), asked.secret_id, order=order, backoff=backoff)


def _document(vault: SecretsManagerVault) -> SecretDocument:
    document = vault.document()
    if document is None:
        raise VaultUnfit(
            f"The {vault.name} has no current version.", remedy="Store clientid, username and password in it."
        )
    return document


def _is_done(asked: StepRequest, labels: Labels, name: str) -> bool:
    """Check that Secrets Manager has begun this rotation, in the order of its own templates.

    Raises:
        ValueError: it has not.
    """
    if labels.rotation_enabled is False:  # absent, it was never said: a rotation may be tested before it is scheduled
        raise ValueError(f"The rotation of the {name} is switched off.")
    stages = labels.stages.get(asked.version_id)
    if stages is None:
        raise ValueError(f"The version has no stage for the rotation of the {name}.")
    if CURRENT in stages:
        return True
    if PENDING not in stages:
        raise ValueError(f"The version is not staged as {PENDING} for the rotation of the {name}.")
    return False


def _advance(step: Step, rotation: AccountRotation) -> str:
    candidate = rotation.prepare()
    if step is Step.CREATE:
        return _describe("a new password is pending" if candidate.fresh else "what is pending is kept", candidate)
    if step is Step.SET:
        was_live = rotation.apply(candidate) is not None
        return _describe("the pending password is live" if was_live else "the pending password is set", candidate)
    proof = rotation.confirm(candidate)
    if step is Step.FINISH:  # proved once more, so that no order of the steps makes a dead password current
        rotation.promote(candidate.account.identity)
    done = "the new password is current" if step is Step.FINISH else "the pending password was tried"
    return f"{candidate.account.identity}: {done}; sign-in {proof.verdict.value}. {proof.detail}".strip()


def _await_value(vault: SecretsManagerVault, backoff: Backoff) -> None:
    """Wait until what createSecret has put can be read (aws-sdk-js-v3#7701).

    Raises:
        VaultUnfit: it never could.
    """
    for _ in backoff.attempts():
        if vault.read().pending is not None:
            return
    raise VaultUnfit(
        f"The pending version of the {vault.name} has no value.",
        remedy="Rotate the secret again; if it was not Secrets Manager who called this step, let it.",
    )


def _describe(done: str, candidate: Candidate) -> str:
    return " ".join((f"{candidate.account.identity}: {done}.", *candidate.account.notes))


def _fitting_delays(seconds_left: float) -> tuple[float, ...]:
    """Return as many delays as the function has time for."""
    ends = accumulate(_DELAYS)
    return tuple(delay for delay, end in zip(_DELAYS, ends, strict=True) if end <= seconds_left * _SHARE_FOR_WAITING)
