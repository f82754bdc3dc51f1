"""The check of the change feed: its queue, who may fill it, and its pulse (P25, P33)."""

import pytest

from connector.checks.change_feed import examine_feed
from connector.checks.connectivity import Remark, Status, Subject, check_connectivity
from connector.cognito.change_queue import QueueState
from connector.errors import ConfigError, SourceDenied

RULE = {"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:123456789012:rule/changes"}}
ADMIT = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
SOUND = {"Statement": [ADMIT | {"Condition": RULE}]}


class Queue:
    """A queue that is what a test says."""

    def __init__(self, policy, retention=1_209_600):
        self._state = QueueState(backlog=0, retention=retention, policy=policy, has_dead_letters=True)

    def prove_readable(self):
        """It is."""

    def prove_deletable(self):
        """They are."""

    def state(self):
        """What it is."""
        return self._state


def test_sound_feed_deserves_no_remark():
    """P25: what is set up as the guide says passes."""
    assert list(examine_feed(Queue(SOUND), since_pulse=300)) == []


@pytest.mark.parametrize(
    ("policy", "remark"),
    [
        ({}, "lets no rule"),
        ({"Statement": "?"}, "lets no rule"),
        ({"Statement": ADMIT | {"Effect": "Deny"}}, "lets no rule"),
        ({"Statement": [ADMIT | {"Principal": {"Service": "s3.amazonaws.com"}}]}, "lets no rule"),
        ({"Statement": [ADMIT | {"Action": ["sqs:ReceiveMessage"]}]}, "lets no rule"),
        ({"Statement": ADMIT | {"Action": ["SQS:*"]}}, "lets every rule"),
        ({"Statement": [ADMIT | {"Principal": "*"}]}, "lets every rule"),
    ],
)
def test_policy_that_admits_nobody_or_everybody_deserves_a_remark(policy, remark):
    """P33: whoever may send can make the pool be read; nobody who may send is a feed that is silent."""
    (found,) = examine_feed(Queue(policy), since_pulse=1)

    assert remark in found.detail


@pytest.mark.parametrize(("since", "words"), [(None, "never came"), (3600, "came 60 minutes ago")])
def test_missing_pulse_deserves_a_remark(since, words):
    """P25: a rule that is disabled is silent in any other way."""
    (found,) = examine_feed(Queue(SOUND), since_pulse=since)

    assert words in found.detail


def test_short_retention_deserves_a_remark():
    """P25: what is not read in time is gone without a trace."""
    (found,) = examine_feed(Queue(SOUND, retention=345_600), since_pulse=1)

    assert "4 days" in found.detail


def step_of(examine):
    """Return the step of Test Connectivity where all else is out of reach, None where it is absent."""
    subject = Subject(access=ConfigError("no", remedy="mend it"), examine_store=list, examine_feed=examine)
    return next((check for check in check_connectivity(subject) if check.name == "change_feed"), None)


def test_check_is_absent_without_a_feed():
    """Contract: change_feed comes only where a feed is configured."""
    assert step_of(None) is None


def test_feed_with_a_remark_is_a_warning():
    """P25: the sync works without what is remarked, less freshly."""
    step = step_of(lambda: [Remark("Short.", "Lengthen it.")])

    assert (step.status, step.remedy) == (Status.WARNING, "Lengthen it.")


def test_feed_that_is_denied_fails():
    """P25: with the remedy of the queue's own explanation."""

    def denied():
        raise SourceDenied("Denied.", remedy="Allow it.")

    step = step_of(denied)

    assert (step.status, step.detail, step.remedy) == (Status.FAILED, "Denied.", "Allow it.")
