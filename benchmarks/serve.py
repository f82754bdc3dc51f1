"""What importers wait for: pages, lookups, a whole import and a large group, beside rivals in the same run.

    python -m benchmarks.serve [--users N] [--groups N] [--largest N] [--rival-users N] [--seconds S] [--only-python]

One keep-alive client on the loopback address asks `cognito-scim serve` as shipped. A bare WSGI application behind the
same server joins 100 stored rows from SQLite: the floor under any page. scim2-server and SCIMMY keep users in memory
and cannot carry as many in the time; more would only flatter us. nginx sends one page as a file, in C.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from benchmarks import servers
from benchmarks.directories import Shape, publish_shape
from benchmarks.harness import record, table
from benchmarks.serve_client import Client, Sample, rate, sample
from benchmarks.servers import Served

OURS = "cognito-scim"
PAGE = 100
PLAIN = f"/Users?startIndex=1&count={PAGE}"
MAPPED = "id,userName,name.givenName,name.familyName,displayName,emails,phoneNumbers,title,active,externalId"
LARGEST = "g0"
ROUNDS = 3
LOOKUPS = 300


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the result."""

    name: str
    value: str
    ratio: str = ""


class Run:
    """One run over all servers; collects every sample that was taken."""

    def __init__(self, shape: Shape, seconds: float) -> None:
        self._shape = shape
        self._seconds = seconds
        self.samples: list[Sample] = []

    def measure(self, ours: Served, rivals: Mapping[str, Served]) -> list[Figure]:
        """Measure everything; memory comes last, when all has been asked for."""
        rates = list(self._rates({OURS: ours, **rivals}))
        client = ours.connect()  # only now: the server hangs up on a client that asks nothing for two seconds
        figures = [
            *rates,
            *self._depth(client),
            *self._lookups(client),
            *self._searches(client),
            self._import(client),
            *self._largest(client),
        ]
        return [*figures, Figure("peak RSS of the server", f"{ours.peak_mib():.0f} MiB")]

    def _rates(self, servers: Mapping[str, Served]) -> Iterable[Figure]:
        for clients in (1, 8):
            found: dict[str, list[float]] = {name: [] for name in servers}
            for _ in range(ROUNDS):
                for name, server in servers.items():
                    found[name].append(rate(server.connect, PLAIN, clients=clients, within=self._seconds))
            middle = {name: statistics.median(rates) for name, rates in found.items()}
            for name, pages in middle.items():
                label = f"pages of {PAGE} a second, {clients} client{'s'[: clients - 1]}: {name}"
                against = "" if name == OURS else f"ours is {middle[OURS] / pages:.2f} times"
                yield Figure(label, f"{pages:,.1f}", against)

    def _depth(self, client: Client) -> Iterable[Figure]:
        """Compare pages that take turns in blocks, since a machine that slows down slows all of them."""
        last = f"/Users?startIndex={self._shape.users - PAGE + 1}&count={PAGE}"
        pages = {"first": PLAIN, "last": last, "projected": f"/Users?attributes={MAPPED}&startIndex=1&count={PAGE}"}
        blocks = {name: [self._sample(f"{name} page", client, [pages[name]], 60)] for name in pages}
        for _ in range(ROUNDS - 1):
            for name, target in pages.items():
                blocks[name].append(self._sample(f"{name} page", client, [target], 60))
        p50 = {name: statistics.median(one.p50 for one in some) for name, some in blocks.items()}
        yield Figure("first page, p50", _ms(p50["first"]))
        yield Figure("last page, p50", _ms(p50["last"]), f"{p50['last'] / p50['first']:.2f} times the first")
        label = f"projected page ({MAPPED.count(',') + 1} attributes), p50"
        yield Figure(label, _ms(p50["projected"]), f"{p50['projected'] / p50['first']:.2f} times the plain")

    def _lookups(self, client: Client) -> Iterable[Figure]:
        numbers = random.Random(1).sample(range(self._shape.users), min(LOOKUPS, self._shape.users))
        ids = [self._shape.user_id(number) for number in numbers]
        names = [self._shape.user_name(number) for number in numbers]
        asked = {
            "id": [f"/Users/{one}" for one in ids],
            "userName eq": [_find(f'userName eq "{one}"') for one in names],
            "externalId eq": [_find(f'externalId eq "{one}"') for one in self._external_ids(client, ids)],
            "emails.value eq": [_find(f'emails.value eq "{one}@example.com"') for one in names],
            "members.value eq, without members": [
                _find(f'members.value eq "{one}"', "/Groups?excludedAttributes=members&") for one in ids
            ],
        }
        for name, targets in asked.items():
            yield Figure(f"{name}, p50", _ms(self._sample(name, client, targets, LOOKUPS).p50))

    def _external_ids(self, client: Client, ids: Iterable[str]) -> list[str]:
        return [orjson.loads(client.get(f"/Users/{one}").body)["externalId"] for one in ids]

    def _searches(self, client: Client) -> Iterable[Figure]:
        """Every answer is a page, so the words change: the same search again could be answered from memory."""
        hundreds = random.Random(2).sample(range(max(1, self._shape.users // PAGE)), min(30, self._shape.users // PAGE))
        for operator, ends in (("sw", "user{:05}"), ("co", "{:05}")):
            words = [ends.format(number) for number in hundreds]
            targets = [_find(f'userName {operator} "{word}"') + f"&count={PAGE}" for word in words]
            taken = self._sample(f"userName {operator}", client, targets, max(1, len(targets) - 2))
            yield Figure(f"userName {operator}, {PAGE} and more hits, p50", _ms(taken.p50))

    def _import(self, client: Client) -> Figure:
        """Walk over users, then groups, and read every page as JSON, as an importer must."""
        parts = []
        for collection in ("Users", "Groups"):
            started = time.perf_counter()
            start, total = 1, 1
            while start <= total:
                page = orjson.loads(client.get(f"/{collection}?startIndex={start}&count={PAGE}").body)
                start, total = start + page["itemsPerPage"], page["totalResults"]
            parts.append(time.perf_counter() - started)
        self.samples.append(Sample("whole import, users and groups", tuple(parts)))
        return Figure("whole import", f"{sum(parts):.2f} s", f"users {parts[0]:.2f} s, groups {parts[1]:.2f} s")

    def _largest(self, client: Client) -> Iterable[Figure]:
        answers = [client.get(f"/Groups/{LARGEST}") for _ in range(ROUNDS)]
        self.samples.append(Sample("largest group", tuple(answer.whole for answer in answers)))
        members = len(orjson.loads(answers[0].body)["members"])
        yield Figure(
            f"group of {members:,} members",
            _ms(statistics.median(answer.whole for answer in answers)),
            f"first byte after {_ms(statistics.median(answer.first for answer in answers))}",
        )

    def _sample(self, name: str, client: Client, targets: Sequence[str], times: int) -> Sample:
        taken = sample(name, client, targets, times)
        self.samples.append(taken)
        return taken


def _find(filtered: str, collection: str = "/Users?") -> str:
    return f"{collection}filter={quote(filtered)}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


def read_users(client: Client, most: int) -> list[Any]:
    """Return the first users, as they are served."""
    found: list[Any] = []
    while len(found) < most:
        page = orjson.loads(client.get(f"/Users?startIndex={len(found) + 1}&count={PAGE}").body)
        found += page["Resources"]
        if len(found) == page["totalResults"]:
            break
    return found[:most]


def _page(server: Served) -> bytes:
    return server.connect().get(PLAIN).body


def _say(what: str, act: Callable[[], Any]) -> Any:
    started = time.perf_counter()
    done = act()
    print(f"  {what}: {time.perf_counter() - started:.1f} s", flush=True)
    return done


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure a directory of the size that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve")
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--groups", type=int, default=1_000)
    parser.add_argument("--largest", type=int, default=10_000, help="members of the largest group")
    parser.add_argument("--rival-users", type=int, default=2_000, help="how many of the users scim2-server holds")
    parser.add_argument("--only-python", action="store_true", help="leave out the rivals that need npm or nginx")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each rate is measured, thrice")
    asked = parser.parse_args(arguments)
    shape = Shape(asked.users, asked.groups, asked.largest)
    run = Run(shape, asked.seconds)
    print(shape, flush=True)
    with tempfile.TemporaryDirectory() as name, ExitStack() as under_way:
        store = Path(name, "store.db")
        token = _say("publish", partial(publish_shape, shape, store))
        ours = under_way.enter_context(servers.ours(store, token))
        bare = under_way.enter_context(servers.bare(store))
        users = read_users(ours.connect(), asked.rival_users)
        rivals = {"bare WSGI": bare, "scim2-server": under_way.enter_context(servers.scim2_server(Path(name), users))}
        if not asked.only_python:
            rivals["SCIMMY"] = under_way.enter_context(servers.scimmy(Path(name), users))
            rivals["nginx, one file"] = under_way.enter_context(servers.static(Path(name), _page(ours)))
        figures = _say("measure", partial(run.measure, ours, rivals))
    size = len(orjson.dumps(users[0]))
    text = (
        f"{shape}; SQLite; a user is {size:,} bytes. scim2-server and SCIMMY keep their users in memory, so they have "
        f"only the first {len(users):,} of them. One keep-alive client on the loopback address shares the processors "
        "with the server; rates and pages took turns, and the median of three counts.\n\n"
        f"{table(('quantity', 'value', 'ratio'), [(one.name, one.value, one.ratio) for one in figures])}"
    )
    record("serve", "Serving", text, run.samples)


if __name__ == "__main__":
    main()
