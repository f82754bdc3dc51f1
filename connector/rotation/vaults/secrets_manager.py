"""AWS Secrets Manager as a vault: AWSPENDING, AWSCURRENT and AWSPREVIOUS are the three values.

A version's id is the ClientRequestToken it was put under, and its content never changes (API reference:
PutSecretValue): that leads two rotations which begin together to one candidate. Read by version id, never by label.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from connector.errors import (
    OutcomeUnknown,
    RotationBusy,
    RotationError,
    TargetUnavailable,
    TargetUnfit,
    VaultUnavailable,
    VaultUnfit,
)
from connector.rotation.aws.errors import AwsCall, aws_error_code, rotation_faults
from connector.rotation.engine.backoff import Backoff
from connector.rotation.model.policy import PasswordPolicy
from connector.rotation.model.ports import KeptPasswords
from connector.rotation.model.secret import Secret
from connector.rotation.vaults.secret_document import SecretDocument
from connector.rotation.vaults.secret_versions import CURRENT, PENDING, PREVIOUS, Labels, Order, Owner, Shown

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import PutSecretValueRequestTypeDef, UpdateSecretVersionStageRequestTypeDef

Answer = TypeVar("Answer")
_log = logging.getLogger(__name__)


class SecretsManagerVault:
    """One secret, which holds an account as JSON.

    Args:
        client: reaches Secrets Manager.
        secret_id: name or ARN of the secret.
        owner: the account it has to be about; None takes the secret's word for it.
        order: what Secrets Manager ordered; None rotates in place.
        backoff: how long one call is tried; each may be repeated.
    """

    def __init__(
        self,
        client: "SecretsManagerClient",
        secret_id: str,
        *,
        owner: Owner | None = None,
        order: Order | None = None,
        backoff: Backoff = Backoff(delays=(0.5, 1, 2)),
    ) -> None:
        self._client = client
        self._secret_id = secret_id
        self._owner = owner
        self._order = order
        self._backoff = backoff
        self._shown: Shown | None = None

    @property
    def name(self) -> str:
        """How messages name the secret."""
        return f"secret {self._secret_id}"

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Rotate in place only what no function rotates; the version's id keeps two of us on one candidate."""
        if self.labels().rotation_enabled:
            raise VaultUnfit(
                f"The {self.name} is rotated by its own function.",
                remedy=f"Run `cognito-scim rotate secret {self._secret_id}`, which asks Secrets Manager to do it.",
            )
        yield

    def labels(self) -> Labels:
        """Return where the labels are."""
        told = self._ask("DescribeSecret", lambda: self._client.describe_secret(SecretId=self._secret_id))
        stages = {version: frozenset(labels) for version, labels in told.get("VersionIdsToStages", {}).items()}
        return Labels(told["ARN"], stages, told.get("RotationEnabled"))

    def document(self, label: str = CURRENT) -> SecretDocument | None:
        """Return what the version under a label says, None if there is none or it is empty."""
        return self._document(self.labels().holder(label))

    def read(self) -> KeptPasswords:
        """Return the three passwords.

        Raises:
            VaultUnfit: no JSON, a key is missing, it is about another account, or the pending value is.
        """
        labels = self.labels()
        current = self._current(labels)
        version = self._order.version if self._order and labels.pending else labels.pending
        pending = self._document(version)
        self._shown = Shown(version, pending.password, labels.holder(CURRENT)) if version and pending else None
        if pending is not None and pending.account != current.account:
            raise VaultUnfit(
                f"In the {self.name}, the pending version is about another account than the current one.",
                remedy="Remove AWSPENDING from it, or correct username, client and pool; then rotate again.",
            )
        return KeptPasswords(current.password, pending.password if pending else None, self._previous(labels, current))

    def stage(self, candidate: Secret, *, policy: PasswordPolicy) -> Secret:
        """Put the candidate under AWSPENDING, every other key as in the current version."""
        _log.debug("%s: staging under policy %s", self.name, policy.digest())
        labels = self.labels()
        text = self._current(labels).with_password(candidate)
        for version in self._versions(labels):
            self._shown = Shown(version, candidate, labels.holder(CURRENT))
            if self._put(version, text):
                return candidate
            there = self._document(version)
            if there is not None and (self._order or self.labels().pending == version):
                self._shown = Shown(version, there.password, labels.holder(CURRENT))
                return there.password
            if self.labels().holder(CURRENT) != labels.holder(CURRENT):
                break
        raise self._busy()

    def promote(self) -> None:
        """Move AWSCURRENT to the version that was read or staged; AWS moves AWSPREVIOUS along.

        Raises:
            OutcomeUnknown: another version is pending or current meanwhile, or the candidate's is gone.
        """
        labels = self.labels()
        ordered = Shown(self._order.version, None, labels.holder(CURRENT)) if self._order else None
        shown = self._shown or ordered
        if shown is None:
            return
        is_next = labels.holder(CURRENT) == shown.follows and labels.pending in (None, shown.version)
        is_done = labels.holder(CURRENT) == shown.version
        if not (is_done or is_next) or not self._is_kept(shown):
            raise self._overtaken(shown)
        if not is_done:
            self._make_current(shown)

    def _make_current(self, shown: Shown) -> None:
        try:
            self._move(CURRENT, to=shown.version, start=shown.follows)
        except (VaultUnfit, VaultUnavailable) as error:
            if self.labels().holder(CURRENT) == shown.version:  # the reply to a move that was made may have been lost
                return
            raise self._overtaken(shown) if isinstance(error, VaultUnfit) else error from None

    def _is_kept(self, shown: Shown) -> bool:
        there = self._document(shown.version) if shown.password else None
        return shown.password is None or (there is not None and there.password == shown.password)

    def discard_pending(self) -> None:
        """Take AWSPENDING away from the version that was read or staged.

        Raises:
            RotationBusy: another one is pending meanwhile.
        """
        version = self.labels().pending
        if version is None or self._shown is None:
            return
        if version != self._shown.version or not self._is_kept(self._shown):
            raise self._busy()
        self._move(PENDING, to=None, start=version)

    def _busy(self) -> RotationBusy:
        return RotationBusy(
            f"The {self.name} was rotated by somebody else meanwhile.", remedy="Look at it; rotate again if need be."
        )

    def _overtaken(self, shown: Shown) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"The {self.name} was changed by somebody else, and the new password in its version {shown.version} could"
            " not be made current.",
            remedy="`cognito-scim rotate verify` tells which value signs in. If none does, look for that version"
            " (list-secret-version-ids --include-deprecated), or rotate again as administrator.",
        )

    def _current(self, labels: Labels) -> SecretDocument:
        current = self._document(labels.holder(CURRENT))
        if current is None:
            raise VaultUnfit(
                f"The {self.name} has no current version.",
                remedy="Store the account in it: a JSON object with username and password.",
            )
        if self._owner is not None:
            self._owner.require(current, self.name)
        return current

    def _previous(self, labels: Labels, current: SecretDocument) -> Secret | None:
        """Return the password before, where it is one of the same account; it is a help, and nothing hangs on it."""
        try:
            previous = self._document(labels.holder(PREVIOUS))
        except VaultUnfit:
            return None
        return previous.password if previous and previous.account == current.account else None

    def _document(self, version: str | None) -> SecretDocument | None:
        """Return what a version says, None if it has no value (a rotation was announced and nothing put)."""
        if version is None:
            return None
        told = self._ask(
            "GetSecretValue",
            lambda: _unless(
                "ResourceNotFoundException",
                lambda: self._client.get_secret_value(SecretId=self._secret_id, VersionId=version),
            ),
        )
        return SecretDocument.read(told.get("SecretString", "")) if told else None

    def _versions(self, labels: Labels) -> Iterator[str]:
        """Yield ids for the new version: that of the rotation, or the same ones for all who rotate this version."""
        if self._order:
            yield self._order.version
            return
        for number in count(1):
            seed = f"{labels.arn}\n{labels.holder(CURRENT)}\n{number}"
            yield hashlib.sha256(seed.encode()).hexdigest()

    def _put(self, version: str, text: str) -> bool:
        """Put a version under AWSPENDING; False if another one has this id."""
        request: PutSecretValueRequestTypeDef = {
            "SecretId": self._secret_id,
            "ClientRequestToken": version,
            "SecretString": text,
            "VersionStages": [PENDING],
        }
        if self._order and self._order.rotation_token:
            request["RotationToken"] = self._order.rotation_token
        put = partial(self._client.put_secret_value, **request)
        return self._ask("PutSecretValue", lambda: _unless("ResourceExistsException", put)) is not None

    def _move(self, label: str, *, to: str | None, start: str | None) -> None:
        request: UpdateSecretVersionStageRequestTypeDef = {"SecretId": self._secret_id, "VersionStage": label}
        if to is not None:
            request["MoveToVersionId"] = to
        if start is not None:  # without a holder the key has to be absent
            request["RemoveFromVersionId"] = start
        self._ask("UpdateSecretVersionStage", lambda: self._client.update_secret_version_stage(**request))

    def _ask(self, operation: str, call: Callable[[], Answer]) -> Answer:
        """Call AWS until it answers; each of these calls may be repeated."""
        fault: RotationError
        for _ in self._backoff.attempts():
            try:
                with rotation_faults(AwsCall(f"secretsmanager:{operation}", self.name)):
                    return call()
            except TargetUnavailable as error:
                fault = VaultUnavailable(error.message, remedy=error.remedy)
            except TargetUnfit as error:
                raise VaultUnfit(error.message, remedy=error.remedy) from None
        raise fault


def _unless(code: str, call: Callable[[], Answer]) -> Answer | None:
    """Return what a call answers, None if it is this refusal."""
    try:
        return call()
    except ClientError as error:
        if aws_error_code(error) == code:
            return None
        raise
