"""Who is in a simulated pool: listed one by one for tests, or made up on the way for measurements.

Marks take the place of Cognito's keys: a page begins after a mark, so that somebody removed before it shifts nobody.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol
from uuid import NAMESPACE_URL, uuid5

CREATED = 1_700_000_000.0
Item = tuple[int, str]


class Population(Protocol):
    """What the list operations need; an item is a mark and the JSON of a user or group."""

    def users_after(self, mark: int, limit: int) -> list[Item]:
        """Return the users behind a mark."""

    def groups_after(self, mark: int, limit: int) -> list[Item]:
        """Return the groups behind a mark."""

    def members_after(self, group: str, mark: int, limit: int) -> list[Item]:
        """Return the members of a group behind a mark."""

    def group(self, name: str) -> str | None:
        """Return the JSON of a group."""

    def groups_of(self, username: str) -> list[Item]:
        """Return the groups of a user."""

    def find_users(self, attribute: str, value: str) -> list[Item]:
        """Return the users with this value of an attribute."""


def a_user(
    username: str,
    *,
    sub: str | None = None,
    enabled: bool = True,
    status: str = "CONFIRMED",
    attributes: Mapping[str, str] | None = None,
    **more: str,
) -> dict[str, Any]:
    """Return a user as the Cognito API shows one; `more` are attributes whose names Python can spell."""
    values = {"sub": sub or str(uuid5(NAMESPACE_URL, username)), **(attributes or {}), **more}
    return {
        "Username": username,
        "Attributes": [{"Name": name, "Value": value} for name, value in values.items()],
        "UserCreateDate": CREATED,
        "UserLastModifiedDate": CREATED,
        "Enabled": enabled,
        "UserStatus": status,
    }


def people(count: int) -> list[dict[str, Any]]:
    """Return users p0, p1, … with an e-mail address each."""
    return [a_user(f"p{number}", email=f"p{number}@corp.local") for number in range(count)]


class Listed:
    """A small population that tests change at will; names are those of the API."""

    def __init__(self, users: Iterable[dict[str, Any]] = (), groups: Mapping[str, Iterable[str]] | None = None) -> None:
        self._marks = iter(range(10**9))
        self._users: dict[int, dict[str, Any]] = {}
        self._members: dict[str, dict[int, str]] = {}
        self._groups: dict[str, tuple[int, dict[str, Any]]] = {}
        self.hidden: set[str] = set()
        self.concealed: set[str] = set()
        for user in users:
            self.add_user(user)
        for name, usernames in (groups or {}).items():
            self.add_group(name, usernames)

    def add_user(self, user: dict[str, Any]) -> None:
        """Put a user behind all others."""
        self._users[next(self._marks)] = user

    def remove_user(self, username: str) -> None:
        """Take a user out of the pool and of every group."""
        self._users = {mark: user for mark, user in self._users.items() if user.get("Username") != username}
        for name in self._members:
            self.remove_member(name, username)

    def move_user(self, username: str) -> None:
        """Put a user behind all others, as when its key changes while somebody walks."""
        user = self.user(username)
        self._users = {mark: one for mark, one in self._users.items() if one is not user}
        self.add_user(user)

    def hide_user(self, username: str) -> None:
        """Leave a user out of ListUsers only: the list operations are eventually consistent."""
        self.hidden.add(username)

    def conceal(self, username: str) -> None:
        """Leave a user out of every answer of ListUsers, a filtered one included."""
        self.hidden.add(username)
        self.concealed.add(username)

    def user(self, username: str) -> dict[str, Any]:
        """Return a user, to be changed in place."""
        return next(user for user in self._users.values() if user.get("Username") == username)

    def add_group(self, name: str, usernames: Iterable[str] = (), **details: Any) -> None:
        """Put a group behind all others."""
        shown = {"GroupName": name, "CreationDate": CREATED, "LastModifiedDate": CREATED, **details}
        self._groups[name] = (next(self._marks), shown)
        self._members[name] = {next(self._marks): username for username in usernames}

    def remove_group(self, name: str) -> None:
        """Take a group away."""
        del self._groups[name], self._members[name]

    def group_details(self, name: str) -> dict[str, Any]:
        """Return a group, to be changed in place."""
        return self._groups[name][1]

    def add_member(self, group: str, username: str) -> None:
        """Put a user into a group."""
        self._members[group][next(self._marks)] = username

    def remove_member(self, group: str, username: str) -> None:
        """Take a user out of a group."""
        self._members[group] = {mark: one for mark, one in self._members[group].items() if one != username}

    def users_after(self, mark: int, limit: int) -> list[Item]:
        """Return the users behind a mark."""
        shown = ((at, user) for at, user in self._users.items() if user.get("Username") not in self.hidden)
        return _page(shown, mark, limit)

    def groups_after(self, mark: int, limit: int) -> list[Item]:
        """Return the groups behind a mark."""
        return _page(iter(self._groups.values()), mark, limit)

    def members_after(self, group: str, mark: int, limit: int) -> list[Item]:
        """Return the members of a group behind a mark."""
        by_name = {user.get("Username"): user for user in self._users.values()}
        return _page(((at, by_name[name]) for at, name in self._members[group].items() if name in by_name), mark, limit)

    def group(self, name: str) -> str | None:
        """Return the JSON of a group."""
        return json.dumps(self._groups[name][1]) if name in self._groups else None

    def groups_of(self, username: str) -> list[Item]:
        """Return the groups of a user."""
        names = [name for name, members in self._members.items() if username in members.values()]
        return [(self._groups[name][0], json.dumps(self._groups[name][1])) for name in names]

    def find_users(self, attribute: str, value: str) -> list[Item]:
        """Return the users with this value of an attribute."""
        concealed = self.concealed if attribute != "username" else ()
        found = (
            (at, user)
            for at, user in self._users.items()
            if _value(user, attribute) == value and user.get("Username") not in concealed
        )
        return _page(found, -1, len(self._users))


@dataclass(frozen=True, slots=True)
class Generated:
    """A large population that is nowhere stored: every user follows from its number.

    Args:
        largest: how many of the memberships are those of the first group; the other groups share the rest.
        revision: of a later one, every hundredth user is named otherwise, and every group has moved on by one member.
    """

    users: int
    groups: int = 0
    memberships: int = 0
    largest: int = 0
    revision: int = 0

    def users_after(self, mark: int, limit: int) -> list[Item]:
        """Return the users behind a mark."""
        numbers = range(mark + 1, min(mark + 1 + limit, self.users))
        return [(number, _made_up_user(number, self.revision)) for number in numbers]

    def groups_after(self, mark: int, limit: int) -> list[Item]:
        """Return the groups behind a mark."""
        return [(number, _made_up_group(number)) for number in range(mark + 1, min(mark + 1 + limit, self.groups))]

    def members_after(self, group: str, mark: int, limit: int) -> list[Item]:
        """Return the members of a group behind a mark; groups overlap."""
        number = int(group.removeprefix("group-"))
        places = range(mark + 1, min(mark + 1 + limit, self._size(number)))
        first = number * 7919 + self.revision
        return [(place, _made_up_user((first + place) % self.users, self.revision)) for place in places]

    def group(self, name: str) -> str | None:
        """Return the JSON of a group."""
        number = name.removeprefix("group-")
        known = number.isdecimal() and int(number) < self.groups and _group_name(int(number)) == name
        return _made_up_group(int(number)) if known else None

    def groups_of(self, username: str) -> list[Item]:
        """Return the groups of a user, found by asking each group."""
        user = int(username.removeprefix("user-"))
        places = ((number, (user - number * 7919 - self.revision) % self.users) for number in range(self.groups))
        return [(number, _made_up_group(number)) for number, place in places if place < self._size(number)]

    def find_users(self, attribute: str, value: str) -> list[Item]:
        """Return the user with this sub or username."""
        number = int(value[:8], 16) if attribute == "sub" else int(value.removeprefix("user-"))
        return [(number, _made_up_user(number, self.revision))] if number < self.users else []

    def _size(self, group: int) -> int:
        if self.largest and group == 0:
            return min(self.users, self.largest)
        groups, shared = self.groups - bool(self.largest), self.memberships - self.largest
        place = group - bool(self.largest)
        return min(self.users, shared // groups + (place < shared % groups))


def _page(items: Iterator[tuple[int, dict[str, Any]]], mark: int, limit: int) -> list[Item]:
    return [(at, json.dumps(item)) for at, item in islice((item for item in items if item[0] > mark), limit)]


def _value(user: Mapping[str, Any], attribute: str) -> str | None:
    if attribute == "username":
        return user.get("Username")
    return next((one.get("Value") for one in user.get("Attributes", ()) if one["Name"] == attribute), None)


def _made_up_user(number: int, revision: int) -> str:
    version = 0 if number % 100 else revision
    return (
        f'{{"Username":"user-{number:07d}","Attributes":['
        f'{{"Name":"sub","Value":"{number:08x}-5cad-4000-8000-{number:012x}"}},'
        f'{{"Name":"email","Value":"user-{number:07d}@example.com"}},'
        '{"Name":"email_verified","Value":"true"},'
        f'{{"Name":"given_name","Value":"Given{number % 997 + version}"}},'
        f'{{"Name":"family_name","Value":"Family{number % 1009}"}},'
        f'{{"Name":"name","Value":"Given{number % 997} Family{number % 1009}"}},'
        '{"Name":"locale","Value":"en-GB"},{"Name":"zoneinfo","Value":"Europe/Berlin"},'
        f'{{"Name":"phone_number","Value":"+4930{number:08d}"}},'
        f'{{"Name":"custom:department","Value":"Department {number % 40}"}}],'
        f'"UserCreateDate":{CREATED},"UserLastModifiedDate":{CREATED + version},'
        '"Enabled":true,"UserStatus":"CONFIRMED"}'
    )


def _group_name(number: int) -> str:
    return f"group-{number:05d}"


def _made_up_group(number: int) -> str:
    return f'{{"GroupName":"{_group_name(number)}","CreationDate":{CREATED},"LastModifiedDate":{CREATED}}}'
