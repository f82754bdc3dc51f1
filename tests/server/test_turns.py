"""Whose turn it is, without a server."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from connector.server.turns import NoTurn, Turns


def run(story: Coroutine[Any, Any, None]) -> None:
    """Run a story to its end; one that hangs fails."""
    asyncio.run(asyncio.wait_for(story, 20))


async def hold(turns: Turns, caller: bytes, ended: asyncio.Event, order: list[int], number: int) -> None:
    """Take a turn, note it, and keep it until the event."""
    async with turns.turn(caller):
        order.append(number)
        await ended.wait()


def test_a_caller_has_a_few_turns_and_takes_none_from_another() -> None:
    """P31: whoever asks for more waits for its own, in the order in which it asked."""

    async def story() -> None:
        turns, ended = Turns(at_once=2, waiting=10, patience=10), asyncio.Event()
        order: list[int] = []
        tasks = [asyncio.create_task(hold(turns, b"a", ended, order, number)) for number in range(6)]
        await asyncio.sleep(0.05)
        assert order == [0, 1]

        async with turns.turn(b"b"):
            ended.set()
        await asyncio.gather(*tasks)
        assert order == [0, 1, 2, 3, 4, 5]
        assert turns._lines == {}

    run(story())


def test_who_waits_too_long_or_with_too_many_gets_none() -> None:
    """P31: a caller that does not end what it began is refused, and only it."""

    async def story() -> None:
        turns, ended = Turns(at_once=1, waiting=1, patience=0.05), asyncio.Event()
        order: list[int] = []
        first = asyncio.create_task(hold(turns, b"a", ended, order, 0))
        await asyncio.sleep(0)
        waits = asyncio.create_task(hold(turns, b"a", ended, order, 1))
        await asyncio.sleep(0)
        with pytest.raises(NoTurn):
            await hold(turns, b"a", ended, order, 2)
        with pytest.raises(NoTurn):
            await waits
        ended.set()
        await first
        assert turns._lines == {}

    run(story())


def test_who_goes_while_waiting_keeps_no_turn() -> None:
    """A connection that ends in the moment in which its turn comes passes it on."""

    async def story() -> None:
        turns, ended = Turns(at_once=1, waiting=5, patience=10), asyncio.Event()
        order: list[int] = []
        tasks = [asyncio.create_task(hold(turns, b"a", ended, order, number)) for number in range(4)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        tasks[1].cancel()
        ended.set()
        await asyncio.sleep(0)
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (order[0], order[-1], turns._lines) == (0, 3, {})

    run(story())
