"""What both plugins need of a Keeper Gateway: values as they come, the engine between them, errors as it shows them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import boto3
from kdnrm.exceptions import SaasException
from kdnrm.log import Log
from kdnrm.secret import Secret as KeeperSecret

from connector.errors import (
    ConnectorError,
    CurrentRefused,
    NewSecretRejected,
    NotAllowed,
    OutcomeUnknown,
    RotationDenied,
    RotationError,
    TargetUnavailable,
    TargetUnfit,
)
from connector.rotation.aws.aws_clients import AwsDoor
from connector.rotation.engine.backoff import Backoff
from connector.rotation.engine.engine import AccountRotation
from connector.rotation.engine.password_change import Candidate
from connector.rotation.engine.rollback import can_roll_back, roll_back
from connector.rotation.model.policy import PasswordPolicy
from connector.rotation.model.ports import Account, KeptPasswords, Target
from connector.rotation.model.secret import Secret

UNTOUCHED = (CurrentRefused, NewSecretRejected, NotAllowed, RotationDenied, TargetUnavailable, TargetUnfit)
"""What ends an attempt that changed nothing, as a sign-in has shown; in any doubt the engine raises OutcomeUnknown."""
_ROLL_BACK = (
    "Keeper now rolls back, where that is switched on. Should that fail too, set a password as administrator and store"
    " it in the record."
)


class Change:
    """One change of a password that the Gateway asks for, and the way back.

    Args:
        target: whose password it is.
        new: the password that the Gateway made, and keeps when this succeeds.
        prior: the password before, where the vault has it.
        backoff: how long is tried.
    """

    def __init__(self, target: Target, *, new: Secret, prior: Secret | None, backoff: Backoff = Backoff()) -> None:
        self._target = target
        self._new = new
        self._prior = prior
        self._backoff = backoff
        self._without_effect = False

    def make(self) -> None:
        """Set the new password and prove it.

        Raises:
            NewSecretRejected: the policy, looked up before anything is sent, or the target refuses it.
            ConnectorError: see `AccountRotation`.
        """
        kept = KeptPasswords(current=self._prior, pending=self._new)
        rotation = AccountRotation(self._target, GatewayVault(kept), backoff=self._backoff)
        try:
            account = rotation.rehearse(self._target.examine(), kept)
            candidate = self._prepare(account, kept)
            proof = rotation.apply(candidate)
        except OutcomeUnknown as error:
            raise OutcomeUnknown(error.message, remedy=_ROLL_BACK) from error
        except UNTOUCHED:
            self._without_effect = True
            raise
        try:
            proof = proof or rotation.confirm(candidate)
        except RotationError as error:
            raise type(error)(error.message, remedy=_ROLL_BACK) from error
        Log.info(f"{account.identity}: the password is changed; {proof.verdict.value}. {proof.detail}".strip())

    def can_be_undone(self) -> bool:
        """Return whether the password before could be set again; False if that cannot be found out."""
        try:
            return can_roll_back(self._target.examine(), self._prior)
        except ConnectorError as error:
            Log.warning(f"No rollback: {error}")
            return False

    def undo(self) -> None:
        """Make the password before the password again; nothing, if the change had no effect.

        Raises:
            NoWayBack: it cannot be; the message says which password is live.
        """
        if self._without_effect:
            Log.info("Nothing to roll back: the password was not changed.")
            return
        result = roll_back(
            self._target, prior=self._prior, new=self._new, vault=GatewayVault.name, backoff=self._backoff
        )
        said = f"{result.proof.verdict.value}. {result.proof.detail}".strip() if result.proof else ""
        Log.info(f"{result.account}: the prior password is set again; {said}")

    def _prepare(self, account: Account, kept: KeptPasswords) -> Candidate:
        for note in account.notes:
            Log.warning(note)
        faults = account.policy.faults(self._new) if account.policy.known else ()
        if faults:
            raise NewSecretRejected(
                f"{account.identity}: the new password does not meet the policy: {'; '.join(faults)}.",
                remedy="Nothing was changed. Set the complexity of the Keeper record accordingly.",
            )
        if not can_roll_back(account, self._prior):
            Log.warning("This change cannot be rolled back: the prior password is unknown, or may not be used again.")
        return Candidate(account, GatewayVault.name, kept, self._new, fresh=True)


class GatewayVault:
    """The Gateway as the engine's vault: it made the candidate, and keeps it once the plugin has returned."""

    name = "the Keeper vault"

    def __init__(self, kept: KeptPasswords) -> None:
        self._kept = kept

    def hold(self) -> AbstractContextManager[None]:
        """Keep nobody out: the Gateway runs one rotation of a record at a time."""
        return nullcontext()

    def read(self) -> KeptPasswords:
        """Return what the Gateway gave."""
        return self._kept

    def stage(self, candidate: Secret, *, policy: PasswordPolicy) -> Secret:  # noqa: ARG002 - the Gateway's stays
        """Return the Gateway's candidate."""
        return self._kept.pending or candidate

    def promote(self) -> None:
        """Leave it to the Gateway."""

    def discard_pending(self) -> None:
        """Leave it to the Gateway."""


def read_text(value: Any) -> str | None:
    """Return the one text in a value as Gateways and `plugin_test` give it, or None.

    Seen in the wild: None, Secret(None), a text, and one-element tuples and lists of them.
    """
    inside = KeeperSecret.get_value(value)
    if isinstance(inside, tuple | list):
        texts = {read_text(one) for one in inside} - {None}
        return texts.pop() if len(texts) == 1 else None
    return inside if isinstance(inside, str) and inside else None


def read_passwords(user: Any) -> tuple[Secret, Secret | None]:
    """Return the new password and the one before, which may be unknown.

    Raises:
        SaasException: there is no new one.
    """
    new, prior = read_text(user.new_password), read_text(user.prior_password)
    if new is None:
        raise SaasException("The Gateway gave no new password.")
    return Secret(new), Secret(prior) if prior is not None else None


def open_door(config: Any, provider: Any, region: str) -> AwsDoor:
    """Return AWS with the credentials of the record, else of the PAM configuration, else of the Gateway's host.

    Args:
        config: `get_config` of the plugin.
        provider: the PAM AWS configuration, if the plugin may use it.
        region: such as `eu-west-1`.

    Raises:
        SaasException: half of a credential is missing.
    """
    key_id, secret = read_text(config("aws_access_key_id")), read_text(config("aws_secret_access_key"))
    if key_id is None and secret is None:
        key_id = read_text(getattr(provider, "aws_access_key_id", None))
        secret = read_text(getattr(provider, "aws_secret_access_key", None))
    if (key_id is None) != (secret is None):
        raise SaasException("AWS Access Key ID and AWS Secret Access Key are needed both, or neither.")
    session = boto3.Session(aws_access_key_id=key_id, aws_secret_access_key=secret, region_name=region)
    return AwsDoor(session, region)


def find_region(config: Any, provider: Any) -> str | None:
    """Return the Region of the record, under either of its labels, else the first of the PAM configuration."""
    names = getattr(provider, "region_names", None) or ()
    first = names.split()[0] if isinstance(names, str) else next(iter(names), None)
    return read_text(config("cloud_region")) or read_text(config("aws_region")) or read_text(first)


@contextmanager
def told_to_keeper() -> Iterator[None]:
    """Tell the Gateway what went wrong in its own error, which names accounts and remedies and no secret."""
    try:
        yield
    except ConnectorError as error:
        Log.error(f"{type(error).__name__}: {error}")
        raise SaasException(str(error), code=f"cognito_scim_{type(error).__name__}") from None
