"""A simulated user pool behind a simulated STS: a real server on loopback that says what AWS would, on cue also no.

For a measurement run it in a process of its own, whose memory does not grow with the pool:
`python -m tests.fakes.simulated_pool --users 100000 --groups 100 --memberships 300000` prints its URL.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Self

from connector.cognito.sending import RetryLimits
from connector.cognito.session import Access
from tests.fakes.faults import Fault, Script
from tests.fakes.gate import Gate, Principal
from tests.fakes.operations import PoolOperations
from tests.fakes.population import Generated, Listed, Population
from tests.fakes.quotas import Quotas, cognito_quotas
from tests.fakes.refusals import Refusal
from tests.fakes.sts import SecurityTokens, Trust
from tests.fakes.wire import Answer, Request, WireServer

REGION = "us-east-1"
POOL_ID = f"{REGION}_Simulated"
ACCOUNT = "123456789012"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/cognitoApiAccessRole"
EXTERNAL_ID = "simulated-external-id-0123456789"
USER = Principal(f"arn:aws:iam::{ACCOUNT}:user/serviceAccountUser", "AKIASIMULATED0000001", "simulated/secret+key")


def utc_now() -> datetime:
    """Return the time with its zone."""
    return datetime.now(UTC)


class SimulatedPool:
    """Use as a context manager; `script` tells what goes wrong, `trust` what the role's trust policy asks.

    Args:
        users: users as the API shows them; see `population.a_user`.
        groups: names of groups with the usernames of their members.
        population: instead of both, for large pools.
        now: the clock by which sessions of the role end.
        source_may_read: whether the service user may read the pool without assuming the role.
        quotas: how many requests the account allows.
        latency: tells how many seconds the next answer takes.
    """

    def __init__(
        self,
        users: Iterable[dict[str, Any]] = (),
        groups: Mapping[str, Iterable[str]] | None = None,
        *,
        population: Population | None = None,
        now: Callable[[], datetime] = utc_now,
        source_may_read: bool = False,
        quotas: Quotas | None = None,
        latency: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.directory = Listed(users, groups)
        self.script = Script()
        self.trust = Trust(ROLE_ARN, EXTERNAL_ID)
        self._source_may_read = source_may_read
        self._quotas = quotas or Quotas()
        self._latency = latency
        self._gate = Gate(now=now, wall_clock=lambda: utc_now() + self._server.date_offset)
        self._gate.admit(USER)
        self._sts = SecurityTokens(self._gate, self.trust, ACCOUNT)
        self._operations = PoolOperations(POOL_ID, population or self.directory)
        self._server = WireServer(self._answer)

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    @property
    def endpoint_url(self) -> str:
        """Where the pool and its STS answer."""
        return self._server.url

    @property
    def calls(self) -> Counter[str]:
        """Requests by operation, retries included; "*" are those to the pool taken together."""
        return self.script.calls

    def access(self, **changes: Any) -> Access:
        """Return what it takes to read this pool, in one attempt a call and without delay."""
        right = Access(
            region=REGION,
            user_pool_id=POOL_ID,
            credential_source="access-key",
            access_key_id=USER.key_id,
            secret_access_key=USER.secret,
            profile="",
            role_arn=ROLE_ARN,
            external_id=EXTERNAL_ID,
            session_duration=3600,
            requests_per_second=100_000,
            group_requests_per_second=100_000,
            endpoint_url=self.endpoint_url,
            patience=RetryLimits(attempts=1, read_timeout=10, backoff=0),
        )
        return replace(right, **changes)

    def fail(self, operation: str, *, call: int, fault: Fault, times: int | None = 1) -> None:
        """Let calls of an operation ("*": of all that read the pool), from the k-th on, meet a fault; None is ever."""
        self.script.fail(operation, call=call, fault=fault, times=times)

    def before(self, operation: str, *, call: int, do: Callable[[], object]) -> None:
        """Do something, such as changing `directory`, before the k-th call of an operation is answered."""
        self.script.before(operation, call=call, do=do)

    def throttle(self, share: float, *, seed: int = 1) -> None:
        """Throttle a share of the requests to the pool, the same ones for the same seed."""
        self.script.throttle_share = share
        self.script.dice.seed(seed)

    def deny(self, *operations: str) -> None:
        """Take the permission for these operations away."""
        self.script.denied.update(operations)

    def split_pages(self, operation: str, sizes: Iterable[int]) -> None:
        """Give each walk of an operation pages of these sizes first, then full ones."""
        self._operations.page_sizes[operation] = list(sizes)

    def cycle_tokens(self, operation: str, length: int) -> None:
        """Let the tokens of an operation come round again after so many pages."""
        self._operations.cycles[operation] = length

    def shift_clock(self, offset: timedelta) -> None:
        """Put the clock of AWS ahead by this much."""
        self._server.date_offset = offset

    def wait(self) -> None:
        """Wait until the server closes."""
        self._server.closing.wait()

    def _answer(self, request: Request) -> Answer:
        if "X-Amz-Target" in request.headers:
            operation = request.headers["X-Amz-Target"].rpartition(".")[2]
            if seconds := self._latency():
                time.sleep(seconds)
            fault = self.script.next_fault(operation, counts_as_any=True)
            good, say_no = partial(self._read, operation, request), Refusal.in_json
        else:
            fault = self.script.next_fault(self._sts.action(request), counts_as_any=False)
            good, say_no = partial(self._sts.answer, request), Refusal.in_xml
        return fault.spoil(good, say_no) if fault else good()

    def _read(self, operation: str, request: Request) -> Answer:
        caller = self._gate.identify(request)
        if isinstance(caller, Refusal):
            return caller.in_json()
        if operation in self.script.denied or (caller is USER and not self._source_may_read):
            resource = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{POOL_ID}"
            text = f"User: {caller.arn} is not authorized to perform: cognito-idp:{operation} on resource: {resource}"
            return Refusal("AccessDeniedException", text).in_json()
        if refusal := self._quotas.refusal(operation):
            return refusal.in_json()
        return self._operations.answer(operation, json.loads(request.body))


def main() -> None:
    """Serve a generated pool until interrupted."""
    parser = argparse.ArgumentParser(description="A simulated user pool on loopback; prints its URL.")
    for name in ("users", "groups", "memberships", "largest", "revision"):
        parser.add_argument(f"--{name}", type=int, default=0, help=f"see Generated.{name}")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that each answer takes")
    parser.add_argument("--quota", type=float, help="lists of users per second; the other quotas are in proportion")
    parser.add_argument("--burst", type=float, default=1.0, help="seconds that a pause earns, at the quota")
    parser.add_argument("--halve-after", type=int, help="lists of users after which their quota is halved")
    asked = parser.parse_args()
    quotas = asked.quota and cognito_quotas(asked.quota, burst_seconds=asked.burst, halve_after=asked.halve_after)
    population = Generated(asked.users, asked.groups, asked.memberships, asked.largest, asked.revision)
    with SimulatedPool(population=population, quotas=quotas, latency=lambda: asked.latency) as pool:
        sys.stdout.write(f"{pool.endpoint_url}\n")
        sys.stdout.flush()
        try:
            pool.wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
