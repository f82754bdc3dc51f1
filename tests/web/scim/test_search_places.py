"""How many searches of one client are under way."""

import threading

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from connector.web.access.limits import TooManyRequests
from connector.web.scim.search_places import SearchPlaces
from tests.web.conftest import document
from tests.web.fakes import TOKEN, FakeReader


def test_a_client_has_two_searches_under_way_and_takes_no_place_of_another() -> None:
    """P31: a third waits a moment, then it is told to come again; another client does not notice."""
    places = SearchPlaces(patience=0.05)
    with places.place(1), places.place(1):
        with pytest.raises(TooManyRequests) as refused, places.place(1):
            pass
        with places.place(2):
            pass

    assert int(refused.value.headers()["Retry-After"]) == 1
    with places.place(1):
        assert places._taken == {1: 1}
    assert not places._taken


def test_who_waits_gets_the_place_that_comes_free() -> None:
    """Lookups of parallel workers take milliseconds, and none of them is refused."""
    places, had = SearchPlaces(at_once=1, patience=20), []

    def look(number: int) -> None:
        with places.place(1):
            had.append(number)

    with places.place(1):
        threads = [threading.Thread(target=look, args=[number]) for number in range(8)]
        for thread in threads:
            thread.start()
        assert had == []
    for thread in threads:
        thread.join(20)

    assert sorted(had) == list(range(8))


@pytest.mark.parametrize("query", ['filter=title co "x"', "sortBy=title"])
def test_a_third_search_is_429_and_a_page_is_not(
    app: Flask, reader: FakeReader, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 6585, section 4: searches are counted, and pages are not."""

    def ask(path: str) -> TestResponse:
        return app.test_client().get(path, headers={"Authorization": f"Bearer {TOKEN}"})

    monkeypatch.setattr("connector.web.scim.search_places.PATIENCE_SECONDS", 0.05)
    going_on, under_way, statuses = threading.Event(), threading.Semaphore(0), []
    answer = reader.page

    def slow(*arguments: object, **asked: object) -> object:
        if asked.get("where") or asked.get("sort"):
            under_way.release()
            going_on.wait(20)
        return answer(*arguments, start=asked["start"], count=asked["count"])  # type: ignore[arg-type]

    monkeypatch.setattr(reader, "page", slow)
    threads = [
        threading.Thread(target=lambda: statuses.append(ask(f"/scim/v2/Users?count=1&{query}"))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    assert all(under_way.acquire(timeout=20) for _ in threads)
    third, page = ask(f"/scim/v2/Users?count=1&{query}"), ask("/scim/v2/Users?count=1")
    going_on.set()
    for thread in threads:
        thread.join(20)

    assert (third.status_code, document(third)["status"], third.headers["Retry-After"]) == (429, "429", "1")
    assert (page.status_code, [one.status_code for one in statuses]) == (200, [200, 200])
