"""A search that is too much for one request is a SCIM error that says what to do."""

import pytest

from connector.store.reading.reader import ResourcePage
from connector.store.sql.time_limit import TooExpensive
from tests.web.conftest import Ask, document
from tests.web.fakes import FakeReader, sample_reader


class SlowReader(FakeReader):
    """A directory in which no search comes to its end in time."""

    def page(self, *_arguments: object, **_options: object) -> ResourcePage:
        """Give up."""
        raise TooExpensive("it takes longer than 5 seconds")


@pytest.fixture
def reader() -> FakeReader:
    """The slow directory."""
    return SlowReader(sample_reader().people)


def test_a_search_that_takes_too_long_is_too_many(ask: Ask) -> None:
    """P30; RFC 7644, section 3.12: 400 tooMany, never a part of the answer."""
    answer = ask("/scim/v2/Users?filter=title pr")

    assert (answer.status_code, document(answer)["scimType"]) == (400, "tooMany")
    assert "longer than 5 seconds. Add a condition" in document(answer)["detail"]
