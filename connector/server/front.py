"""What stands before the application and cannot be pinned: an event loop receives and sends, threads only answer.

A thread is taken when a request is there whole, and given back when its answer is: whoever sends slowly, or does not
read, waits in the loop and by itself. Each kind of request has threads of its own, so that searches and large answers
never keep health, metrics and operators waiting, and each caller a few turns, so that none keeps out the others.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.types import WSGIApplication

from connector.scim.error_body import error_body
from connector.server.turns import NoTurn, Turns
from connector.server.wsgi import FileWrapper, WsgiResponse, ask, environ_of

ARRIVAL_SECONDS = 10.0
"""How long a header may take to arrive, and how long a body."""

WRITING_SECONDS = 30.0
"""How long a client may read nothing of its answer."""

MOST_BODY_BYTES = 64 * 1024 + 1
"""How much of a body is read: one byte more than is allowed shows that it is too large."""

WHOLE_BYTES = 256 * 1024
"""A smaller answer is handed over whole; its caller's turn ends there."""

BLOCK_BYTES = 64 * 1024

LANES: Mapping[str, int] = {"/livez": 1, "/readyz": 2, "/metrics": 1, "/console": 2, "/api": 2, "/oauth2": 2}
"""Threads for what is asked at these addresses; everything else shares `server.threads`, and takes turns."""

_JSON = (b"content-type", b"application/scim+json; charset=utf-8")
_CLOSE = (b"connection", b"close")
_RETRY_SECONDS = b"5"
_log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Front:
    """The application as a server of ASGI takes it.

    Args:
        application: answers; called in a thread.
        threads: how many threads read the directory.
        base: the path of the public base URL, which may stand before every other.
        turns: whose turn it is.
        arrival: seconds that a body may take.
        writing: seconds that a client may read nothing.
    """

    def __init__(  # noqa: PLR0913 - each limit can be set apart
        self,
        application: WSGIApplication,
        *,
        threads: int,
        base: str = "",
        turns: Turns | None = None,
        arrival: float = ARRIVAL_SECONDS,
        writing: float = WRITING_SECONDS,
    ) -> None:
        self._application = application
        self._base = "/" + base.strip("/")
        self._turns = turns or Turns()
        self._arrival = arrival
        self._writing = writing
        self._lanes = {
            prefix: ThreadPoolExecutor(most, thread_name_prefix=prefix.strip("/")) for prefix, most in LANES.items()
        }
        self._readers = ThreadPoolExecutor(threads, thread_name_prefix="scim")

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request."""
        try:
            body = await self._receive(scope, receive)
        except _Refused as refused:
            await _send(send, refused.answer)
            return
        try:
            await self._answer(scope, body, receive, send)
        except asyncio.CancelledError:
            _log.info("a request was given up, because the server ends")
        except Exception:  # noqa: BLE001 - whatever it is, the caller is told, and in the words of SCIM
            _log.exception("a request could not be answered")
            await _send(send, _refusal(500, "The request failed."))

    def close(self) -> None:
        """Begin no more requests; the threads end once those under way are through."""
        for pool in (self._readers, *self._lanes.values()):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _receive(self, scope: Mapping[str, Any], receive: Receive) -> bytes:
        """Return the body of a request.

        Raises:
            _Refused: it did not arrive in time, or broke off.
        """
        if not any(name in {b"content-length", b"transfer-encoding"} for name, _ in scope["headers"]):
            return b""
        body = b""
        more = True
        try:
            async with asyncio.timeout(self._arrival):
                while more and len(body) < MOST_BODY_BYTES:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _Refused(400, "The request is malformed, or broke off.")
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
        except TimeoutError:
            raise _Refused(408, "The request did not arrive in time.") from None
        return body[:MOST_BODY_BYTES]

    async def _answer(self, scope: Mapping[str, Any], body: bytes, receive: Receive, send: Send) -> None:
        path = ("/" + scope["path"].lstrip("/")).removeprefix(self._base)
        pool = self._lanes.get("/" + path.lstrip("/").partition("/")[0])
        if pool is not None:
            await self._send(await self._ask(pool, scope, body), receive, send)
            return
        try:
            async with self._turns.turn(_caller(scope)):
                await self._send(await self._ask(self._readers, scope, body), receive, send)
        except NoTurn:
            _log.warning("%s asks for more at once than it may", scope["client"][0])
            await _send(send, _refusal(429, "This caller asks for more at once than it may.", retry=True))

    async def _ask(self, pool: ThreadPoolExecutor, scope: Mapping[str, Any], body: bytes) -> WsgiResponse:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, ask, self._application, environ_of(scope, body))

    async def _send(self, answer: WsgiResponse, receive: Receive, send: Send) -> None:
        """Send an answer; one that is larger, no faster than it is read."""
        if isinstance(answer.body, bytes) and len(answer.body) <= WHOLE_BYTES:
            await _send(send, answer)
            return
        blocks = answer.body if isinstance(answer.body, FileWrapper) else _cut(answer.body)
        gone = asyncio.ensure_future(_wait_for_end(receive))
        try:
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            for block in blocks:
                if gone.done():
                    return
                async with asyncio.timeout(self._writing):
                    await send({"type": "http.response.body", "body": block, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            _log.info("a client did not read its answer; it is broken off")
        finally:
            gone.cancel()
            if isinstance(answer.body, FileWrapper):
                answer.body.close()


class _Refused(Exception):
    """A request that the application never sees."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.answer = _refusal(status, detail)


def _refusal(status: int, detail: str, *, retry: bool = False) -> WsgiResponse:
    """Return a refusal as SCIM tells it, after which the connection ends."""
    body = error_body(status, detail).encode()
    headers = [_JSON, _CLOSE, (b"content-length", str(len(body)).encode())]
    return WsgiResponse(status, headers + ([(b"retry-after", _RETRY_SECONDS)] if retry else []), body)


async def _send(send: Send, answer: WsgiResponse) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _wait_for_end(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _cut(body: bytes) -> Sequence[bytes]:
    return [body[begin : begin + BLOCK_BYTES] for begin in range(0, len(body), BLOCK_BYTES)]


def _caller(scope: Mapping[str, Any]) -> bytes:
    """Return what tells callers apart: the credential that is shown, whoever's it is, or the address without one."""
    shown = [value for name, value in scope["headers"] if name == b"authorization"]
    return hashlib.sha256(b"\0".join(shown) or scope["client"][0].encode()).digest()
