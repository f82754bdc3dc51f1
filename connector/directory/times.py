"""Points in time as text: RFC 3339 in UTC with milliseconds, so that text sorts as time does (RFC 7643, 2.3.5)."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(moment: datetime) -> str:
    """Write a point in time, cut to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_milliseconds(milliseconds: int) -> str:
    """Write the point in time so many milliseconds after 1970."""
    return rfc3339(_EPOCH + timedelta(milliseconds=milliseconds))


def to_milliseconds(text: str) -> int:
    """Read what `rfc3339` wrote."""
    return round((datetime.fromisoformat(text) - _EPOCH) / timedelta(milliseconds=1))
