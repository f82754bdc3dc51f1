"""Read a user pool by its list operations, a page at a time.

No call here counts towards monthly active users, as AdminGetUser does (Cognito API reference), and members come from
one walk per group, never from a call per user.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from connector.cognito.answers import group_record, user_record, user_sub
from connector.cognito.errors import SourceCall, unreadable
from connector.cognito.pages import Ask, Page, PageLimit, walk
from connector.cognito.sending import Answer, Sender
from connector.directory.records import GroupRecord, UserRecord
from connector.errors import GroupGone, HarvestIncomplete, SourceDenied, SourceMissing, UserGone

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

PAGE_SIZE = 60
"""The largest page; a Limit is always sent, since the default is smaller (API reference of ListUsers)."""

USER_PAGES = PageLimit(1_000_000)
"""A pool holds at most 40 million users, 667,000 full pages (Cognito quotas)."""

GROUP_PAGES = PageLimit(20_000)
"""A pool holds at most 10,000 groups (Cognito quotas)."""

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class ListOperation(Generic[Record]):
    """How a list operation names what it takes and gives."""

    operation: str
    items: str
    token: str
    parse: Callable[[Answer], Record]
    limit: PageLimit


USERS = ListOperation("ListUsers", "Users", "PaginationToken", user_record, USER_PAGES)
GROUPS = ListOperation("ListGroups", "Groups", "NextToken", group_record, GROUP_PAGES)
GROUPS_OF_USER = ListOperation("AdminListGroupsForUser", "Groups", "NextToken", group_record, GROUP_PAGES)
MEMBERS = ListOperation("ListUsersInGroup", "Users", "NextToken", user_record, USER_PAGES)
MEMBER_IDS = ListOperation("ListUsersInGroup", "Users", "NextToken", user_sub, USER_PAGES)


class UserPool:
    """One pool as its list operations show it.

    Args:
        client: signs, and sends once; safe on several threads.
        sender: says when, and how often.
        pool_id: the pool.
        region: where it is.
        account: tells the AWS account that holds it.
    """

    def __init__(
        self,
        client: "CognitoIdentityProviderClient",
        sender: Sender,
        *,
        pool_id: str,
        region: str,
        account: Callable[[], str],
    ) -> None:
        self._client = client
        self._sender = sender
        self.pool_id = pool_id
        self.region = region
        self._account = account

    def account(self) -> str:
        """Return the number of the AWS account, from the role's ARN or by sts:GetCallerIdentity."""
        return self._account()

    def users(self) -> Iterator[tuple[UserRecord, ...]]:
        """Yield every user of the pool, one tuple a page."""
        return self._walk(USERS, self._client.list_users)

    def groups(self) -> Iterator[tuple[GroupRecord, ...]]:
        """Yield every group of the pool, one tuple a page."""
        return self._walk(GROUPS, self._client.list_groups)

    def members(self, group_name: str) -> Iterator[tuple[UserRecord, ...]]:
        """Yield every member of a group, one tuple a page.

        Raises:
            GroupGone: the group does not exist, or went away during the walk; the pool is there (P12).
            HarvestIncomplete: the group is there after all.
        """
        return self._members(MEMBERS, group_name)

    def member_ids(self, group_name: str) -> Iterator[tuple[str, ...]]:
        """Yield the `sub` of every member of a group, empty where one has none; otherwise like `members`."""
        return self._members(MEMBER_IDS, group_name)

    def group(self, name: str) -> GroupRecord:
        """Return one group.

        Raises:
            GroupGone: there is no such group.
            SourceMissing: there is no such pool, or nobody may tell which of the two is missing.
        """
        call = SourceCall("GetGroup", f"group {name!r} of {self._target}")
        request = partial(self._client.get_group, UserPoolId=self.pool_id, GroupName=name)
        try:
            return self._sender.send(call, request, lambda answer: group_record(_part(answer, "Group", call)))
        except SourceMissing:
            raise self._missing(name) from None

    def find_user(self, sub: str) -> UserRecord | None:
        """Return the user with this sub, if there is one."""
        quoted = sub.replace("\\", "\\\\").replace('"', '\\"')
        pages = self._walk(USERS, self._client.list_users, Filter=f'sub = "{quoted}"')
        return next((user for page in pages for user in page if user.sub == sub), None)

    def groups_of(self, username: str) -> list[GroupRecord]:
        """Return the groups of a user.

        Raises:
            UserGone: there is no such user.
        """
        operation = self._client.admin_list_groups_for_user
        return [group for page in self._walk(GROUPS_OF_USER, operation, Username=username) for group in page]

    def is_gone(self, sub: str, username: str) -> bool:
        """Tell whether nobody, or somebody else, has the username of a user whom a list no longer shows.

        Lists are eventually consistent; whether somebody exists, AdminGetUser says (API reference of ListUsers).

        Args:
            sub: of the user.
            username: under which they were last seen.
        """
        call = SourceCall("AdminGetUser", f"a user of {self._target}")
        request = partial(self._client.admin_get_user, UserPoolId=self.pool_id, Username=username)
        try:
            found = self._sender.send(call, request, lambda answer: _sub_of(_part(answer, "UserAttributes", call)))
        except UserGone:
            return True
        return found != sub

    def stop(self) -> None:
        """Let every walk end at its next call, because the run is given up."""
        self._sender.stop()

    @property
    def _target(self) -> str:
        return f"user pool {self.pool_id}"

    def _confirm_gone(self, group_name: str) -> SourceMissing | HarvestIncomplete:
        """Return what it means that ListUsersInGroup does not find a group."""
        try:
            self.group(group_name)
        except SourceMissing as missing:
            return missing
        except SourceDenied:
            return self._missing(group_name)
        return HarvestIncomplete(
            f"ListUsersInGroup does not find group {group_name!r} of {self._target}, but GetGroup does.",
            remedy="The group was probably made anew during the run; try again.",
        )

    def _missing(self, group_name: str) -> SourceMissing:
        """Return what is missing: AWS answers ResourceNotFoundException for a pool as for a group (P12)."""
        try:
            next(self.groups())
        except SourceDenied:
            return SourceMissing(
                f"There is no group {group_name!r} in {self._target}, or no such pool.",
                remedy="Check both names; allowing cognito-idp:ListGroups would tell which one it is.",
            )
        except SourceMissing as pool_missing:
            return pool_missing
        return GroupGone(
            f"There is no group {group_name!r} in {self._target}.",
            remedy="Check the spelling (upper and lower case count), or take the name out of cognito.groups.",
        )

    def _members(self, listing: ListOperation[Record], group_name: str) -> Iterator[tuple[Record, ...]]:
        try:
            yield from self._walk(listing, self._client.list_users_in_group, GroupName=group_name)
        except SourceMissing:
            raise self._confirm_gone(group_name) from None

    def _walk(
        self, listing: ListOperation[Record], operation: Callable[..., Answer], **parameters: str
    ) -> Iterator[tuple[Record, ...]]:
        call = SourceCall(listing.operation, self._target)
        # Pages of one walk wait for each other, so the walk that has come furthest, likely the longest, goes first.
        urgency = count()

        def ask_page(token: str | None) -> Page[Record]:
            more = {} if token is None else {listing.token: token}
            request = partial(operation, UserPoolId=self.pool_id, Limit=PAGE_SIZE, **parameters, **more)
            return self._sender.send(call, request, partial(_read_page, listing, call), urgency=next(urgency))

        return (page.records for page in walk(Ask(call.operation, call.target, ask_page), limit=listing.limit))


def _read_page(listing: ListOperation[Record], call: SourceCall, answer: Answer) -> Page[Record]:
    items, token = _part(answer, listing.items, call), answer.get(listing.token)
    if not isinstance(items, list) or not isinstance(token, str | None):
        raise unreadable(call, f"its {listing.items} or {listing.token} are of another type")
    return Page(tuple(map(listing.parse, items)), token)


def _sub_of(attributes: Any) -> str:
    return user_sub({"Attributes": attributes})


def _part(answer: Answer, name: str, call: SourceCall) -> Any:
    """Return a part that every complete answer has: a damaged one may be read as an empty one."""
    part = answer.get(name)
    if part is None:
        raise unreadable(call, f"it has no {name}")
    return part
