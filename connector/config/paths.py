"""Where relative paths lead: from the configuration file that is read, whatever folder a command is called in.

Without a file they lead from the current folder. What a path names that was kept in the current folder by an older
release is not left behind in silence: a second, empty store would be published from, and nobody would know its clients.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from connector.config import values
from connector.config.faults import Fault
from connector.config.keys import field_of, key_names
from connector.config.settings import Settings
from connector.config.sources import GivenValue, ReadValues

_SQLITE = "sqlite:///"
_STORE, _JOURNAL = "store.url", "rotation.journal"
_DEFAULTS = {_STORE: Settings().store.url.get_secret_value(), _JOURNAL: Settings().rotation.journal}
_KEPT = {_STORE: "store", _JOURNAL: "journal of passwords"}
"""What is written to, not only read: each has a default, and one that is not there is made."""


@cache
def path_keys() -> tuple[str, ...]:
    """Return the keys whose values are paths."""
    return tuple(
        key for key in key_names() if any(getattr(rule, "func", None) is values.path for rule in field_of(key).metadata)
    )


def resolve_files(reading: ReadValues, folder: Path | None) -> ReadValues:
    """Return the reading with every relative path leading from a folder; None leaves them as they are."""
    if folder is None:
        return reading
    found = {
        key: GivenValue(str(folder / given.value), given.origin)
        for key in path_keys()
        if (given := reading.found.get(key)) and _is_relative(given.value)
    }
    return ReadValues({**reading.found, **found}, reading.faults)


def resolve_kept(reading: ReadValues, folder: Path | None) -> ReadValues:
    """Return the reading with the store, and the journal that nobody named, leading from a folder likewise."""
    if folder is None:
        return reading
    found = dict(reading.found)
    for key, default in _DEFAULTS.items():
        given = found.get(key, GivenValue(default, "default"))
        scheme = _SQLITE if key == _STORE else ""
        if isinstance(given.value, str) and given.value.startswith(scheme):
            path = given.value.removeprefix(scheme)
            if _is_relative(path) and path != ":memory:":
                found[key] = GivenValue(f"{scheme}{folder / path}", given.origin)
    return ReadValues(found, reading.faults)


def find_left_behind(reading: ReadValues, folder: Path | None) -> Iterator[Fault]:
    """Yield what lies in the current folder where it was looked for before, and not where it is looked for now.

    Args:
        reading: as it was written.
        folder: that of the configuration file, None where there is none.
    """
    for key, default in _DEFAULTS.items() if folder is not None else ():
        given = reading.found.get(key, GivenValue(default, "default"))
        path = str(given.value).removeprefix(_SQLITE)
        if not _is_relative(path):
            continue
        old, new = Path.cwd() / path, (folder or Path()) / path
        if _is_there(old) and not _is_there(new):
            yield Fault(
                key,
                f"there is a {_KEPT[key]} in the current folder, {old}, and none beside the configuration, {new}, where"
                " it is looked for now; move it there, or write down an absolute path",
                origin=given.origin,
            )


def _is_relative(value: object) -> bool:
    return isinstance(value, str) and bool(value) and "://" not in value and not value.startswith(("/", "~"))


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that no file can have, or a folder that may not be looked into
        return False
