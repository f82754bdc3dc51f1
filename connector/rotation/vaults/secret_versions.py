"""Which versions a secret of AWS Secrets Manager has, by their labels, and which account they have to be about."""

from collections.abc import Mapping
from dataclasses import dataclass

from connector.errors import VaultUnfit
from connector.rotation.model.secret import Secret
from connector.rotation.vaults.secret_document import SecretDocument

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"


@dataclass(frozen=True, slots=True)
class Owner:
    """The account that a secret has to be about.

    Args:
        username: its name.
        user_pool_id: its pool; None for an IAM user.
    """

    username: str
    user_pool_id: str | None = None

    def require(self, document: SecretDocument, secret: str) -> None:
        """Compare a secret with it.

        Raises:
            VaultUnfit: the secret is about another account.
        """
        if document.username != self.username or document.user_pool_id not in (None, self.user_pool_id):
            raise VaultUnfit(
                f"{secret} keeps the password of another account than {self.username}.",
                remedy="Name the secret of this account, or correct username and user_pool_id in the secret.",
            )


@dataclass(frozen=True, slots=True)
class Labels:
    """Where a secret's labels are (API reference: DescribeSecret).

    Args:
        arn: the secret's ARN.
        stages: the labels of each version that has any.
        rotation_enabled: whether a function rotates it; None if it was never said.
    """

    arn: str
    stages: Mapping[str, frozenset[str]]
    rotation_enabled: bool | None = None

    def holder(self, label: str) -> str | None:
        """Return the version that has a label."""
        return next((version for version, labels in self.stages.items() if label in labels), None)

    @property
    def pending(self) -> str | None:
        """The version that is pending; one that is current too is pending no more."""
        version = self.holder(PENDING)
        return None if version == self.holder(CURRENT) else version


@dataclass(frozen=True, slots=True)
class Shown:
    """The candidate that a vault has shown, so that no other one is promoted or discarded in its place.

    Args:
        version: id of its version, which another value may get once AWS has deleted this one.
        password: the candidate; None where Secrets Manager names the version and nobody looked into it.
        follows: the version that was current then; None if none was.
    """

    version: str
    password: Secret | None
    follows: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """A rotation that Secrets Manager runs, step by step.

    Args:
        version: id of the new version (ClientRequestToken).
        rotation_token: what PutSecretValue has to show where the rotation crosses roles or accounts.
    """

    version: str
    rotation_token: str | None = None
