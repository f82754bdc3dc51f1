"""A small AWS on loopback for the rotation: a user pool, Secrets Manager, IAM and STS behind one real HTTP server.

Use it as a context manager:

    with Cloud() as cloud:
        ann = cloud.pool.add_user("ann", "0ld-Passw0rd!", groups=["rotated"])   # status, totp, challenge, aliases, …
        cloud.pool.add_client("app", secrets=["s1"], flows={"ALLOW_USER_SRP_AUTH"})
        cloud.pool.policy = PoolPolicy(minimum=20, history=3)
        secret = cloud.secrets.create("db/ann", '{"username": "ann", "password": "…"}')
        token = cloud.secrets.begin_rotation("db/ann")       # as RotateSecret: AWSPENDING on an empty version
        cloud.account.add_user("bo", "0ld-Passw0rd!")        # an IAM user with a console password
        cognito = cloud.client("cognito-idp")                # one attempt a call; or give `cloud.endpoint_url` and
                                                             # `cloud.session()` to code that makes clients itself

What goes wrong, at the k-th call of an operation (each attempt counts):

        cloud.fail("AdminSetUserPassword", call=1, fault=Fault.UNHEARD)         # reset before it had any effect
        cloud.fail("AdminSetUserPassword", call=1, fault=Fault.RESET)           # applied, the reply is lost
        cloud.fail("ChangePassword", call=1, fault=Fault.FAILED_AFTER)          # applied, HTTP 500 all the same
        cloud.fail("PutSecretValue", call=2, fault=Fault.THROTTLE)              # see `faults.Fault` for the others
        cloud.fail("UpdateLoginProfile", call=1, fault=Refusal("EntityTemporarilyUnmodifiable", "…", 409))
        cloud.deny("DescribeUserPool")                                          # AccessDenied until further notice
        cloud.before("PutSecretValue", call=1, do=lambda: …)                    # something happens in between

What is true: `cloud.pool.signs_in("ann", password)` without a trace, `secret.text("AWSPENDING")`, `secret.labels`,
`cloud.calls["InitiateAuth"]`; `cloud.observe(probe)` runs `probe()` after each answer and keeps what it returned in
`cloud.observations`. Time is `cloud.clock`: give its `monotonic`, `now` and `sleep` to the code under test, and
lock-outs and authenticator codes pass with it.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Self
from urllib.parse import parse_qs

import boto3
from botocore.config import Config

from tests.fakes.faults import Mishap, Script
from tests.fakes.gate import Gate, Principal
from tests.fakes.refusals import Refusal
from tests.fakes.rotation.account import FakeAccount
from tests.fakes.rotation.clock import FakeClock
from tests.fakes.rotation.pool_admin import PoolAdministration
from tests.fakes.rotation.pool_sign_in import SignIns
from tests.fakes.rotation.pool_users import FakeUserPool
from tests.fakes.rotation.secrets_manager import FakeSecrets
from tests.fakes.simulated_pool import utc_now
from tests.fakes.sts import SecurityTokens, Trust
from tests.fakes.wire import Answer, Request, WireServer

REGION = "eu-west-1"
POOL_ID = f"{REGION}_Strict123"
ACCOUNT = "123456789012"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/rotator"
EXTERNAL_ID = "rotation-external-id-0123456789"
ROTATOR = Principal(f"arn:aws:iam::{ACCOUNT}:user/rotator", "AKIAROTATOR000000001", "rotator/secret+key")


class Cloud:
    """The fake AWS; see the module."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.script = Script()
        self.pool = FakeUserPool(POOL_ID, self.clock.monotonic)
        self.secrets = FakeSecrets(ACCOUNT, REGION)
        self.account = FakeAccount(ACCOUNT)
        self.trust = Trust(ROLE_ARN, EXTERNAL_ID)
        self.observations: list[tuple[str, Any]] = []
        self._clients: dict[tuple[str, int, float], Any] = {}
        self._probe: Callable[[], Any] | None = None
        self._lock = threading.Lock()
        self._gate = Gate(now=utc_now, wall_clock=utc_now)
        self._gate.admit(ROTATOR)
        self._sts = SecurityTokens(self._gate, self.trust, ACCOUNT)
        administration = PoolAdministration(self.pool)
        sign_ins = SignIns(self.pool, administration, self.clock.now)
        self._unsigned = sign_ins.unsigned
        self._signed = {**administration.signed, **sign_ins.signed, **self.secrets.signed}
        self._iam = self.account.operations()
        self._server = WireServer(self._answer)

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    @property
    def endpoint_url(self) -> str:
        """Where every service answers."""
        return self._server.url

    @property
    def calls(self) -> Counter[str]:
        """Requests by operation, each attempt counted."""
        return self.script.calls

    def session(self) -> boto3.Session:
        """Return a session of the principal who may do everything that is not denied."""
        return boto3.Session(aws_access_key_id=ROTATOR.key_id, aws_secret_access_key=ROTATOR.secret, region_name=REGION)

    def client(self, service: str, *, attempts: int = 1, read_timeout: float = 5) -> Any:
        """Return a client, the same one for the same wishes; `read_timeout` in seconds."""
        wishes = service, attempts, read_timeout
        if wishes not in self._clients:
            self._clients[wishes] = self._make_client(*wishes)
        return self._clients[wishes]

    def _make_client(self, service: str, attempts: int, read_timeout: float) -> Any:
        config = Config(retries={"mode": "standard", "total_max_attempts": attempts}, read_timeout=read_timeout)
        return self.session().client(service, endpoint_url=self.endpoint_url, config=config)  # type: ignore[call-overload]

    def fail(self, operation: str, *, call: int, fault: Mishap, times: int = 1) -> None:
        """Let calls of an operation, from the k-th on, meet a fault."""
        self.script.fail(operation, call=call, fault=fault, times=times)

    def deny(self, *operations: str) -> None:
        """Take the permission for these operations away."""
        self.script.denied.update(operations)

    def before(self, operation: str, *, call: int, do: Callable[[], object]) -> None:
        """Do something before the k-th call of an operation is answered."""
        self.script.before(operation, call=call, do=do)

    def observe(self, probe: Callable[[], Any]) -> None:
        """Keep what a function returns after each answer, with the operation's name."""
        self._probe = probe

    def _answer(self, request: Request) -> Answer:
        in_json = "X-Amz-Target" in request.headers
        operation = request.headers["X-Amz-Target"].rpartition(".")[2] if in_json else _query(request)["Action"]
        fault = self.script.next_fault(operation, counts_as_any=False)
        good = partial(self._serve_json if in_json else self._serve_query, operation, request)
        say_no = Refusal.in_json if in_json else Refusal.in_xml
        with self._lock:
            answer = fault.spoil(good, say_no) if fault else good()
            if self._probe:
                self.observations.append((operation, self._probe()))
        return answer

    def _serve_json(self, operation: str, request: Request) -> Answer:
        asked = json.loads(request.body)
        if operation in self._unsigned:
            return _in_json(self._unsigned[operation](asked))
        return _in_json(self._refuse_caller(operation, request) or self._signed[operation](asked))

    def _serve_query(self, operation: str, request: Request) -> Answer:
        if operation not in self._iam:
            return self._sts.answer(request)
        refusal = self._refuse_caller(operation, request)
        return refusal.in_xml() if refusal else self._iam[operation](_query(request))

    def _refuse_caller(self, operation: str, request: Request) -> Refusal | None:
        caller = self._gate.identify(request)
        if isinstance(caller, Refusal):
            return caller
        if operation in self.script.denied:
            text = f"User: {caller.arn} is not authorized to perform: {operation}"
            return Refusal("AccessDeniedException", text, query_code="AccessDenied")
        return None


@cache
def _session() -> boto3.Session:
    # One for all tests of a process: it is what reads the models of the services.
    return boto3.Session(aws_access_key_id=ROTATOR.key_id, aws_secret_access_key=ROTATOR.secret, region_name=REGION)


def _in_json(result: dict[str, Any] | Refusal) -> Answer:
    return result.in_json() if isinstance(result, Refusal) else Answer(200, json.dumps(result).encode())


def _query(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode(), keep_blank_values=True).items()}
