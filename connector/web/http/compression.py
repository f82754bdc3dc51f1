"""Compression of bodies on request: gzip at its fastest level, piece by piece (RFC 9110, section 12.5.3)."""

import zlib
from collections.abc import Iterable, Iterator

from flask import Request

GZIP = "gzip"
WORTHWHILE_BYTES = 1024
"""A smaller body fits one packet anyhow."""

_FASTEST = 1
_GZIP_WINDOW = 31


def accepts_gzip(request: Request) -> bool:
    """Tell whether the caller takes gzip, and nothing rather than it."""
    codings = {name.lower(): quality for name, quality in request.accept_encodings}
    wanted = codings.get(GZIP, codings.get("*", 0))
    return wanted > 0 and wanted >= codings.get("identity", 0)


def compress(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Compress a body; one that breaks off is no valid gzip."""
    packer = zlib.compressobj(_FASTEST, zlib.DEFLATED, _GZIP_WINDOW)
    for block in blocks:
        if packed := packer.compress(block):
            yield packed
    yield packer.flush()
