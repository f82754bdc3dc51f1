"""Whose turn it is to read the queue, and what is asked for when messages may have been missed (P40)."""

from sqlalchemy import update

from connector.store.feed.reading_turn import GAP, OTHER_QUEUE, TURN_SECONDS, ReadingTurn
from connector.store.feed.report import read_report
from connector.store.sql.tables import feed_state

QUEUE, OTHER = "https://queue.example.com/1", "https://queue.example.com/2"
DAY = 86_400


def let_time_pass(database, seconds):
    """Make all that is known of the feed older."""
    with database.writing() as connection:
        connection.execute(update(feed_state).values(at=feed_state.c.at - int(seconds * 1000)))


def test_one_replica_reads_at_a_time(database):
    """P40: the one whose turn it is keeps it; another gets it when it is given back, or its holder is dead."""
    one, two = ReadingTurn(database, "one"), ReadingTurn(database, "two")

    assert (one.take(), two.take(), one.take()) == (True, False, True)
    one.give_back()
    assert (two.take(), one.take()) == (True, False)
    let_time_pass(database, TURN_SECONDS + 1)
    assert (one.take(), two.take()) == (True, False)


def test_a_turn_that_is_somebody_elses_is_not_given_back(database):
    """P40: a reader that was replaced changes nothing when it stops."""
    one, two = ReadingTurn(database, "one"), ReadingTurn(database, "two")
    one.take()

    two.give_back()

    assert not two.take()


def test_a_new_queue_and_a_gap_ask_for_a_full_sync(database):
    """P40: what was sent before anybody read, or was thrown away unread, is found by a full sync only."""
    turn = ReadingTurn(database, "one")

    turn.note_reading(QUEUE, retention=DAY, backlog=3)
    assert read_report(database).full_sync_due == (OTHER_QUEUE,)
    assert read_report(database).backlog == 3
    let_time_pass(database, 2 * DAY)
    turn.note_reading(QUEUE, retention=DAY, backlog=0)
    assert set(read_report(database).full_sync_due) == {OTHER_QUEUE, GAP}


def test_reading_on_asks_for_nothing(database):
    """P40: the same queue, read again in time, has missed nothing."""
    turn = ReadingTurn(database, "one")
    turn.note_reading(QUEUE, retention=DAY, backlog=0)
    asked = read_report(database).full_sync_due

    let_time_pass(database, DAY / 2)
    turn.note_reading(QUEUE, retention=DAY, backlog=0)

    assert read_report(database).full_sync_due == asked
