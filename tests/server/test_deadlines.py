"""Deadlines of requests that arrive, on real sockets and by a clock of the test."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from connector.server.deadlines import ARRIVAL_SECONDS, GRACE_SECONDS, Deadlines


@dataclass(eq=False)
class Connection:
    """A connection to a server, and the client's end of it."""

    sock: socket.socket
    client: socket.socket


class Clock:
    """Seconds that pass when the test says so."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def connection() -> Iterator[Connection]:
    """An open connection, on which a read that would wait fails."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        yield Connection(ours, theirs)


@pytest.fixture
def clock() -> Clock:
    """The clock of the deadlines."""
    return Clock()


@pytest.fixture
def deadlines(clock: Clock) -> Deadlines:
    """Deadlines by that clock."""
    return Deadlines(clock)


def test_a_request_that_is_late_ends(deadlines: Deadlines, clock: Clock, connection: Connection) -> None:
    """At its deadline, and not before, the server reads the end; the answer can still be sent."""
    deadlines.begin(connection)
    deadlines.watch(connection)
    clock.now = ARRIVAL_SECONDS - 1
    deadlines.enforce()
    with pytest.raises(BlockingIOError):
        connection.sock.recv(1)

    clock.now = ARRIVAL_SECONDS
    deadlines.enforce()
    connection.sock.sendall(b"late")

    assert (connection.sock.recv(1), connection.client.recv(4)) == (b"", b"late")


def test_what_has_arrived_is_read_after_the_deadline(
    deadlines: Deadlines, clock: Clock, connection: Connection
) -> None:
    """A whole request that waited for a thread is none that is late."""
    connection.client.sendall(b"request")
    deadlines.begin(connection)
    deadlines.watch(connection)
    clock.now = ARRIVAL_SECONDS
    deadlines.enforce()

    assert (connection.sock.recv(100), connection.sock.recv(100)) == (b"request", b"")


def test_an_answer_has_no_deadline(deadlines: Deadlines, clock: Clock, connection: Connection) -> None:
    """Once the request is there the connection stays open, for the next one too."""
    deadlines.begin(connection)
    deadlines.watch(connection)
    deadlines.lift(connection)
    clock.now = 10 * ARRIVAL_SECONDS
    deadlines.enforce()
    connection.client.sendall(b"next")

    assert connection.sock.recv(4) == b"next"


def test_header_and_body_have_one_deadline(deadlines: Deadlines, clock: Clock, connection: Connection) -> None:
    """Who goes on to read waits until the same moment: a byte now and then wins no time."""
    deadlines.begin(connection)
    deadlines.watch(connection)
    deadline = deadlines.lift(connection)
    clock.now = ARRIVAL_SECONDS
    deadlines.resume(connection, deadline)
    deadlines.enforce()

    assert (deadline, connection.sock.recv(1)) == (ARRIVAL_SECONDS, b"")


def test_a_client_that_has_gone_disturbs_nobody(deadlines: Deadlines, clock: Clock, connection: Connection) -> None:
    """A connection that is closed already is passed over."""
    deadlines.begin(connection)
    deadlines.watch(connection)
    connection.sock.close()
    clock.now = ARRIVAL_SECONDS
    deadlines.enforce()

    assert deadlines.lift(connection) == ARRIVAL_SECONDS


def test_who_waited_for_a_thread_gets_a_moment(deadlines: Deadlines, clock: Clock, connection: Connection) -> None:
    """Nobody is ended in the queue, where no handshake can be made; the wait counts but for a moment."""
    deadlines.begin(connection)
    clock.now = 2 * ARRIVAL_SECONDS
    deadlines.enforce()
    deadlines.watch(connection)

    assert deadlines.lift(connection) == 2 * ARRIVAL_SECONDS + GRACE_SECONDS
