"""The queue is read, its hints are stored, and only then are messages deleted (P40)."""

import json
import logging

import pytest

from connector.cognito.change_queue import QueueMessage, QueueState
from connector.directory.change_events import Watched
from connector.errors import SourceDenied, StoreError
from connector.runner.poller import FAULT_REST_SECONDS, REST_SECONDS, Poller
from connector.store.feed.marks import Marks
from connector.store.feed.reading_turn import ReadingTurn
from connector.store.feed.report import read_report

ANN = "11111111-1111-4111-8111-111111111111"
POOL = Watched("us-east-1_AbCdEf123", "123456789012", "us-east-1")


class Queue:
    """A standard queue: what was not deleted comes again (SQS API reference, ReceiveMessage)."""

    url = "https://sqs.us-east-1.amazonaws.com/123456789012/changes"

    def __init__(self, *bodies):
        self.bodies = list(bodies)
        self.opened = 0
        self.denies = False

    def open(self):
        """Count, and refuse where it is said so."""
        self.opened += 1
        if self.denies:
            raise SourceDenied("Denied.", remedy="Allow it.")
        return self, POOL

    def receive(self):
        """Return all that is left."""
        return [QueueMessage(body, str(number)) for number, body in enumerate(self.bodies[:10])]

    def delete(self, messages):
        """Delete what was received."""
        del self.bodies[: len(messages)]
        return 0

    def state(self):
        """What SQS tells."""
        return QueueState(len(self.bodies), 1_209_600, {}, has_dead_letters=True)


class NoRoom(Marks):
    """Marks of a store that is full."""

    def add(self, hints):
        """Store nothing."""
        list(hints)
        raise StoreError("The store is full.", remedy="Make room.")


def event(**detail):
    """Return an event as EventBridge delivers it, by CloudTrail (facts: AdminUpdateUserAttributes, captured 2026)."""
    told = {
        "eventSource": "cognito-idp.amazonaws.com",
        "eventName": "AdminUpdateUserAttributes",
        "recipientAccountId": POOL.account,
        "awsRegion": POOL.region,
        "requestParameters": {"userPoolId": POOL.user_pool_id, "username": "HIDDEN_DUE_TO_SECURITY_REASONS"},
        "additionalEventData": {"sub": ANN},
    }
    whole = {"source": "aws.cognito-idp", "account": POOL.account, "region": POOL.region, "detail": told | detail}
    return json.dumps(whole)


def poller(database, queue, *, marks=None, replica="one"):
    """Return what reads it."""
    return Poller(queue.open, marks or Marks(database), ReadingTurn(database, replica))


def test_who_was_announced_is_marked_and_the_message_deleted(database):
    """P40: an event is a hint; three about one user are one mark."""
    queue = Queue(event(), event(), event())

    assert poller(database, queue).look() == 0.0

    report = read_report(database)
    assert (report.users, report.backlog, queue.bodies) == (1, 3, [])


def test_nothing_is_deleted_that_was_not_stored(database):
    """P40: where the store takes no marks, the messages come again."""
    queue = Queue(event())

    assert poller(database, queue, marks=NoRoom(database)).look() == FAULT_REST_SECONDS
    assert (read_report(database).users, len(queue.bodies)) == (0, 1)
    assert poller(database, queue).look() == 0.0
    assert (read_report(database).users, queue.bodies) == (1, [])


def test_poison_is_deleted_and_told(database, caplog):
    """P40: nonsense marks nobody, and does not come for ever."""
    queue = Queue("\0" * 256_000, "{", "[]", '{"detail": {"eventName": ["?"]}}')

    with caplog.at_level(logging.WARNING):
        poller(database, queue).look()

    assert (read_report(database).users, queue.bodies) == (0, [])
    assert "nobody understands" in caplog.text


def test_a_fault_is_told_once_and_the_queue_opened_anew(database, caplog):
    """P25: with its remedy; what is refused now may be allowed later."""
    queue = Queue(event())
    queue.denies = True
    reader = poller(database, queue)

    with caplog.at_level(logging.WARNING):
        rests = [reader.look() for _ in range(3)]

    assert rests == [FAULT_REST_SECONDS] * 3
    assert caplog.text.count("Denied. Allow it.") == 1
    queue.denies = False
    assert (reader.look(), queue.opened) == (0.0, 4)


def test_an_unforeseen_fault_does_not_end_the_reading(database, caplog):
    """P40: whatever it was, the next messages are read; a thread that is gone would be a feed that is silent."""
    queue = Queue(event())
    receive, queue.receive = queue.receive, lambda: 1 / 0
    reader = poller(database, queue)

    with caplog.at_level(logging.WARNING):
        assert reader.look() == FAULT_REST_SECONDS

    assert "ZeroDivisionError" in caplog.text
    queue.receive = receive
    assert (reader.look(), queue.bodies) == (0.0, [])


def test_a_replica_whose_turn_it_is_not_rests(database):
    """P40: many replicas take turns; the next reads as soon as one stops."""
    queue = Queue(event())
    first, second = poller(database, queue), poller(database, queue, replica="two")

    assert (first.look(), second.look()) == (0.0, REST_SECONDS)
    first.start()
    first.stop()
    assert second.look() == 0.0


@pytest.mark.parametrize("detail", [{"errorCode": "UserNotFoundException"}, {"recipientAccountId": "999999999999"}])
def test_what_is_not_about_us_marks_nobody(database, detail):
    """P40: a call that failed, and somebody else's account."""
    queue = Queue(event(**detail))

    poller(database, queue).look()

    assert (read_report(database).users, queue.bodies) == (0, [])
