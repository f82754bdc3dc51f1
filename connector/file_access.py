"""Files that this program relies on: read at once and within bounds, and who besides it may read or change them."""

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS_READ = stat.S_IRWXG | stat.S_IRWXO


def read_file(path: Path, *, largest: int) -> bytes:
    """Return what a file holds; a pipe or a device, which may never end, is not one.

    Args:
        path: the file.
        largest: how many bytes it may hold.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not a file, or too large.
    """
    # Without O_NONBLOCK the opening of a pipe that nobody writes to would wait for ever.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123 - no path
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is not a file")
        content = file.read(largest + 1)
    if len(content) > largest:
        raise ValueError("the file is too large")
    return content


def describe_access(path: Path, what: str, *, secret: bool) -> Iterator[tuple[str, str]]:
    """Yield each way in which others may use a file, and the command that ends it; none where it is not there.

    Root may do everything anyway. Nor are they others to whom root gave a file together with this user, by a group of
    its own, as containers and the tools for certificates do.

    Args:
        path: the file.
        what: what it is, such as `the key of server.tls_key`.
        secret: whether others may not even read it.
    """
    try:
        found = path.stat()
    except OSError:
        return
    me = os.geteuid()
    mode = found.st_mode
    if me != 0 and found.st_uid == 0 and found.st_gid in {os.getegid(), *os.getgroups()}:
        mode &= ~stat.S_IRWXG
    if found.st_uid not in {0, me}:
        yield f"{path}, {what}, belongs to {_name(found.st_uid)}", f"chown {_name(me)} {path}"
    if secret and mode & _OTHERS_READ:
        yield f"{path}, {what}, can be read by others", f"chmod 600 {path}"
    elif mode & _OTHERS_WRITE:
        yield f"{path}, {what}, can be changed by others", f"chmod go-w {path}"


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
