"""Who of many replicas reads the queue, and what is remembered of it: which queue, and when it was read last.

SQS lets any number read one queue; turns only save calls. A turn is a row with an expiry on the database's clock.
"""

from sqlalchemy import insert, or_, select, update

from connector.store.feed.state import BACKLOG, note_state
from connector.store.feed.sync_requests import ask
from connector.store.sql.clock import CLOCK, read_clock
from connector.store.sql.database import Database
from connector.store.sql.tables import feed_state

TURN = "turn"
"""Until when whose turn it is."""

QUEUE = "queue"
"""Which queue was read last, and when."""

TURN_SECONDS = 60.0
"""After which a reader that was killed is replaced; longer than a long poll."""

OTHER_QUEUE = "The change feed is new, or its queue is another one."
GAP = "The queue was not read for longer than it keeps messages."


class ReadingTurn:
    """The turn of one replica.

    Args:
        database: the store.
        replica: a name that no other replica has.
    """

    def __init__(self, database: Database, replica: str) -> None:
        self._database = database
        self._replica = replica

    def take(self) -> bool:
        """Take the turn, or keep it, and tell whether it is ours now.

        Raises:
            StoreError: nobody can tell.
        """
        state = feed_state.c
        with self._database.writing() as connection:
            now = read_clock(connection)
            ours = {"at": now + int(TURN_SECONDS * 1000), "detail": self._replica}
            free = state.name == TURN, or_(state.detail == self._replica, state.at <= CLOCK)
            if connection.execute(update(feed_state).where(*free).values(ours)).rowcount:
                return True
            if connection.scalar(select(state.name).where(state.name == TURN)) is not None:
                return False
            connection.execute(insert(feed_state).values(name=TURN, **ours))
            return True

    def give_back(self) -> None:
        """Let another replica read at once."""
        state = feed_state.c
        ours = state.name == TURN, state.detail == self._replica
        with self._database.writing() as connection:
            connection.execute(update(feed_state).where(*ours).values(at=0))

    def note_reading(self, queue: str, *, retention: int, backlog: int) -> None:
        """Remember that a queue is read now, and ask for a full sync where messages may have been missed since.

        Args:
            queue: its URL.
            retention: for how many seconds it keeps messages; 0 = unknown.
            backlog: how many messages wait in it.
        """
        state = feed_state.c
        with self._database.writing() as connection:
            now = read_clock(connection)
            last = connection.execute(select(state.at, state.detail).where(state.name == QUEUE)).one_or_none()
            if last is None or last.detail != queue:
                ask(connection, OTHER_QUEUE, now)
            elif retention and now - last.at > retention * 1000:
                ask(connection, GAP, now)
            note_state(connection, QUEUE, now, queue)
            note_state(connection, BACKLOG, now, str(backlog))
