"""The fast lane, `make quick`: no test of it may start a process or listen on a port."""

import socket
import subprocess
from typing import Any, NoReturn

import pytest


def _refuse(*_: Any, **__: Any) -> NoReturn:
    pytest.fail("A test of the fast lane starts a process or listens on a port; `make test` is the place for it.")


@pytest.fixture(autouse=True)
def _nothing_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "bind", _refuse)
    monkeypatch.setattr(subprocess, "Popen", _refuse)
