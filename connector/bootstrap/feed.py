"""Wires the reading of the change feed's queue from Settings."""

import uuid
from functools import partial

from connector.bootstrap.from_settings import feed_times_of, queue_access_of
from connector.cognito.change_queue import ChangeQueue
from connector.cognito.meter import Meter
from connector.cognito.session import AwsSession
from connector.config import Settings
from connector.config.values import queue_region
from connector.directory.change_events import Watched
from connector.runner.feed_timetable import FeedTimetable
from connector.runner.poller import Poller
from connector.store.feed.due_runs import queue_due
from connector.store.feed.marks import Marks
from connector.store.feed.reading_turn import ReadingTurn
from connector.store.sql.database import Database


def feed_of(settings: Settings, database: Database) -> tuple[()] | tuple[FeedTimetable, Poller]:
    """Return what reads the queue beside serving and queues runs for it; nothing where there is no feed."""
    times = feed_times_of(settings)
    if times is None:
        return ()
    poller = Poller(partial(open_queue, settings), Marks(database), ReadingTurn(database, uuid.uuid4().hex))
    return FeedTimetable(partial(queue_due, database, times)), poller


def open_queue(settings: Settings) -> tuple[ChangeQueue, Watched]:
    """Return the queue, and the pool whose changes are wanted.

    Raises:
        SourceError, SourceDenied: AWS lets nobody in.
    """
    session = AwsSession(queue_access_of(settings), run="feed", meter=Meter())
    pool = settings.cognito.user_pool_id
    watched = Watched(pool, session.account(), settings.cognito.region)
    return session.queue(settings.feed.queue_url, region=queue_region(settings.feed.queue_url)), watched
