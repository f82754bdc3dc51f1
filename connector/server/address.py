"""Where `serve` listens: never where others could read along, unless TLS or a declared proxy protects it."""

import errno
import ipaddress
import os
import socket
import ssl
from dataclasses import dataclass
from typing import Any

from connector.errors import ConfigError

BACKLOG = 1024
"""At most this many connections wait in the kernel until they are accepted."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """Where and how to listen; named as under `server` in the configuration."""

    host: str
    port: int
    tls_certificate: str
    tls_key: str
    trusted_proxies: int
    threads: int
    public_base_url: str


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
        listener.listen(BACKLOG)
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
