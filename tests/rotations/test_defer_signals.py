"""Requests to end wait for the end of the block, and are never lost."""

import signal
import threading

import pytest

from connector.rotations.defer_signals import undisturbed


@pytest.fixture(autouse=True)
def _usual_handlers():
    usual = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    assert {number: signal.getsignal(number) for number in usual} == usual
    for number, handler in usual.items():
        signal.signal(number, handler)


@pytest.fixture
def heard():
    """Take SIGTERM for a word."""
    came = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: came.append(number))
    yield came
    signal.signal(signal.SIGTERM, before)


def test_a_request_to_end_is_heard_after_the_block(heard):
    """P37: what is at hand is finished first; however often one asks, it is heard once."""
    during = []
    with undisturbed():
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        during.append(list(heard))

    assert (during, heard) == ([[]], [signal.SIGTERM])


def test_an_interruption_comes_at_the_end():
    """P37: Ctrl-C too."""
    done = []

    def work():
        with undisturbed():
            signal.raise_signal(signal.SIGINT)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["all of it"]


def test_a_fault_of_the_block_is_what_is_raised():
    """P26: the handlers are back whatever happens inside."""
    with pytest.raises(ValueError, match="inside"), undisturbed():
        raise ValueError("inside")


def test_other_threads_have_nothing_to_hold_back():
    """Signals reach the main thread alone."""
    done = []

    def work():
        with undisturbed():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)

    assert done == [True]
