from collections.abc import Iterator

import pytest

from connector.rotation.aws.aws_clients import AwsDoor
from tests.fakes.rotation.cloud import REGION, Cloud


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """A small AWS with nobody in it."""
    with Cloud() as running:
        yield running


@pytest.fixture
def door(cloud: Cloud) -> AwsDoor:
    """The way to it, with short backoff."""
    return AwsDoor(cloud.session(), REGION, cloud.endpoint_url, connect_timeout=2, read_timeout=5)
