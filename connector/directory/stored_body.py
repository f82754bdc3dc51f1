"""The text of a stored body, piece by piece: what it is made of, and in which order, is written here alone.

A user is staged as text around the two things that only the whole directory can settle, the name and the groups:

    opening  "ann"  ,"groups":[mention,mention]  closing  ending
             '------------- middle ------------'

A group is `head` and `ending`; its members go before the last bracket when it is served, from rows of their own. A body
stops short of the time of its last change until it is published, which adds `ending`.

JSON text never holds a raw control character (RFC 8259, section 7), so `BASE` and `EDITION` cannot come from the
directory; they stand for the public base URL and for the edition of all bodies until one is served.
"""

from collections.abc import Collection, Iterable, Iterator
from functools import partial
from itertools import chain, islice
from json import JSONDecoder
from json.encoder import encode_basestring_ascii as quote
from typing import Any, Protocol, TypeVar

BASE = "\x02"
EDITION = "\x03"
MEMBERS = "members"

_MEMBERS_IN_A_PIECE = 500
_BEFORE_NAME, _BEFORE_GROUPS = ',"userName":', ',"groups":'
_READER = JSONDecoder(strict=False)
_Text = TypeVar("_Text", bound=Any)


class ShownMember(Protocol):
    """A member of a group."""

    @property
    def id(self) -> str:
        """The id of the user."""

    @property
    def user_name(self) -> str:
        """The name under which the user is served."""


def opening(core: str) -> str:
    """Return how a user begins: the core attributes, up to the name."""
    return f"{core[:-1]}{_BEFORE_NAME}"


def middle(user_name: str, mentions: Iterable[str]) -> str:
    """Return what stands between `opening` and `closing`: the name, and the groups as they are mentioned."""
    groups = ",".join(mentions)
    return f'{quote(user_name)},"groups":[{groups}]' if groups else quote(user_name)


def closing(extensions: str, identifier: str, created: str) -> str:
    """Return how a user goes on behind the groups, up to the time of the last change."""
    return f",{extensions[1:-1]},{_meta('User', 'Users', identifier, created)}"


def user_body(opening: _Text, middle: _Text, closing: _Text) -> _Text:
    """Put the pieces of a user together, whether they are text or columns that hold it."""
    body: _Text = opening + middle + closing
    return body


def split_user(body: str, user_name: str, modified: str) -> tuple[str, str]:
    """Return `opening` and `closing` of a stored body.

    Args:
        body: as it was published.
        user_name: under which the user is served.
        modified: when it was last changed.
    """
    begin = body.index(_BEFORE_NAME) + len(_BEFORE_NAME)  # a quote within a value is escaped, so this is the name
    end = begin + len(quote(user_name))
    if body.startswith(_BEFORE_GROUPS, end):
        _, end = _READER.raw_decode(body, end + len(_BEFORE_GROUPS))
    return body[:begin], body[end : len(body) - len(ending(modified))]


def split_group(body: str, modified: str) -> str:
    """Return the head of a stored group."""
    return body[: len(body) - len(ending(modified))]


def group_head(core: str, identifier: str, created: str) -> str:
    """Return a group up to the time of its last change."""
    return f"{core[:-1]},{_meta('Group', 'Groups', identifier, created)}"


def mention(identifier: str, name: str) -> str:
    """Return how a user shows a group."""
    reference = _reference("Groups", identifier)
    return f'{{"value":{quote(identifier)},"$ref":{reference},"display":{quote(name)},"type":"direct"}}'


def ending(modified: str) -> str:
    """Return how a body ends that was last changed at a time: with the time, and the version that it makes."""
    return f'{modified}","version":"W/\\"{modified}-{EDITION}\\""}}}}'


def with_members(body: str, members: Iterable[ShownMember], parts: Collection[str] | None = None) -> Iterator[str]:
    """Return the body of a group with its members, in pieces, so that a large group never lies in memory as a whole.

    Args:
        body: the group without them.
        members: who belongs to it.
        parts: which sub-attributes of a member to show, None for all.
    """
    return chain((body[:-1],), member_list(members, parts), ("}",))


def member_list(members: Iterable[ShownMember], parts: Collection[str] | None = None) -> Iterator[str]:
    """Return the attribute `members` as it follows others, in pieces; nothing for a group without members."""
    show = _member if parts is None else partial(_part_of_member, parts=parts)
    left = iter(members)
    before = f',"{MEMBERS}":['
    while some := ",".join(map(show, islice(left, _MEMBERS_IN_A_PIECE))):
        yield before + some
        before = ","
    if before == ",":
        yield "]"


def _member(member: ShownMember) -> str:
    identifier = quote(member.id)[1:]
    return (
        f'{{"value":"{identifier},"$ref":"{BASE}/Users/{identifier},"display":{quote(member.user_name)},"type":"User"}}'
    )


def _part_of_member(member: ShownMember, parts: Collection[str]) -> str:
    whole = {
        "value": quote(member.id),
        "$ref": _reference("Users", member.id),
        "display": quote(member.user_name),
        "type": '"User"',
    }
    return "{" + ",".join(f'"{name}":{text}' for name, text in whole.items() if name in parts) + "}"


def _meta(resource_type: str, collection: str, identifier: str, created: str) -> str:
    when = f'"created":"{created}",' if created else ""
    location = _reference(collection, identifier)
    return f'"meta":{{"resourceType":"{resource_type}",{when}"location":{location},"lastModified":"'


def _reference(collection: str, identifier: str) -> str:
    """Return the address of a resource as JSON; `BASE` must not be escaped, so it is put in front afterwards."""
    return f'"{BASE}/{collection}/{quote(identifier)[1:]}'
