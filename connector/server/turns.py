"""Whose turn it is: no caller has more than a few requests answered at once, and those that wait hold no thread."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

AT_ONCE = 4
"""At most this many requests of one caller are answered at once; an importer sends one after the other."""

WAITING = 60
"""At most this many more of its requests may wait."""

PATIENCE_SECONDS = 30.0
"""How long each of them waits."""


class NoTurn(Exception):
    """A caller has more requests under way than are waited for."""


@dataclass(slots=True)
class _Line:
    """The requests of one caller: how many are being answered, and those that wait."""

    taken: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Turns:
    """Gives turns to callers; of one event loop, and not to be shared between threads.

    Args:
        at_once: how many turns one caller has at once.
        waiting: how many of its requests may wait for one.
        patience: seconds that each of them waits.
    """

    def __init__(self, *, at_once: int = AT_ONCE, waiting: int = WAITING, patience: float = PATIENCE_SECONDS) -> None:
        self._at_once = at_once
        self._waiting = waiting
        self._patience = patience
        self._lines: dict[bytes, _Line] = {}

    @asynccontextmanager
    async def turn(self, caller: bytes) -> AsyncIterator[None]:
        """Wait for a turn, and have it for the length of a block.

        Args:
            caller: who asks.

        Raises:
            NoTurn: too many wait already, or none came in time.
        """
        line = self._lines.setdefault(caller, _Line())
        if line.taken < self._at_once:
            line.taken += 1
        else:
            await self._wait(line)
        try:
            yield
        finally:
            self._pass_on(line)
            if not line.taken:
                del self._lines[caller]

    async def _wait(self, line: _Line) -> None:
        if len(line.waiting) >= self._waiting:
            raise NoTurn
        given = asyncio.get_running_loop().create_future()
        line.waiting.append(given)
        try:
            async with asyncio.timeout(self._patience):
                await given
        except BaseException as fault:
            if given.done() and not given.cancelled():  # it was given in the moment in which the waiting ended
                self._pass_on(line)
            elif given in line.waiting:
                line.waiting.remove(given)
            if isinstance(fault, TimeoutError):
                raise NoTurn from None
            raise

    def _pass_on(self, line: _Line) -> None:
        """Give the turn to the one who waits longest; it stays taken."""
        while line.waiting:
            given = line.waiting.popleft()
            if not given.done():
                given.set_result(None)
                return
        line.taken -= 1
