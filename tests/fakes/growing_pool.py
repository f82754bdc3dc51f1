"""A pool of an emulator that others wrote, read while somebody adds users as fast as it takes them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from connector.cognito.meter import Meter
from connector.cognito.session import Access, open_pool
from connector.directory.records import UserRecord

MOST = 300
"""How many are added at most, so that the test ends."""


def add_user(cognito: Any, pool_id: str, name: str) -> None:
    """Add one user in one call, with attributes of several kinds."""
    attributes = {
        "email": f"{name}@example.com",
        "email_verified": "true",
        "name": f"Ünal {name} 👩‍🚀",
        "locale": "de-DE",
    }
    cognito.admin_create_user(
        UserPoolId=pool_id,
        Username=name,
        UserAttributes=[{"Name": key, "Value": value} for key, value in attributes.items()],
        MessageAction="SUPPRESS",
    )


def access_to(endpoint_url: str, pool_id: str, *, region: str, key: tuple[str, str], role: tuple[str, str]) -> Access:
    """Return how to read a pool of an emulator as fast as it answers: with a key, by a role and its ExternalId."""
    return Access(
        region=region,
        user_pool_id=pool_id,
        credential_source="access-key",
        access_key_id=key[0],
        secret_access_key=key[1],
        profile="",
        role_arn=role[0],
        external_id=role[1],
        session_duration=3600,
        requests_per_second=1000,
        endpoint_url=endpoint_url,
    )


def read(access: Access) -> dict[str, UserRecord]:
    """Return every user as the product reads them; each page is a call."""
    return {user.username: user for page in open_pool(access, run="1", meter=Meter()).users() for user in page}


def answer_of(cognito: Any, pool_id: str) -> dict[str, tuple[dict[str, str], bool, str]]:
    """Return every user as the emulator itself says, one question a user."""
    names = [
        user["Username"]
        for page in cognito.get_paginator("list_users").paginate(UserPoolId=pool_id)
        for user in page["Users"]
    ]
    return {name: _told(cognito.admin_get_user(UserPoolId=pool_id, Username=name)) for name in names}


def _told(answer: dict[str, Any]) -> tuple[dict[str, str], bool, str]:
    attributes = {one["Name"]: one["Value"] for one in answer["UserAttributes"]}
    return attributes, answer["Enabled"], answer["UserStatus"]


def shown(records: dict[str, UserRecord]) -> dict[str, tuple[dict[str, str], bool, str]]:
    """Return what was read in the shape of `answer_of`."""
    return {name: (dict(user.attributes), user.enabled, user.status) for name, user in records.items()}


@contextmanager
def growing(add: Callable[[str], None]) -> Iterator[None]:
    """Add users beside the block, from before it begins until it ends."""
    under_way, enough = Event(), Event()

    def run() -> None:
        for number in range(MOST):
            add(f"late-{number:03}")
            under_way.set()
            if enough.is_set():
                return

    thread = Thread(target=run)
    thread.start()
    try:
        assert under_way.wait(30)
        yield
    finally:
        enough.set()
        thread.join()


def demand_exact(access: Access, cognito: Any, pool_id: str, before: set[str]) -> None:
    """Hold two readings, one while the pool grows and one after, to what the emulator says at the end."""
    with growing(lambda name: add_user(cognito, pool_id, name)):
        during = shown(read(access))
    after, said = shown(read(access)), answer_of(cognito, pool_id)

    assert after == said
    assert before <= set(during)
    assert {name: said[name] for name in during} == during
