"""The files that pages load: styles and scripts, ours and vendored, from nowhere else.

Each is served under an address that holds its digest, so browsers keep it for good and never show an old one.
`static/vendored.json` says of what is not ours where it is from, in which version and under which licence.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages load."""

    name: str
    content: bytes
    content_type: str
    version: str


@cache
def read_assets() -> dict[str, Asset]:
    """Return every file that is served, by its name."""
    found = {}
    for path in files(__package__).joinpath("static").iterdir():
        kind = path.name.rpartition(".")[2]
        if kind in _TYPES:
            content = path.read_bytes()
            version = hashlib.sha256(content).hexdigest()[:_DIGITS]
            found[path.name] = Asset(path.name, content, _TYPES[kind], version)
    return found
