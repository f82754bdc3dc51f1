"""What stands before the application, driven as a server of ASGI drives it, without sockets."""

import asyncio
import json
import tempfile
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest

from connector.server.front import BLOCK_BYTES, MOST_BODY_BYTES, WHOLE_BYTES, Front
from connector.server.turns import Turns

LARGE = b"x" * (WHOLE_BYTES + 1)


def application(answer: Callable[[WSGIEnvironment], Iterable[bytes]], **headers: str) -> WSGIApplication:
    """Return an application that answers 200 with what a function makes of the request."""

    def asked(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", list(headers.items()))
        return answer(environ)

    return asked


@dataclass
class Client:
    """One request, and what came of it; `reads` is how many blocks it takes before it reads no more."""

    path: str = "/scim/v2/Users"
    headers: dict[str, str] = field(default_factory=dict)
    body: list[bytes] = field(default_factory=list)
    breaks_off: bool = False
    reads: int = 1_000_000
    sent: list[Any] = field(default_factory=list)

    async def ask(self, front: Front) -> "Client":
        """Send the request and take the answer."""
        scope = {
            "type": "http",
            "method": "POST" if self.body else "GET",
            "http_version": "1.1",
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": b"",
            "server": ("127.0.0.1", "80"),
            "client": ("192.0.2.1", "50000"),
            "headers": [(name.encode(), value.encode()) for name, value in self.headers.items()],
        }
        waiting = list(self.body)

        async def receive() -> Any:
            if waiting:
                return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting) or self.breaks_off}
            if self.breaks_off:
                return {"type": "http.disconnect"}
            await asyncio.Event().wait()
            return None

        async def send(message: Any) -> None:
            if len(self.sent) > self.reads:
                await asyncio.Event().wait()
            self.sent.append(message)

        await front(scope, receive, send)
        return self

    @property
    def status(self) -> int:
        """The status of the answer."""
        return int(self.sent[0]["status"])

    @property
    def answer(self) -> bytes:
        """The body of the answer, as far as it was sent."""
        return b"".join(message.get("body", b"") for message in self.sent)

    @property
    def is_whole(self) -> bool:
        """Whether the answer was sent to its end."""
        return not self.sent[-1].get("more_body", False)


async def within(front: Front, *clients: Client) -> None:
    """Let clients ask at the same time; what hangs fails."""
    try:
        async with asyncio.timeout(20):
            await asyncio.gather(*(client.ask(front) for client in clients))
    finally:
        front.close()


def test_the_application_sees_the_request_as_it_was_sent() -> None:
    """PEP 3333; a header with an underscore would pass for one of a proxy, so it is left out."""
    seen: list[WSGIEnvironment] = []

    def answer(environ: WSGIEnvironment) -> Iterable[bytes]:
        seen.append(environ)
        return [environ["wsgi.input"].read()]

    front = Front(application(answer), threads=1)
    client = Client(
        "/scim/v2/Users/a%2Fb%C3%A9",
        {"content-type": "text/x", "content-length": "4", "x-a": "1", "x_forwarded_for": "evil", "host": "h"},
        [b"bo", b"dy"],
    )
    asyncio.run(within(front, client))

    assert (client.status, client.answer) == (200, b"body")
    names = ("REQUEST_METHOD", "PATH_INFO", "CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_X_A", "HTTP_HOST", "REMOTE_ADDR")
    assert [seen[0][name] for name in names] == [
        "POST",
        "/scim/v2/Users/a/b\xc3\xa9",
        "text/x",
        "4",
        "1",
        "h",
        "192.0.2.1",
    ]
    assert "HTTP_X_FORWARDED_FOR" not in seen[0]


@pytest.mark.parametrize("body", [LARGE, None])
def test_who_does_not_read_holds_no_thread_and_is_broken_off(body: bytes | None) -> None:
    """P31: with one thread, a client that reads nothing of a large answer keeps nobody waiting."""

    def answer(environ: WSGIEnvironment) -> Iterable[bytes]:
        if environ["PATH_INFO"].endswith("small"):
            return [b"small"]
        if body is not None:
            return [body]
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by who is handed it
        file.write(LARGE)
        file.seek(0)
        files.append(file)
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](file, BLOCK_BYTES)
        return wrapped

    files: list[Any] = []
    front = Front(application(answer), threads=1, turns=Turns(at_once=8), writing=0.5)
    silent = [Client(reads=number % 3) for number in range(8)]
    other = Client("/scim/v2/small", {"authorization": "another"})
    reader = Client()
    asyncio.run(within(front, *silent, other, reader))

    assert (other.answer, other.is_whole, reader.answer, reader.is_whole) == (b"small", True, LARGE, True)
    assert [client.is_whole for client in silent if client.reads] == [False] * 5
    assert all(file.closed for file in files)


