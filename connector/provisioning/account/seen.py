"""What is there of the AWS side, as it was read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connector.provisioning.design.documents import Document
from connector.provisioning.design.object_names import MANAGED_BY, POOL_TAG, THIS_PROGRAM


@dataclass(frozen=True, slots=True)
class Tagged:
    """An object with tags."""

    tags: Mapping[str, str]

    @property
    def is_ours(self) -> bool:
        """Whether this program made it."""
        return self.tags.get(MANAGED_BY) == THIS_PROGRAM

    def is_for(self, pool_arn: str) -> bool:
        """Tell whether this program made it for a pool."""
        return self.is_ours and self.tags.get(POOL_TAG) == pool_arn


@dataclass(frozen=True, slots=True)
class SeenPolicy(Tagged):
    """A managed policy.

    Args:
        document: of the version in force.
        other_versions: ids of the versions that are not, oldest first.
    """

    arn: str
    document: Document
    other_versions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeenRole(Tagged):
    """A role.

    Args:
        policies: ARNs of the attached policies.
        inline: names of the policies inside it.
        profiles: names of the instance profiles that give it to instances.
        boundary: ARN of the permissions boundary, empty if there is none.
    """

    arn: str
    trust: Document = field(repr=False)
    policies: tuple[str, ...]
    inline: tuple[str, ...]
    session_seconds: int
    boundary: str = ""


@dataclass(frozen=True, slots=True)
class SeenKey:
    """An access key of a user.

    Args:
        used: when it was last used, None if never (IAM updates it with some delay).
        service: where that was; IAM says `N/A` for nowhere.
        region: likewise.
    """

    key_id: str
    active: bool
    created: datetime
    used: datetime | None = None
    service: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class SeenUser(Tagged):
    """A user; see `SeenRole`."""

    arn: str
    policies: tuple[str, ...]
    inline: tuple[str, ...]
    groups: tuple[str, ...]
    keys: tuple[SeenKey, ...]
    boundary: str = ""

    def key(self, key_id: str) -> SeenKey | None:
        """Return one of its keys, None if it is not its own."""
        return next((key for key in self.keys if key.key_id == key_id), None)


@dataclass(frozen=True, slots=True)
class SeenProfile(Tagged):
    """An instance profile; `role` is empty while it gives none."""

    arn: str
    role: str


Seen = SeenPolicy | SeenRole | SeenUser | SeenProfile
