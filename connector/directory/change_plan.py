"""What a full sync would change, as plain data.

The plan says what is published, what was harvested, and the difference. Its digest names exactly these changes against
exactly this generation, so that people can speak about one plan and no other (P03).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class DirectorySource:
    """Where a directory was read: account, Region and pool, and the groups it was limited to (none = everything)."""

    account: str
    region: str
    pool_id: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Making:
    """How records became people: the mapping, each setting with its value as text, and the release that applied it.

    A directory that was published before this was recorded has an empty one.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    release: str = ""


UNRECORDED = Making()


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much a directory holds."""

    users: int = 0
    groups: int = 0
    memberships: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """How many resources of one kind come, change and go."""

    created: int = 0
    updated: int = 0
    removed: int = 0

    @property
    def growth(self) -> int:
        """By how many there are more than before."""
        return self.created - self.removed

    def __bool__(self) -> bool:
        return bool(self.created or self.updated or self.removed)


@dataclass(frozen=True, slots=True)
class GroupLoss:
    """Members that a group which stays would lose."""

    group: str
    removed: int
    published: int


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """The difference between the published generation and a complete harvest.

    Args:
        base: number of the published generation, 0 when there is none.
        making: how it was made, and how the published generation was.
        renamed: users that would be served under another userName, compared as importers do, without case.
        changed_emails: users whose published primary e-mail address would be another or none, likewise.
        emptied: groups that stay and would lose their last member.
        deactivated: users that are served as active and would be no longer.
        losses: every group that stays and would lose members.
        rejects: records of the harvest that cannot be served.
    """

    digest: str
    base: int
    source: DirectorySource
    published_source: DirectorySource | None
    published: Sizes
    harvested: Sizes
    users: Changes
    groups: Changes
    members_added: int = 0
    members_removed: int = 0
    making: Making = UNRECORDED
    published_making: Making = UNRECORDED
    renamed: int = 0
    changed_emails: int = 0
    emptied: int = 0
    deactivated: int = 0
    losses: tuple[GroupLoss, ...] = ()
    rejects: int = 0

    @property
    def changes_nothing(self) -> bool:
        """Whether the harvest is what is published already."""
        return bool(self.base) and not self.users and not self.groups

    @property
    def changes(self) -> int:
        """How many users, groups and memberships come, change and go."""
        resources = sum(one.created + one.updated + one.removed for one in (self.users, self.groups))
        return resources + self.members_added + self.members_removed

    @property
    def versions_ended(self) -> int:
        """How many versions of resources and memberships would no longer be served."""
        changed = self.users.updated + self.users.removed + self.groups.updated + self.groups.removed
        return changed + self.members_removed


def digest_of(base: int, source: DirectorySource, changes: Iterable[tuple[str, str, str, str]]) -> str:
    """Return the SHA-256 that names a plan.

    Args:
        base: number of the generation it was compared with.
        source: where the harvest was read.
        changes: kind, id, change and content digest of every resource that changes, in the order of kind and id.
    """
    sha = hashlib.sha256(json.dumps([base, asdict(source)]).encode())
    for change in changes:
        sha.update(json.dumps(change).encode())
    return sha.hexdigest()