def test_one_importer_starves_nobody() -> None:
    """P31: whatever one credential asks for, another finds a thread, and so do health and metrics."""
    going_on = threading.Event()

    def answer(environ: WSGIEnvironment) -> Iterable[bytes]:
        if environ.get("HTTP_AUTHORIZATION") == "greedy":
            going_on.wait(20)
        return [b"done"]

    async def story() -> None:
        front = Front(application(answer), threads=3, turns=Turns(at_once=2, waiting=3, patience=15))
        greedy = [Client(headers={"authorization": "greedy"}) for _ in range(8)]
        tasks = [asyncio.create_task(client.ask(front)) for client in greedy]
        await asyncio.sleep(0.1)
        others = [Client(path, {"authorization": "other"}) for path in ("/scim/v2/Users", "/livez", "/metrics")]
        async with asyncio.timeout(10):
            await asyncio.gather(*(other.ask(front) for other in others))
        going_on.set()
        await asyncio.gather(*tasks)
        front.close()

        assert [other.status for other in others] == [200] * 3
        assert sorted(client.status for client in greedy) == [200] * 5 + [429] * 3
        refused = next(client for client in greedy if client.status == 429)
        assert (json.loads(refused.answer)["status"], dict(refused.sent[0]["headers"])[b"retry-after"]) == ("429", b"5")

    asyncio.run(story())


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/api/v1/runs", "/oauth2/token", "//livez"])
def test_what_operators_ask_has_threads_of_its_own(path: str) -> None:
    """P31: however many read, whoever they are, health, metrics, operators and sign-ins are answered."""
    going_on = threading.Event()

    def answer(environ: WSGIEnvironment) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/scim"):
            going_on.wait(20)
        return [b"done"]

    async def story() -> None:
        front = Front(application(answer), threads=2)
        readers = [Client(headers={"authorization": str(number)}) for number in range(30)]
        tasks = [asyncio.create_task(client.ask(front)) for client in readers]
        await asyncio.sleep(0.1)
        async with asyncio.timeout(10):
            operator = await Client(path).ask(front)
        going_on.set()
        await asyncio.gather(*tasks)
        front.close()

        assert operator.status == 200

    asyncio.run(story())


def test_a_body_that_does_not_arrive_is_refused_unseen() -> None:
    """RFC 9110, section 15.5.9: it is told so in the words of SCIM, and the connection ends."""
    front = Front(application(lambda _: pytest.fail("it was asked")), threads=1, arrival=0.05)

    class Late(Client):
        breaks_off = False

    late = Late(headers={"content-length": "9"})
    broken = Client(headers={"transfer-encoding": "chunked"}, body=[b"a"], breaks_off=True)
    asyncio.run(within(front, late, broken))

    assert [(json.loads(one.answer)["status"], one.status) for one in (late, broken)] == [("408", 408), ("400", 400)]
    assert (b"connection", b"close") in late.sent[0]["headers"]


def test_of_a_body_no_more_is_kept_than_tells_that_it_is_too_large() -> None:
    """P31: a body without end costs a bounded amount of memory."""
    front = Front(application(lambda environ: [str(len(environ["wsgi.input"].read())).encode()]), threads=1)
    endless = Client(headers={"transfer-encoding": "chunked"}, body=[b"x" * 50_000] * 1000)
    asyncio.run(within(front, endless))

    assert endless.answer == str(MOST_BODY_BYTES).encode()


def test_an_application_that_fails_is_told_in_the_words_of_scim(caplog: pytest.LogCaptureFixture) -> None:
    """P31: what no handler caught leaves no thread and no connection hanging."""

    def fail(_environ: WSGIEnvironment, _start: StartResponse) -> Iterable[bytes]:
        raise RuntimeError("hidden detail")

    client = Client()
    asyncio.run(within(Front(fail, threads=1), client))

    assert (client.status, b"hidden" in client.answer, "hidden detail" in caplog.text) == (500, False, True)
