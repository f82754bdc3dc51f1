"""One minute of the soak that `make soak` runs for ten; bounded by what happens, not by the clock."""

import uuid

import pytest

from tests.soak.soak import soak


@pytest.mark.soak
@pytest.mark.parametrize(("store_url", "servers"), [("sqlite", 1), ("postgresql", 2)], indirect=["store_url"])
def test_whatever_is_killed_every_walk_is_exact_and_every_next_run_succeeds(store_url, servers):
    """P14, P18, P20, P22: each disturbance once, while importers walk; a failure tells its seed."""
    happened = soak(store_url, seed=uuid.uuid4().int % 10**6, servers=servers, goes_on=range(1))

    assert happened["published"] + happened["unchanged"] == 7
