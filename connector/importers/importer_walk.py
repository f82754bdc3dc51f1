"""A walk through the endpoint as an importer makes it, step by step, with what it saw.

It shows before an importer is connected whether it will get everything: address and certificate, sign-in, schema, every
page, and both sides of the memberships.
"""

import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from connector.directory.counts import count_of
from connector.importers.conversations import Conversation
from connector.importers.line import Line, Stumble
from connector.importers.profiles import BASIC, BEARER, PASSWORD, ConnectionDetails

STEPS = ("address", "sign_in", "discovery", "connection_test", "users", "groups", "memberships")
"""What is tried, in this order."""

_UNKNOWN = 401


@dataclass(frozen=True, slots=True)
class WalkStep:
    """A step of the walk; the same members as a check of Test Connectivity."""

    name: str
    status: str
    detail: str
    remedy: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Published:
    """How much the newest generation holds."""

    generation: int
    users: int
    groups: int
    memberships: int


@dataclass(slots=True)
class Seen:
    """What the importer has seen so far."""

    users: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    memberships_of_users: int = 0
    memberships_of_groups: int = 0
    unknown_members: int = 0


class ImporterWalk:
    """Reads the directory as an importer does.

    Args:
        conversation: how that importer asks.
        grant: how it signs in.
        given: the addresses and the credential that it is given.
        published: tells what there is to be seen, None before the first publish.
        check: called before every request, to end the walk from outside.
    """

    def __init__(
        self,
        conversation: Conversation,
        grant: str,
        given: ConnectionDetails,
        published: Callable[[], Published | None],
        check: Callable[["ImporterWalk"], None],
    ) -> None:
        self._conversation = conversation
        self._grant = grant
        self._given = given
        self._published = published
        self._before: Published | None = None
        self.seen = Seen()
        self.line = Line(given.base_url, dict(conversation.headers), lambda: check(self))

    def steps(self) -> Iterator[WalkStep]:
        """Yield each step as it ends; those after one that failed are skipped."""
        failed = ""
        try:
            for name in STEPS:
                began = time.perf_counter()
                if failed:
                    yield WalkStep(name, "skipped", f"Not tried, because {failed} failed.", None, 0.0)
                    continue
                try:
                    status, detail, remedy = "passed", getattr(self, f"_try_{name}")(), None
                except Stumble as stumble:
                    status, detail, remedy = "failed", stumble.detail, stumble.remedy
                    failed = name
                yield WalkStep(name, status, detail, remedy, round(time.perf_counter() - began, 3))
        finally:
            self.line.close()

    def _try_address(self) -> str:
        status = self.line.status_without_credential()
        if status == _UNKNOWN:
            return f"{self._given.base_url} answers, and refuses whoever brings no credential."
        raise Stumble(
            f"{self._given.base_url} answers {status} to somebody without a credential; 401 is right.",
            "Something in front of the server answers in its place, or adds a credential. See server.public_base_url.",
        )

    def _try_sign_in(self) -> str:
        given = self._given
        if self._grant == BEARER:
            self.line.headers["Authorization"] = f"Bearer {given.token}"
            how = "Its token"
        elif self._grant == BASIC:
            pair = base64.b64encode(f"{given.client_id}:{given.client_secret}".encode()).decode()
            self.line.headers["Authorization"] = f"Basic {pair}"
            how = "Its name and password"
        else:
            self.line.headers["Authorization"] = f"Bearer {self._fetch_token()}"
            how = f"The token of {given.token_url}"
        self.line.get("/ServiceProviderConfig")
        return f"{how} lets it in."

    def _fetch_token(self) -> str:
        given = self._given
        form = f"client_id={quote(given.client_id)}&client_secret={quote(given.client_secret)}"
        if self._grant == PASSWORD:
            form += f"&grant_type=password&username={quote(given.username)}&password={quote(given.password)}"
        else:
            form += "&grant_type=client_credentials"
        answer = self.line.post_form(given.token_url, form)
        token = answer.document.get("access_token")
        if not isinstance(token, str):
            raise Stumble(
                f"{given.token_url} gave no token: {answer.status} {answer.document.get('error', '')}".rstrip(),
                "See that a proxy in front passes /oauth2/token on, with its body.",
            )
        return token

    def _try_discovery(self) -> str:
        asked = self._conversation.discovery
        for path in asked:
            self.line.get(path)
        return f"{', '.join(path.partition('?')[0] for path in asked)}: answered." if asked else "It asks for none."

    def _try_connection_test(self) -> str:
        answer = self.line.get(self._conversation.test)
        return f"{self._conversation.test} is answered in {answer.seconds * 1000:.0f} ms."

    def _try_users(self) -> str:
        self._before = self._published()
        pages = self._read("Users", self._conversation.user_query, self._see_user)
        return f"{len(self.seen.users):,} users in {count_of(pages, 'page')}{self._of('users')}."

    def _try_groups(self) -> str:
        pages = self._read("Groups", "", self._see_group)
        return f"{len(self.seen.groups):,} groups in {count_of(pages, 'page')}{self._of('groups')}."

    def _try_memberships(self) -> str:
        seen = self.seen
        if seen.unknown_members or seen.memberships_of_users != seen.memberships_of_groups:
            raise Stumble(
                f"Users tell of {seen.memberships_of_users:,} memberships, groups of {seen.memberships_of_groups:,},"
                f" {seen.unknown_members:,} of them of users who were not shown.",
                "Try again. If it stays, the walk was answered from two generations: send the log of serve with it.",
            )
        return (
            f"{seen.memberships_of_groups:,} memberships, the same seen from users and from groups"
            f"{self._of('memberships')}."
        )

    def _read(self, collection: str, query: str, see: Callable[[Any], None]) -> int:
        """Read a collection to its end, as the importer does, and return the number of pages."""
        size, start, pages, total = self._conversation.page_size, 1, 0, 0
        while True:
            paging = f"startIndex={start}&count={size}" if size else ""
            asked = "&".join(part for part in (query, paging) if part)
            document = self.line.get(f"/{collection}?{asked}" if asked else f"/{collection}").document
            rows = document.get("Resources") or []
            pages, total = pages + 1, int(document.get("totalResults", 0))
            for row in rows:
                see(row)
            start += len(rows)
            ends = start > total if self._conversation.by_total else len(rows) < (size or 1) or size is None
            if ends or not rows:
                break
        if start - 1 != total:
            raise Stumble(
                f"The last page of {collection} ended after {start - 1:,} of {total:,} rows.",
                "An importer that stops there takes the rest for removed. Send the log of serve with this.",
            )
        return pages

    def _see_user(self, row: Any) -> None:
        self._see(self.seen.users, row)
        self.seen.memberships_of_users += len(row.get("groups") or [])

    def _see_group(self, row: Any) -> None:
        self._see(self.seen.groups, row)
        members = row.get("members") or []
        self.seen.memberships_of_groups += len(members)
        self.seen.unknown_members += sum(member["value"] not in self.seen.users for member in members)

    @staticmethod
    def _see(known: set[str], row: Any) -> None:
        if row["id"] in known:
            raise Stumble(f"{row['id']} came twice.", "Send the log of serve with this: no row may come twice.")
        known.add(row["id"])

    def _of(self, noun: str) -> str:
        """Say that this is all there is, where nothing was published meanwhile."""
        now = self._published()
        if now is None or now != self._before:
            return ""
        there_are = getattr(now, noun)
        found = self.seen.memberships_of_groups if noun == "memberships" else len(getattr(self.seen, noun))
        if found != there_are:
            raise Stumble(
                f"It saw {found:,} {noun}; generation {now.generation} holds {there_are:,}.",
                "Send the log of serve with this: an importer must see everybody.",
            )
        return f", all of generation {now.generation}"
