"""A pool that lives: people come, go, change and move while somebody reads; sometimes most of them seem to be gone."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from tests.fakes.population import Item, Listed, a_user

POISON = "poison"
"""What users are called that nobody must ever see: the harvests in which they are there are refused or fail."""

USERS, GROUPS = 240, 6
_Pairs = set[tuple[str, str]]


class LivingPool(Listed):
    """A population that is changed and read by several threads.

    Args:
        dice: decides what happens.
    """

    def __init__(self, dice: Random) -> None:
        self._lock = threading.RLock()
        self._dice = dice
        self._born = USERS
        names = [f"user{number}" for number in range(USERS)]
        groups = {f"group{number}": dice.sample(names, USERS // (number + 2)) for number in range(GROUPS)}
        super().__init__([a_user(name, given_name="Given", family_name="0") for name in names], groups)

    def drift(self) -> None:
        """Let something happen; a few times in a row, it stays within what the safeguard allows."""
        with self._lock:
            happenings = (self._come, self._go, self._change, self._move, self._join, self._leave, self._regroup)
            for happening in self._dice.choices(happenings, k=3):
                happening()

    @contextmanager
    def poisoned(self, *, emptied: bool) -> Iterator[None]:
        """Put somebody there who must not be seen, during the block; `emptied` hides most of the others."""
        with self._lock:
            self.add_user(a_user(POISON))
            self.add_member("group0", POISON)
            self.hidden = set(self.names()[: USERS * 3 // 4]) if emptied else set()
        try:
            yield
        finally:
            with self._lock:
                self.remove_user(POISON)
                self.hidden = set()

    def names(self) -> list[str]:
        """Name everybody but who must not be seen."""
        with self._lock:
            return [user["Username"] for user in self._users.values() if user["Username"] != POISON]

    def memberships(self) -> _Pairs:
        """Return who is where, group and user by name."""
        with self._lock:
            return {(name, one) for name, members in self._members.items() for one in members.values()}

    def _come(self) -> None:
        self._born += 1
        self.add_user(a_user(f"user{self._born}", given_name="Given", family_name="0"))

    def _go(self) -> None:
        if len(self.names()) > USERS * 9 // 10:
            self.remove_user(self._dice.choice(self.names()))

    def _change(self) -> None:
        user = self.user(self._dice.choice(self.names()))
        family = next(one for one in user["Attributes"] if one["Name"] == "family_name")
        family["Value"] = str(int(family["Value"]) + 1)
        user["UserLastModifiedDate"] += 1

    def _move(self) -> None:
        self.move_user(self._dice.choice(self.names()))

    def _join(self) -> None:
        group, user = self._dice.choice(sorted(self._members)), self._dice.choice(self.names())
        if user not in self._members[group].values():
            self.add_member(group, user)

    def _leave(self) -> None:
        group = self._dice.choice(sorted(self._members))
        if self._members[group]:
            self.remove_member(group, self._dice.choice(sorted(self._members[group].values())))

    def _regroup(self) -> None:
        """Take the last group away and make it anew, empty and with another date, which is another group."""
        self.remove_group(f"group{GROUPS - 1}")
        self._born += 1
        self.add_group(f"group{GROUPS - 1}", CreationDate=1_700_000_000.0 + self._born)

    def users_after(self, mark: int, limit: int) -> list[Item]:
        """See `Population`."""
        with self._lock:
            return super().users_after(mark, limit)

    def groups_after(self, mark: int, limit: int) -> list[Item]:
        """See `Population`."""
        with self._lock:
            return super().groups_after(mark, limit)

    def members_after(self, group: str, mark: int, limit: int) -> list[Item]:
        """See `Population`; a group that is gone by now has no members left."""
        with self._lock:
            found = super().members_after(group, mark, limit + len(self.hidden)) if group in self._members else []
            return [item for item in found if json.loads(item[1])["Username"] not in self.hidden][:limit]

    def group(self, name: str) -> str | None:
        """See `Population`."""
        with self._lock:
            return super().group(name)

    def find_users(self, attribute: str, value: str) -> list[Item]:
        """See `Population`."""
        with self._lock:
            return super().find_users(attribute, value)
