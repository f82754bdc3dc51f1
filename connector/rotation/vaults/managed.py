"""Ask Secrets Manager to rotate a secret by its own function, and wait for the end (API reference: RotateSecret)."""

import uuid
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from connector.errors import OutcomeUnknown, RotationBusy
from connector.rotation.aws.errors import AwsCall, aws_error_code, rotation_faults
from connector.rotation.engine.backoff import Backoff
from connector.rotation.model.results import RotationOutcome, RotationResult
from connector.rotation.vaults.secret_versions import CURRENT
from connector.rotation.vaults.secrets_manager import SecretsManagerVault

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_secretsmanager import SecretsManagerClient

_PROOF = "The secret's own function has set the password and proved it."


def rotate_managed(client: "SecretsManagerClient", secret_id: str, *, backoff: Backoff) -> RotationResult:
    """Let Secrets Manager rotate a secret, until its new version is current.

    Args:
        client: reaches Secrets Manager.
        secret_id: name or ARN of the secret.
        backoff: how long the end is waited for.

    Raises:
        RotationBusy: Secrets Manager is still at an earlier rotation.
        OutcomeUnknown: it has not come to its end.
    """
    vault = SecretsManagerVault(client, secret_id)
    version = _begin(client, vault.name, secret_id)
    for _ in backoff.attempts():
        if CURRENT in vault.labels().stages.get(version, ()):
            return RotationResult(vault.name, vault.name, RotationOutcome.ROTATED, notes=(_PROOF,))
    raise OutcomeUnknown(
        f"The {vault.name} is still being rotated.",
        remedy="Secrets Manager tries again by itself. The log of the secret's function says what holds it up.",
    )


def _begin(client: "SecretsManagerClient", name: str, secret_id: str) -> str:
    version = str(uuid.uuid4())
    with rotation_faults(AwsCall("secretsmanager:RotateSecret", name)):
        try:
            client.rotate_secret(SecretId=secret_id, ClientRequestToken=version)
        except ClientError as error:
            if aws_error_code(error) != "InvalidRequestException":
                raise
            raise RotationBusy(
                f"Secrets Manager does not begin to rotate the {name}: an earlier rotation is not complete.",
                remedy="It tries that one again by itself. The log of the secret's function says what holds it up.",
            ) from None
    return version
