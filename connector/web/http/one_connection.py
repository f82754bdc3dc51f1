"""One connection to the store for all that is read while a request is answered."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class OneConnection:
    """WSGI middleware that has a connection lent to the application; what is streamed later takes its own."""

    def __init__(self, application: WSGIApplication, lending: Callable[[], AbstractContextManager[None]]) -> None:
        self._application = application
        self._lending = lending

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on."""
        with self._lending():
            return self._application(environ, start_response)
