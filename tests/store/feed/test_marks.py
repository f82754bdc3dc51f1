"""What the change feed announced stays marked until it was read late enough, on each database."""

import pytest
from sqlalchemy import update

from connector.directory.hints import Hint
from connector.directory.rows import Kind
from connector.store.feed import marks as feed
from connector.store.feed.marks import FeedTimes, Marks, answer_feed
from connector.store.feed.report import read_report
from connector.store.feed.sync_requests import grant
from connector.store.sql.tables import feed_marks

AT_ONCE = FeedTimes(debounce=0, settle=1000)
SETTLED = FeedTimes(debounce=0, settle=0)
LATER = FeedTimes(debounce=1000, settle=1000)
ANN = Hint(users=("ann",))


@pytest.fixture
def marks(database):
    """The marks of an empty store."""
    return Marks(database)


def keys(taken):
    """Return what was taken."""
    return [(mark.kind, mark.key) for mark in taken.marks]


def pass_time(marks, seconds):
    """Let everything that is known have happened earlier."""
    earlier = {name: feed_marks.c[name] - seconds * 1000 for name in ("first_at", "last_at", "read_at")}
    with marks._database.writing() as connection:
        connection.execute(update(feed_marks).values(earlier))


def test_many_events_about_one_user_are_one_mark(marks):
    """P40: doubled and repeated events cost nothing more; users and groups are apart."""
    marks.add([ANN, ANN, Hint(users=("bo",), groups=("ann",))])
    marks.add([ANN])

    assert sorted(keys(marks.take(AT_ONCE, most=10))) == [("groups", "ann"), ("users", "ann"), ("users", "bo")]
    assert (marks.count(), marks.take(AT_ONCE, most=1).due) == (3, 3)


def test_a_mark_rests_for_a_moment_before_it_is_read(marks):
    """A burst of events costs one read; about whom events never cease is read all the same."""
    marks.add([ANN])
    assert not marks.is_due(LATER)

    pass_time(marks, 1001)
    assert marks.is_due(LATER)

    marks.add([ANN])
    assert not marks.is_due(LATER)
    pass_time(marks, 1999)
    marks.add([ANN])
    assert marks.is_due(LATER)


def test_only_a_read_after_the_lists_have_settled_removes_a_mark(marks):
    """P40: the early read may have seen an old list, so there is a second one."""
    marks.add([ANN])
    early = marks.take(AT_ONCE, most=10)
    marks.note_read(early.marks, began=early.began + 1)

    assert (marks.count(), marks.is_due(AT_ONCE)) == (1, False)

    pass_time(marks, 1001)
    late = marks.take(AT_ONCE, most=10)
    marks.note_read(late.marks, began=late.began)

    assert [mark.is_settled for mark in (*early.marks, *late.marks)] == [False, True]
    assert marks.count() == 0


def test_what_is_announced_while_it_is_read_stays_marked(marks):
    """P40: the read may have been before the change."""
    marks.add([ANN])
    pass_time(marks, 5)
    taken = marks.take(SETTLED, most=10)
    marks.add([ANN])
    marks.note_read(taken.marks, began=taken.began)

    assert keys(marks.take(SETTLED, most=10)) == [(Kind.USERS, "ann")]


def test_what_is_unclear_is_read_again_after_a_while(marks):
    """P40: where Cognito contradicts itself, the mark stays, and is not asked about without end."""
    marks.add([ANN])
    pass_time(marks, 1001)
    taken = marks.take(AT_ONCE, most=10)
    marks.note_read(taken.marks, began=taken.began, unclear=taken.marks)

    assert not marks.is_due(AT_ONCE)
    pass_time(marks, 1001)
    assert marks.is_due(AT_ONCE)


def test_marks_of_a_plan_that_no_longer_waits_are_due_again(marks):
    """P41: what is held is held only while somebody can approve it."""
    marks.add([ANN])
    taken = marks.take(AT_ONCE, most=10)
    marks.hold(taken.marks, began=taken.began, run=12)
    pass_time(marks, 1001)

    assert marks.is_due(AT_ONCE)


def test_a_full_sync_clears_only_what_had_settled_when_it_began(marks):
    """P40: a mark younger than that may be of a change which the lists did not show yet."""
    marks.add([ANN])
    pass_time(marks, 50)
    marks.add([Hint(users=("bo",))])
    began = marks.take(SETTLED, most=1).began
    answer_feed(marks._database, FeedTimes(settle=30), began=began)

    assert keys(marks.take(SETTLED, most=10)) == [(Kind.USERS, "bo")]


def test_a_full_sync_is_asked_for_once_for_each_reason(marks):
    """What came after it began is not answered by it."""
    marks.add([Hint(full_sync=("The schema was changed.",)), Hint(full_sync=("The schema was changed.",), pulse=True)])
    marks.ask_for_full_sync("The queue was changed.")
    report = read_report(marks._database)
    with marks._database.writing() as connection:
        grant(connection, began=int(report.now * 1000) - 60_000)

    assert sorted(report.full_sync_due) == ["The queue was changed.", "The schema was changed."]
    assert sorted(read_report(marks._database).full_sync_due) == sorted(report.full_sync_due)

    with marks._database.writing() as connection:
        grant(connection, began=int(report.now * 1000) + 60_000)
    assert read_report(marks._database).full_sync_due == ()


def test_too_many_marks_ask_for_a_full_sync_instead(marks, monkeypatch):
    """P40: ten thousand forged subs fill no disk; what is not marked is read by the full sync."""
    monkeypatch.setattr(feed, "MOST_MARKS", 3)
    marks.add([Hint(users=("a", "b", "c"))])
    marks.add([Hint(users=("d",))])

    assert marks.count() == 3
    assert "announced as changed" in read_report(marks._database).full_sync_due[0]


def test_what_the_report_says(marks):
    """Lag, pulse, marks and why it stopped, on the database's clock."""
    empty = read_report(marks._database)
    marks.add([Hint(users=("ann", "bo"), groups=("staff",), pulse=True, stop="The user pool was deleted.")])
    pass_time(marks, 30)
    report = read_report(marks._database)

    assert (empty.users, empty.lag, empty.last_pulse, empty.last_message) == (0, 0.0, None, None)
    assert (report.users, report.groups, report.held, report.stopped) == (2, 1, 0, "The user pool was deleted.")
    assert 30 <= report.lag < 60
    assert report.last_pulse == report.last_message
