"""How far importers have come: noted page by page, written together."""

import time

from connector.directory.rows import Kind
from connector.store.imports import Imports, ServedPage
from connector.store.sql.database import Database


def page(start: int, rows: int, *, total: int = 250, generation: int = 1, kind: Kind = Kind.USERS) -> ServedPage:
    """Return a page of the importer 3."""
    return ServedPage("3", kind, generation, start, rows, total)


def test_a_walk_shows_how_far_it_came(database: Database):
    """Of a walk under way, the last page says how far it is; nothing is whole yet."""
    imports = Imports(database)
    imports.note(page(1, 100))
    imports.note(page(101, 100))
    imports.flush()

    (walk,) = imports.all()

    assert (walk.rows, walk.total, walk.is_finished, walk.whole) == (200, 250, False, None)


def test_the_generation_that_was_read_to_the_end_is_remembered(database: Database):
    """A later walk that stops leaves what the importer has whole as it was."""
    imports = Imports(database)
    for one in (page(1, 100), page(101, 150), page(1, 100, generation=2)):
        imports.note(one)
        imports.flush()

    (walk,) = imports.all()

    assert (walk.generation, walk.rows, walk.whole) == (2, 100, 1)
    assert walk.whole_at is not None


def test_an_end_is_not_lost_when_the_next_walk_begins_before_it_is_written(database: Database):
    """What is noted together is written together."""
    imports = Imports(database)
    for one in (page(1, 250), page(1, 100, generation=2)):
        imports.note(one)
    imports.flush()

    (walk,) = imports.all()

    assert (walk.generation, walk.rows, walk.whole) == (2, 100, 1)


def test_the_test_of_a_connection_is_no_walk(database: Database):
    """OCI asks for one user to see whether anybody answers, Okta for two; a directory of two is read whole by it."""
    imports = Imports(database)
    imports.note(page(1, 1))
    imports.note(page(1, 2))
    imports.flush()
    assert imports.all() == []

    imports.note(page(1, 2, total=2))
    imports.flush()
    assert imports.all()[0].is_finished


def test_what_is_noted_is_written_without_anybody_asking(database: Database):
    """A page never waits for the write: a thread writes soon after."""
    imports = Imports(database, wait=lambda _: None)
    imports.note(page(1, 250))

    deadline = time.monotonic() + 20
    while not imports.all() and time.monotonic() < deadline:
        time.sleep(0.05)

    assert imports.all()[0].whole == 1
