"""What the objects of the AWS side are called: as in the guide for OCI IAM, behind a prefix and below a path if wished.

Limits and characters: IAM User Guide, "IAM and STS quotas".
"""

import re
from dataclasses import dataclass

from connector.errors import SetUpUnfit

MANAGED_BY, THIS_PROGRAM = "managed-by", "cognito-scim"
"""The tag that says who made an object."""
POOL_TAG = "cognito-scim-pool"
"""The tag that says for which pool."""
_PREFIX = re.compile(r"[\w+=,.@-]{0,32}", re.ASCII)
_PATH = re.compile(r"/(?:[!-~]{1,510}/)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Names:
    """The names of everything that may be set up.

    Args:
        prefix: begins each name.
        path: begins and ends with a slash.
    """

    prefix: str = ""
    path: str = "/"

    @property
    def read_policy(self) -> str:
        """The policy of the six read actions."""
        return f"{self.prefix}cognitoAPIAccessPolicy"

    @property
    def role(self) -> str:
        """The role that reads the pool."""
        return f"{self.prefix}cognitoApiAccessRole"

    @property
    def assume_policy(self) -> str:
        """The policy that allows to assume that role."""
        return f"{self.prefix}assumeRolePolicy"

    @property
    def user(self) -> str:
        """The service user."""
        return f"{self.prefix}serviceAccountUser"

    @property
    def host_role(self) -> str:
        """The role, and the instance profile, of the machine or pod that the connector runs on."""
        return f"{self.prefix}cognitoConnectorHostRole"

    @property
    def feed_policy(self) -> str:
        """The policy of the change feed's queue."""
        return f"{self.prefix}cognitoChangeFeedPolicy"

    @property
    def rotation_policy(self) -> str:
        """The policy of rotations."""
        return f"{self.prefix}cognitoRotationPolicy"

    @property
    def rotation_role(self) -> str:
        """The role that rotates passwords."""
        return f"{self.prefix}cognitoRotationRole"

    @property
    def assume_rotation_policy(self) -> str:
        """The policy that allows to assume that role."""
        return f"{self.prefix}assumeRotationRolePolicy"


def parse_names(prefix: str, path: str) -> Names:
    """Return the names behind a prefix and below a path.

    Raises:
        SetUpUnfit: IAM would refuse them.
    """
    if not _PREFIX.fullmatch(prefix):
        raise SetUpUnfit(
            f"IAM allows no names that begin with {prefix!r}.",
            remedy="Take a prefix of at most 32 letters, digits and signs of _+=,.@-",
        )
    if not _PATH.fullmatch(path):
        raise SetUpUnfit(f"{path!r} is not a path of IAM.", remedy="It begins and ends with a slash: /connectors/")
    return Names(prefix, path)


def tags_for(pool_arn: str) -> dict[str, str]:
    """Return the tags of what is set up for a pool."""
    return {MANAGED_BY: THIS_PROGRAM, POOL_TAG: pool_arn}
