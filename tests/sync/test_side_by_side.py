import threading
from collections.abc import Callable, Iterator

import pytest

from connector.errors import RunCancelled
from connector.sync import side_by_side
from connector.sync.side_by_side import WAITING, WALKERS, SideBySide


def drop(_: int) -> None:
    """Take a page, and do nothing with it."""


def run(walks: SideBySide, *started: tuple[Iterator[int], Callable[[int], None]]) -> None:
    """Begin walks and take what they bring."""
    with walks:
        for pages, take in started:
            walks.start(pages, take)
        walks.finish()


def walkers() -> list[threading.Thread]:
    """Return the threads that walk."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("walk")]


def test_everything_is_taken_on_the_thread_that_asks_for_it() -> None:
    """Only one thread writes, however many read."""
    taken: list[tuple[int, int]] = []

    def take(page: int) -> None:
        taken.append((page, threading.get_ident()))

    with SideBySide(lambda: None) as walks:
        for start in range(100):
            walks.start(iter(range(start, start + 3)), take)
        walks.finish()

    assert sorted(page for page, _ in taken) == sorted(page for start in range(100) for page in range(start, start + 3))
    assert {thread for _, thread in taken} == {threading.get_ident()}
    assert walkers() == []


def test_the_pages_of_one_walk_stay_in_order() -> None:
    """A group is taken back only after its members came."""
    taken: dict[int, list[int]] = {number: [] for number in range(20)}
    with SideBySide(lambda: None) as walks:
        for pages in taken.values():
            walks.start(iter(range(50)), pages.append)
        walks.finish()

    assert all(pages == list(range(50)) for pages in taken.values())


def test_taking_a_page_may_begin_more_walks() -> None:
    """A page of groups begins a walk for each."""
    taken: list[str] = []

    def begin(name: str) -> None:
        walks.start(iter([name * 2]), taken.append)

    with SideBySide(lambda: None) as walks:
        walks.start(iter("abc"), begin)
        walks.finish()

    assert sorted(taken) == ["aa", "bb", "cc"]


def test_no_more_pages_are_asked_for_than_fit_in_between() -> None:
    """P23: memory does not grow when reading is faster than writing."""
    asked = [0] * 40
    ahead: list[int] = []
    taken = [0]

    def pages(walk: int) -> Iterator[int]:
        for page in range(20):
            asked[walk] += 1
            yield page

    def take(_: int) -> None:
        taken[0] += 1
        ahead.append(sum(asked) - taken[0])

    with SideBySide(lambda: None) as walks:
        for walk in range(40):
            walks.start(pages(walk), take)
        walks.finish()

    assert taken == [800]
    assert max(ahead) <= WAITING + WALKERS


def failing(stopped: threading.Event, *, at: int) -> Iterator[int]:
    """Yield pages until the fault, or until somebody else's."""
    for page in range(10**9):
        if page == at:
            raise LookupError(page)
        if stopped.is_set():
            raise InterruptedError
        yield page


@pytest.mark.parametrize("at", [0, 1, 100])
def test_the_first_fault_ends_every_walk_and_is_the_one_told(at: int) -> None:
    """P01: walks without end stop when one fails, those that have not begun included."""
    stopped = threading.Event()

    endless = [(failing(stopped, at=-1), drop) for _ in range(50)]

    with pytest.raises(LookupError):
        run(SideBySide(stopped.set), *endless[:5], (failing(stopped, at=at), drop), *endless[5:])

    assert walkers() == []


def test_a_fault_in_taking_ends_every_walk() -> None:
    """P01: the store may fail too."""
    stopped = threading.Event()

    def refuse(_: int) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run(SideBySide(stopped.set), *((failing(stopped, at=-1), refuse) for _ in range(30)))

    assert walkers() == []


def test_a_fault_may_be_forgiven() -> None:
    """P12: a group that is gone is left out, and the rest goes on."""
    faults: list[Exception] = []
    taken: list[int] = []
    with SideBySide(lambda: None) as walks:
        walks.start(failing(threading.Event(), at=2), taken.append, failed=faults.append)
        walks.start(iter([7]), taken.append)
        walks.finish()

    assert sorted(taken) == [0, 1, 7]
    assert [type(fault) for fault in faults] == [LookupError]


def test_walks_may_begin_again_after_all_have_ended() -> None:
    """Look-ups begin when both walks are over."""
    taken: list[int] = []
    with SideBySide(lambda: None) as walks:
        for number in range(3):
            walks.start(iter([number]), taken.append)
            walks.finish()

    assert taken == [0, 1, 2]


@pytest.mark.parametrize("wish", [KeyboardInterrupt(), RunCancelled("It was cancelled.")])
def test_whoever_is_told_to_end_waits_for_no_answer(wish: BaseException) -> None:
    """P22: calls on their way take up to half a minute, and nobody needs their answers any more."""
    answered, ended = threading.Event(), []

    def pages() -> Iterator[int]:
        answered.wait(10)
        ended.append(True)
        yield 1

    def interrupted() -> None:
        with SideBySide(lambda: None) as walks:
            walks.start(pages(), drop)
            raise wish

    with pytest.raises(type(wish)):
        interrupted()
    waited = list(ended)
    answered.set()
    for walker in walkers():
        walker.join()

    assert waited == []


def test_while_nothing_is_brought_somebody_is_told_who_may_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run is cancelled within seconds, also while AWS does not answer."""
    monkeypatch.setattr(side_by_side, "LONGEST_SILENCE_SECONDS", 0.01)
    stopped = threading.Event()

    def cancel() -> None:
        raise RunCancelled("It was cancelled.")

    def silent() -> Iterator[int]:
        stopped.wait()
        yield 1

    with pytest.raises(RunCancelled):
        run(SideBySide(stopped.set, cancel), (silent(), drop))

    assert stopped.is_set()
