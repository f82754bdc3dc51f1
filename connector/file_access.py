"""Who besides this program may read or change a file that it relies on, and the command that ends it."""

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS_READ = stat.S_IRWXG | stat.S_IRWXO


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
