"""The list operations of Cognito and GetGroup, in the AWS JSON protocol (Cognito API reference)."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.population import Item, Population
from tests.fakes.refusals import Refusal
from tests.fakes.tokens import make_token, read_token
from tests.fakes.wire import Answer

LARGEST_PAGE = 60
_FILTER = re.compile(r'\s*(\w+)\s*=\s*"((?:[^"\\]|\\.)*)"\s*')

Parameters = Mapping[str, Any]
After = Callable[[int, int], list[Item]]


@dataclass
class PoolOperations:
    """What the operations answer.

    Args:
        pool_id: the only pool there is.
        population: who is in it.
        page_sizes: by operation, the sizes of the first pages of each walk; empty pages included.
        cycles: by operation, after how many pages the tokens begin again.
    """

    pool_id: str
    population: Population
    page_sizes: dict[str, list[int]] = field(default_factory=dict)
    cycles: dict[str, int] = field(default_factory=dict)

    def answer(self, operation: str, asked: Parameters) -> Answer:
        """Answer a call of somebody who may make it."""
        if asked.get("UserPoolId") != self.pool_id:
            return Refusal(
                "ResourceNotFoundException", f"User pool {asked.get('UserPoolId')} does not exist."
            ).in_json()
        answers: dict[str, Callable[[Parameters], Answer]] = {
            "ListUsers": self._list_users,
            "ListGroups": self._list_groups,
            "ListUsersInGroup": self._list_members,
            "GetGroup": self._get_group,
            "AdminListGroupsForUser": self._list_groups_of_user,
            "AdminGetUser": self._get_user,
        }
        known = answers.get(operation)
        return known(asked) if known else Refusal("UnknownOperationException", "").in_json()

    def _list_groups_of_user(self, asked: Parameters) -> Answer:
        """Page as ListGroups does; whoever is not there is UserNotFoundException (API reference: errors of both)."""
        username = asked["Username"]
        if not self.population.find_users("username", username):
            return _NO_USER.in_json()

        def after(mark: int, limit: int) -> list[Item]:
            return [item for item in self.population.groups_of(username) if item[0] > mark][:limit]

        return self._list("AdminListGroupsForUser", asked, "Groups", "NextToken", after)

    def _get_user(self, asked: Parameters) -> Answer:
        """Answer from what is, not from lists that lag; attributes are called UserAttributes (AdminGetUserResponse)."""
        found = self.population.find_users("username", asked["Username"])
        if not found:
            return _NO_USER.in_json()
        shown = json.loads(found[0][1])
        return Answer(200, json.dumps({**shown, "UserAttributes": shown.pop("Attributes")}).encode())

    def _list_groups(self, asked: Parameters) -> Answer:
        return self._list("ListGroups", asked, "Groups", "NextToken", self.population.groups_after)

    def _get_group(self, asked: Parameters) -> Answer:
        group = self.population.group(asked["GroupName"])
        return Answer(200, f'{{"Group":{group}}}'.encode()) if group else _NO_GROUP.in_json()

    def _list_users(self, asked: Parameters) -> Answer:
        if "Filter" not in asked:
            return self._list("ListUsers", asked, "Users", "PaginationToken", self.population.users_after)
        wanted = _FILTER.fullmatch(asked["Filter"])
        if wanted is None:
            return Refusal("InvalidParameterException", "Error while parsing filter.").in_json()
        found = self.population.find_users(wanted[1], re.sub(r"\\(.)", r"\1", wanted[2]))
        return _page("Users", found)

    def _list_members(self, asked: Parameters) -> Answer:
        group = asked["GroupName"]
        if self.population.group(group) is None:
            return _NO_GROUP.in_json()

        def after(mark: int, limit: int) -> list[Item]:
            return self.population.members_after(group, mark, limit)

        return self._list("ListUsersInGroup", asked, "Users", "NextToken", after)

    def _list(self, operation: str, asked: Parameters, items: str, token_name: str, after: After) -> Answer:
        limit = asked.get("Limit", LARGEST_PAGE)
        if limit > LARGEST_PAGE:
            return Refusal("InvalidParameterException", _TOO_LARGE).in_json()
        scope = json.dumps([operation, {**asked, token_name: None}], sort_keys=True)
        place = read_token(scope, asked[token_name]) if token_name in asked else (-1, 0)
        if place is None:
            return Refusal("InvalidParameterException", "Paging marker is invalid for request").in_json()
        mark, depth = place
        sizes = self.page_sizes.get(operation, [])
        size = min(limit, sizes[depth]) if depth < len(sizes) else limit
        found = after(mark, size + 1)
        shown = found[:size]
        last = shown[-1][0] if shown else mark
        if operation in self.cycles:
            return _page(items, shown, token_name, make_token(scope, -1, (depth + 1) % self.cycles[operation]))
        goes_on = len(found) > size or depth + 1 < len(sizes)
        return _page(items, shown, token_name, make_token(scope, last, depth + 1) if goes_on else None)


_NO_USER = Refusal("UserNotFoundException", "User does not exist.")
_NO_GROUP = Refusal("ResourceNotFoundException", "Group not found.")
_TOO_LARGE = (
    "1 validation error detected: Value at 'limit' failed to satisfy constraint: Member must have value less than or"
    " equal to 60"
)


def _page(items: str, shown: list[Item], token_name: str = "", token: str | None = None) -> Answer:
    more = f',"{token_name}":"{token}"' if token else ""
    return Answer(200, f'{{"{items}":[{",".join(text for _, text in shown)}]{more}}}'.encode())
