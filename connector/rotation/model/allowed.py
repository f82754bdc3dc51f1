"""Only accounts that were named may be rotated: a wrong name must not lock a person out."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from connector.errors import NotAllowed


@dataclass(frozen=True, slots=True)
class Allowed:
    """The accounts that may be rotated.

    Args:
        names: of accounts, or of groups whose members may be.
        everyone: no list is kept here, because another one is: who may call a rotation function, or hold a record.
    """

    names: frozenset[str] = frozenset()
    everyone: bool = False

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
            called: its names.
            groups: reads the names of its groups; asked only where no name is on the list.
            is_group: tells whether a name on the list is a group's, which then stands for its members only.

        Raises:
            NotAllowed: neither it nor a group of its is on the list.
        """
        if self.everyone or not all(is_group(name) for name in self.names.intersection(called)):
            return
        if not self.names or self.names.isdisjoint(groups()):
            raise NotAllowed(
                f"{account} is not on the list of accounts that may be rotated.",
                remedy="Name the user, or a group that it is in, in rotation.allow.",
            )


EVERYONE = Allowed(everyone=True)
"""Where another list decides."""
