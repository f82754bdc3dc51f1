"""How a user pool is usually read, in boto3 as its documentation shows it; each prints what it read as JSON.

    BENCHMARK_POOL='{"endpoint": …, "pool_id": …, …}' python -m benchmarks.rivals WAY

`per-user` asks for the groups of each user (AdminListGroupsForUser), `per-group` for the users of each group, one after
the other; `lists` does the same and keeps everything, as a tool must that compares only at the end. With `-adaptive`
both let botocore find the rate (its retry mode "adaptive", 10 attempts) and ask on ten threads.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import boto3
from botocore.config import Config

from benchmarks.pools import ReadablePool

_PAGE: Any = {"PageSize": 60}


class Reader:
    """Reads a pool in its role with boto3's own paginators and counts the calls."""

    def __init__(self, pool: ReadablePool, *, adaptive: bool) -> None:
        source = boto3.session.Session(pool.access_key_id, pool.secret_access_key, region_name=pool.region)
        sts = source.client("sts", endpoint_url=pool.endpoint)
        role = sts.assume_role(RoleArn=pool.role_arn, RoleSessionName="rival", ExternalId=pool.external_id)
        self._cognito = source.client(
            "cognito-idp",
            endpoint_url=pool.endpoint,
            aws_access_key_id=role["Credentials"]["AccessKeyId"],
            aws_secret_access_key=role["Credentials"]["SecretAccessKey"],
            aws_session_token=role["Credentials"]["SessionToken"],
            config=Config(retries={"mode": "adaptive", "total_max_attempts": 10}) if adaptive else None,
        )
        self._cognito.meta.events.register("before-call", self._count)
        self._cognito.meta.events.register("response-received", self._count_throttled)
        self._threads = ThreadPoolExecutor(10) if adaptive else None
        self.throttled = 0
        self._pool_id = pool.pool_id
        self.calls: Counter[str] = Counter({"AssumeRole": 1})

    def _count(self, model: Any, **_: Any) -> None:
        self.calls[model.name] += 1

    def _count_throttled(self, parsed_response: dict[str, Any] | None, **_: Any) -> None:
        code = (parsed_response or {}).get("Error", {}).get("Code")
        self.throttled += code == "TooManyRequestsException"

    def each(self, walk: Callable[[str], Iterable[Any]], names: Iterable[str]) -> Iterator[int]:
        """Yield how much each walk finds."""
        return (self._threads.map if self._threads else map)(partial(_size, walk), names)

    def users(self) -> Iterator[Any]:
        """Yield every user."""
        for page in self._cognito.get_paginator("list_users").paginate(
            UserPoolId=self._pool_id, PaginationConfig=_PAGE
        ):
            yield from page["Users"]

    def groups(self) -> Iterator[Any]:
        """Yield every group."""
        for page in self._cognito.get_paginator("list_groups").paginate(
            UserPoolId=self._pool_id, PaginationConfig=_PAGE
        ):
            yield from page["Groups"]

    def groups_of(self, username: str) -> Iterator[Any]:
        """Yield every group of a user."""
        for page in self._cognito.get_paginator("admin_list_groups_for_user").paginate(
            UserPoolId=self._pool_id, Username=username, PaginationConfig=_PAGE
        ):
            yield from page["Groups"]

    def members(self, group: str) -> Iterator[Any]:
        """Yield every user of a group."""
        for page in self._cognito.get_paginator("list_users_in_group").paginate(
            UserPoolId=self._pool_id, GroupName=group, PaginationConfig=_PAGE
        ):
            yield from page["Users"]


def read_per_user(reader: Reader) -> tuple[int, int]:
    """Return users and memberships, asking for the groups of each user."""
    found = list(reader.each(reader.groups_of, (user["Username"] for user in reader.users())))
    return len(found), sum(found)


def read_per_group(reader: Reader) -> tuple[int, int]:
    """Return users and memberships, asking for the users of each group."""
    users = sum(1 for _ in reader.users())
    return users, sum(reader.each(reader.members, (group["GroupName"] for group in reader.groups())))


def read_into_lists(reader: Reader) -> tuple[int, int]:
    """Return users and memberships, having kept all of them."""
    users = list(reader.users())
    groups = list(reader.groups())
    members = {
        group["GroupName"]: [user["Username"] for user in reader.members(group["GroupName"])] for group in groups
    }
    return len(users), sum(map(len, members.values()))


def _size(walk: Callable[[str], Iterable[Any]], name: str) -> int:
    return sum(1 for _ in walk(name))


RIVALS = {"per-user": read_per_user, "per-group": read_per_group, "lists": read_into_lists}


def main(way: str) -> None:
    """Read the pool in one of the ways and print what was read."""
    name = way.removesuffix("-adaptive")
    reader = Reader(ReadablePool(**json.loads(os.environ["BENCHMARK_POOL"])), adaptive=name != way)
    users, memberships = RIVALS[name](reader)
    found = {"users": users, "memberships": memberships, "throttled": reader.throttled, "calls": dict(reader.calls)}
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
