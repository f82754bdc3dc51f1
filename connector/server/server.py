"""The production server inside `serve`: gunicorn, one worker process with threads, TLS by certificate files.

One worker, because more are had by replicas; every database connection is opened in it, since none survives a fork.
"""

import errno
import ipaddress
import logging
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from connector.errors import ConfigError, ConnectorError
from connector.server.deadlines import PunctualWorker

GRACE_SECONDS = 10
_BACKLOG = 512
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Exposure:
    """Where and how to listen; named as under `server` in the configuration."""

    host: str
    port: int
    tls_certificate: str
    tls_key: str
    trusted_proxies: int
    threads: int


def listen(exposure: Exposure) -> socket.socket:
    """Return a socket bound to the address to serve on; with port 0 it has any free one.

    Raises:
        ConfigError: the address is public and unprotected, is unknown or in use, or the certificate cannot be used.
    """
    address = _resolve(exposure)
    protected = exposure.tls_certificate or exposure.trusted_proxies
    if not protected and not ipaddress.ip_address(address[4][0]).is_loopback:
        raise ConfigError(
            f"server.host is {exposure.host}, which others can reach, and nothing encrypts what they send.",
            remedy="Set server.tls_certificate and server.tls_key, or server.trusted_proxies when a proxy does TLS.",
        )
    if exposure.tls_certificate:
        _check_certificate(exposure)
    return _bind(exposure, address)


Beside = Callable[[Callable[[], bool]], Callable[[], None]]
"""Starts what is done beside serving, given what tells whether the server goes on; returns what ends it."""


def serve(
    load: Callable[[], Flask], beside: Beside, listener: socket.socket, exposure: Exposure, ready: Callable[[], None]
) -> None:
    """Serve until SIGTERM or Ctrl-C; requests under way get ten seconds to end.

    Args:
        load: makes the application; called in the worker process.
        beside: starts what is done beside serving; called in the worker process once the application is there.
        listener: the bound socket, which is handed over for good.
        exposure: threads and certificate.
        ready: called once requests are answered, in the worker process.

    Raises:
        ConnectorError: the application did not start.
    """
    command = os.getpid()
    try:
        _Gunicorn(load, beside, listener.detach(), exposure, ready).run()
    except SystemExit as end:
        if os.getpid() != command:  # a worker, whose exit code gunicorn waits for
            raise
        if end.code:
            raise ConnectorError("The server could not start.", remedy="The log above says why.") from None


class _Gunicorn(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(
        self,
        load: Callable[[], Flask],
        beside: Beside,
        descriptor: int,
        exposure: Exposure,
        ready: Callable[[], None],
    ) -> None:
        self._load = load
        self._beside = beside
        self._ready = ready
        self._end_beside: Callable[[], None] = _nothing
        self._options: dict[str, Any] = {
            "bind": f"fd://{descriptor}",
            "workers": 1,
            "worker_class": PunctualWorker,
            "threads": exposure.threads,
            "graceful_timeout": GRACE_SECONDS,
            "certfile": exposure.tls_certificate or None,
            "keyfile": exposure.tls_key or None,
            "logger_class": _RootLogger,
            "post_worker_init": self._begin,
            "worker_exit": lambda _arbiter, _worker: self._end_beside(),
            "proc_name": "cognito-scim",
            # The application counts its proxies itself (server.trusted_proxies).
            "forwarded_allow_ips": "",
            "control_socket_disable": True,
            # As long as gunicorn allows: a filter of 4,096 characters is longer once it is percent-encoded.
            "limit_request_line": 8190,
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            if name in self.cfg.settings:  # the control socket is there from gunicorn 25.1 on
                self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._load()

    def _begin(self, worker: Any) -> None:
        # A worker that is to end is no longer alive before the requests under way are answered.
        self._end_beside = self._beside(lambda: bool(worker.alive))
        # The first worker speaks, because before it is there a signal to end would wait for it in vain.
        if worker.age == 1:
            self._ready()


def _nothing() -> None:
    """Do nothing: no worker runs in this process."""


class _RootLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Hands gunicorn's messages to the logs of the command, which redact and escape them."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.error_log.setLevel(logging.NOTSET)


_Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]


def _resolve(exposure: Exposure) -> _Address:
    try:
        found = socket.getaddrinfo(exposure.host, exposure.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise ConfigError(
            f"server.host is {exposure.host}, which is no address of this machine: {error}.",
            remedy="Use 127.0.0.1, or an address or name of this machine.",
        ) from error
    return found[0]


def _bind(exposure: Exposure, address: _Address) -> socket.socket:
    family, kind, protocol, _, where = address
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        in_use = error.errno == errno.EADDRINUSE
        raise ConfigError(
            f"Port {exposure.port} of {exposure.host} cannot be served on: {os.strerror(error.errno or 0)}.",
            remedy="Stop what uses it, or choose another server.port."
            if in_use
            else "See server.host and server.port.",
        ) from error
    return listener


def _check_certificate(exposure: Exposure) -> None:
    try:
        for path in (exposure.tls_certificate, exposure.tls_key):
            with open(path, "rb"):  # noqa: PTH123 - the error shall name the file
                pass
        # Without a password function OpenSSL would ask for one on the terminal.
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            exposure.tls_certificate, exposure.tls_key, password=lambda: ""
        )
    except ssl.SSLError as error:
        raise ConfigError(
            f"server.tls_certificate {exposure.tls_certificate} and its key cannot be used: {error.reason or error}.",
            remedy="Give the certificate chain and its unencrypted private key, both as PEM.",
        ) from error
    except OSError as error:
        raise ConfigError(
            f"The certificate file {error.filename} cannot be read: {error.strerror}.",
            remedy="See server.tls_certificate and server.tls_key.",
        ) from error
