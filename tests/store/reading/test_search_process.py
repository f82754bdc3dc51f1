"""Searches in a process of their own, on each database."""

import os
import signal
from functools import partial

import pytest

from connector.bootstrap.serving import search_matches
from connector.directory.rows import Kind
from connector.errors import StoreError
from connector.scim.query import parse_list_request
from connector.store.reading.matches import Matches, Search
from connector.store.reading.reader import DirectoryReader
from connector.store.reading.search_process import SearchProcess
from connector.store.sql.database import Database
from connector.store.sql.time_limit import TooExpensive
from tests.store.population import Directory, person, publish_directory

BASE = "https://scim.example.com"


@pytest.fixture
def process(store_url):
    """A process that searches the store of the test."""
    made = SearchProcess(partial(search_matches, store_url, BASE))
    yield made
    made.close()


def published(database: Database, text: str) -> Search:
    """Publish a few users, and return a search that no column answers."""
    people = [person(f"00000000-0000-4000-8000-{n:012}", f"user{n}", title=f"Title {n % 3}") for n in range(30)]
    publish_directory(database, Directory(people, [], {}))
    generation = DirectoryReader(database).newest()
    assert generation is not None
    return Search(Kind.USERS, generation, parse_list_request([("filter", text)], Kind.USERS).where)


def test_another_process_finds_the_same(database, store_url, process):
    """P30: where a filter is decided changes nothing of the answer."""
    search = published(database, 'title co "TITLE 1" and not (userName eq "user4")')
    here = search_matches(store_url, BASE)
    found = list(here.find(search))
    here._database.close()

    assert list(process.find(search, 30)) == found != []
    assert list(Matches(database, None, elsewhere=process).find(search)) == found


def test_its_faults_are_told_as_here(database, process):
    """A search that takes too long is refused, and the process goes on."""
    search = published(database, 'title co "1"')

    with pytest.raises(TooExpensive):
        process.find(search, 0)
    assert len(process.find(search, 30)) == 10


def test_a_process_that_dies_is_replaced(database, process):
    """P23: what is killed for the memory that it uses costs one answer, never the server."""
    search = published(database, 'title co "1"')
    process.find(search, 30)
    (child,) = process._executor._processes
    os.kill(child, signal.SIGKILL)

    with pytest.raises(StoreError, match="ended before it had the answer"):
        process.find(search, 30)
    assert len(process.find(search, 30)) == 10
