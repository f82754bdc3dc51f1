"""Only accounts that were named may be rotated: a wrong name must not lock a person out."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from connector.errors import NotAllowed


@dataclass(frozen=True, slots=True)
class Allowed:
    """The accounts that may be rotated.

    Args:
        names: of accounts, or of groups whose members may be.
        patterns: of names of accounts, in which `*` stands for any characters.
        groups: whose members may be.
        everyone: no list is kept here, because another one decides, such as who may hold a record.
        where: what the list is called where it is configured.
    """

    names: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()
    groups: frozenset[str] = frozenset()
    everyone: bool = False
    where: str = "rotation.allow"

    @classmethod
    def only(cls, names: Iterable[str]) -> "Allowed":
        """Allow these names."""
        return cls(names=frozenset(names))

    def check(
        self,
        account: str,
        *,
        called: Iterable[str],
        groups: Callable[[], Iterable[str]],
        is_group: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Let an account pass, or not.

        Args:
            account: as messages name it.
            called: its names, the last one its own: an alias, which users may choose, fits no pattern.
            groups: reads the names of its groups; asked only where no name is on the list.
            is_group: says whether a name on the list is a group's, which then stands for its members only.

        Raises:
            NotAllowed: neither it nor a group that it is in is on the list.
        """
        names = tuple(called)
        if self.everyone or not all(is_group(name) for name in self.names.intersection(names)):
            return
        if any(_fits(pattern, name) for pattern in self.patterns for name in names[-1:]):
            return
        of_groups = self.names | self.groups
        if not of_groups or of_groups.isdisjoint(groups()):
            raise NotAllowed(
                f"{account} is not on the list of accounts that may be rotated.",
                remedy=f"Name the user, or a group that it is in, in {self.where}.",
            )


def _fits(pattern: str, name: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name, re.DOTALL) is not None


EVERYONE = Allowed(everyone=True)
"""Where another list decides."""
NOBODY = Allowed()
"""Where no list was given."""
