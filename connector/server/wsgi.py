"""Asks a WSGI application in a thread, for a server that speaks ASGI (PEP 3333; asgi.readthedocs.io, specs/www).

What the application answers is whole, or a file that it hands over with `wsgi.file_wrapper`: nothing is left to be done
in a thread once it has answered, so no client that reads slowly can hold one.
"""

import io
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication, WSGIEnvironment

Headers = list[tuple[bytes, bytes]]

_OWN_NAMES = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}


class FileWrapper:
    """A file that an application answers with, as `wsgi.file_wrapper` (PEP 3333).

    Args:
        file: its content, from where it stands.
        block: how many bytes it is read in.
    """

    def __init__(self, file: BinaryIO, block: int = 1 << 16) -> None:
        self.file = file
        self.block = block
        self.close = file.close

    def __iter__(self) -> "FileWrapper":
        return self

    def __next__(self) -> bytes:
        if block := self.file.read(self.block):
            return block
        raise StopIteration


@dataclass(frozen=True, slots=True)
class WsgiResponse:
    """What is answered; a body that is a file has to be closed."""

    status: int
    headers: Headers
    body: bytes | FileWrapper


def ask(application: WSGIApplication, environ: WSGIEnvironment) -> WsgiResponse:
    """Return the answer of an application, made in this thread to its last byte."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(
        status: str,
        headers: list[tuple[str, str]],
        _fault: tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None = None,
        /,
    ) -> Callable[[bytes], object]:
        started[:] = [(status, headers)]
        return _write

    answered = application(environ, start_response)
    body = answered if isinstance(answered, FileWrapper) else _join(answered)
    status, headers = started[-1]
    named = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return WsgiResponse(int(status.split(" ", 1)[0]), named, body)


def _write(_block: bytes, /) -> None:
    """Refuse what PEP 3333 keeps for old applications alone."""
    raise NotImplementedError


def _join(blocks: Iterable[bytes]) -> bytes:
    try:
        return b"".join(blocks)
    finally:
        if close := getattr(blocks, "close", None):
            close()


def environ_of(scope: Mapping[str, Any], body: bytes) -> WSGIEnvironment:
    """Return a request as a WSGI application takes it.

    Names of headers with an underscore are left out: `X_Forwarded_For` would pass for the header of a proxy.

    Args:
        scope: the request, as a server of ASGI tells it.
        body: its body, whole.
    """
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": str(scope["server"][1]),
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if b"_" in name:
            continue
        key = _OWN_NAMES.get(name) or "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ
