import json
import logging
import zlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
from flask import Flask

from connector.directory.rows import Kind
from connector.errors import StoreError
from connector.store.generations import Generation
from connector.store.reading.reader import ResourcePage, Stored
from connector.web.app import create_app
from tests.web.conftest import BASE_URL, Ask, document
from tests.web.fakes import TOKEN, FakeClients, FakeReader, services_of

READS = ["/scim/v2/Users", "/scim/v2/Groups", "/scim/v2/Users/x", "/scim/v2/Groups/x"]
DISCOVERY = ["/scim/v2/ServiceProviderConfig", "/scim/v2/ResourceTypes", "/scim/v2/Schemas"]


@pytest.mark.parametrize("path", READS)
def test_before_the_first_generation_reads_are_unavailable(ask: Ask, reader: FakeReader, path: str) -> None:
    """P04: no directory is never an empty directory."""
    reader.published = False

    answer = ask(path)

    assert (answer.status_code, document(answer)["status"]) == (503, "503")
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("path", DISCOVERY)
def test_discovery_needs_no_generation(ask: Ask, reader: FakeReader, path: str) -> None:
    """P04: what the endpoint says of itself is known from the start, whatever the state of the store."""
    reader.published, reader.broken = False, True

    assert ask(path).status_code == 200


@pytest.mark.parametrize("path", READS)
def test_a_store_that_does_not_answer_is_unavailable(
    ask: Ask, reader: FakeReader, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """P04: a lost database is told as such, its details only to the log."""
    reader.broken = True

    answer = ask(path)

    assert (answer.status_code, document(answer)["status"], "Retry-After" in answer.headers) == (503, "503", True)
    assert "secret" not in answer.text
    assert "disk I/O error in /secret/place" in caplog.text


def test_a_page_that_breaks_off_is_no_page(ask: Ask, reader: FakeReader) -> None:
    """P34: a fault in the middle of a page is 503, never a shorter 200."""
    reader.fails_after = 3

    answer = ask("/scim/v2/Users?count=5")

    assert (answer.status_code, "Resources" in document(answer)) == (503, False)


def test_a_row_lost_on_the_way_is_no_page(ask: Ask, reader: FakeReader, monkeypatch: pytest.MonkeyPatch) -> None:
    """P34: a store that gives fewer rows than it counted is a fault, never a shorter page."""
    honest = reader.page

    def forgetful(kind: Kind, generation: Generation, **asked: Any) -> ResourcePage:
        page = honest(kind, generation, **asked)
        return replace(page, slices=islice(page.slices, 1, None))

    monkeypatch.setattr(reader, "page", forgetful)

    assert ask("/scim/v2/Users?count=5").status_code == 503


def test_a_large_answer_that_breaks_off_is_no_answer(reader: FakeReader) -> None:
    """P34: nothing leaves before the answer is complete, however large, so a fault behind the first mebibyte is 503."""
    huge = Stored("x", "now", '{"id":"x","pad":"' + "x" * (2 << 20) + '"}')

    class Breaking(FakeReader):
        def page(self, *_: object, **__: object) -> ResourcePage:
            def slices() -> Iterator[list[Stored]]:
                yield [huge]
                raise StoreError("the disk is gone")

            return ResourcePage(25, slices())

    http = create_app(services_of(Breaking(reader.people), FakeClients(), BASE_URL, 100)).test_client()
    answer = http.get("/scim/v2/Users", headers={"Authorization": f"Bearer {TOKEN}"})

    assert (answer.status_code, document(answer)["status"], "Retry-After" in answer.headers) == (503, "503", True)


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_a_large_answer_tells_its_length(reader: FakeReader, coding: str) -> None:
    """P34: so a caller knows when it did not get all of it."""
    huge = Stored("x", "now", '{"id":"x","pad":"' + "".join(map(str, range(1 << 20))) + '"}')
    reader.page = lambda *_, **__: ResourcePage(1, iter([[huge]]))  # type: ignore[method-assign]
    http = create_app(services_of(reader, FakeClients(), BASE_URL, 100)).test_client()
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept-Encoding": coding}
    answer = http.get("/scim/v2/Users", headers=headers)
    told = answer.headers["Content-Length"]
    body = zlib.decompress(answer.data, 31) if coding == "gzip" else answer.data
    answer.close()

    assert (int(told), json.loads(body)["Resources"][0]["pad"][:4]) == (len(answer.data), "0123")
    with http.head("/scim/v2/Users", headers=headers) as head:
        assert head.headers["Content-Length"] == told


def test_an_unforeseen_fault_is_told_by_its_request_id_alone(
    app: Flask, ask: Ask, reader: FakeReader, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """P31: a 500 is fixed text and a request id, in every view; the log has the rest under that id."""

    def explode(*_: object, **__: object) -> None:
        raise RuntimeError("hidden detail")

    for name in ("newest", "page", "find"):
        monkeypatch.setattr(reader, name, explode)
    for path in READS:
        caplog.clear()
        with caplog.at_level(logging.ERROR):
            answer = ask(path)
        request_id = answer.headers["X-Request-Id"]

        assert (answer.status_code, document(answer)["status"]) == (500, "500")
        assert document(answer)["detail"] == f"The request failed. The log has more under request id {request_id}."
        assert request_id in caplog.text
        assert "hidden detail" in caplog.text
    assert app.debug is False


def test_large_bodies_are_refused(ask: Ask) -> None:
    """P32: no search takes a body over 64 KiB."""
    answer = ask("/scim/v2/Users/.search", "POST", data=b"x" * (64 * 1024 + 1))

    assert (answer.status_code, document(answer)["status"]) == (413, "413")
