"""The keys of the change feed: what is refused, what contradicts itself, and what deserves a second look."""

import pytest

from connector.config import load_settings, reason_against
from connector.config.keys import variable
from connector.config.values import queue_region
from connector.errors import ConfigError

QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/cognito-changes"
POOL = {"cognito.user_pool_id": "us-east-1_AbCdEf123", "sync.schedule": "every 6h"}
ROLE = "arn:aws:iam::123456789012:role/reader"


def load(given):
    """Return the configuration that some keys make, in the environment."""
    return load_settings(None, {variable(key): value for key, value in given.items()}, reads_pool=False)


@pytest.mark.parametrize(
    ("key", "text", "reason"),
    [
        ("queue_url", "cognito-changes", "is not the URL of a queue"),
        ("queue_url", "arn:aws:sqs:us-east-1:123456789012:cognito-changes", "is not the URL of a queue"),
        ("queue_url", "https://sqs.us-east-1.amazonaws.com/12345/cognito-changes", "is not the URL of a queue"),
        ("queue_url", f"{QUEUE}?Action=DeleteQueue", "is not the URL of a queue"),
        ("queue_url", "https://user@sqs.us-east-1.amazonaws.com/123456789012/q", "is not the URL of a queue"),
        ("queue_url", f"{QUEUE}.fifo", "is a FIFO queue"),
        ("settle", "soon", "is not a length of time"),
        ("debounce", "0s", "is not a length of time"),
        ("calls_per_second", "0", "more than 0"),
        ("role_arn", "reader", "is not the ARN of a role"),
    ],
)
def test_value_that_cannot_work_is_refused(key, text, reason):
    """A fault of the configuration is found before a message is read."""
    assert reason in reason_against(f"feed.{key}", text)


@pytest.mark.parametrize(
    ("url", "region"),
    [
        (QUEUE, "us-east-1"),
        ("https://eu-west-1.queue.amazonaws.com/123456789012/q", "eu-west-1"),
        ("https://sqs.us-gov-west-1.amazonaws.com/123456789012/q", "us-gov-west-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q", "cn-north-1"),
        ("https://vpce-0a1b-2c3d.sqs.eu-central-1.vpce.amazonaws.com/123456789012/q", "eu-central-1"),
        ("http://127.0.0.1:5000/123456789012/q", ""),
    ],
)
def test_url_of_a_queue_names_its_region(url, region):
    """SQS is asked in the queue's own Region; one that the URL does not name is that of the pool."""
    assert load(POOL | {"feed.queue_url": url}).feed.queue_url == url
    assert queue_region(url) == region


def test_no_feed_without_being_asked_for():
    """The feed is off by default, with the times and the budget of the contract."""
    feed = load({}).feed

    assert (feed.queue_url, feed.settle, feed.debounce, feed.calls_per_second) == ("", "300s", "10s", 5.0)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"feed.queue_url": QUEUE}, r"cognito\.user_pool_id: missing: feed\.queue_url"),
        (POOL | {"feed.debounce": "5m"}, r"feed\.debounce.*must be shorter than feed\.settle \(300s\)"),
        (POOL | {"feed.settle": "10s"}, r"feed\.debounce.*must be shorter than feed\.settle \(10s\)"),
        (POOL | {"feed.role_arn": ROLE}, r"feed\.external_id: missing"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(given, fault):
    """P33, and: the first read of whoever changed comes before the last."""
    with pytest.raises(ConfigError, match=fault):
        load(given)


@pytest.mark.parametrize(
    ("given", "warning"),
    [
        ({"sync.schedule": ""}, "only a full sync finds what no event told of"),
        (
            {"feed.queue_url": QUEUE.replace("us-east-1", "eu-west-1")},
            "feed.queue_url is in eu-west-1, the user pool in us-east-1",
        ),
    ],
)
def test_feed_that_cannot_be_relied_on_deserves_a_warning(given, warning):
    """The feed is a hint beside the full sync, and a rule works in its Region only."""
    assert any(warning in told for told in load(POOL | {"feed.queue_url": QUEUE} | given).warnings)
