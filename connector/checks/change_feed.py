"""Examine the queue of the change feed: it can be read and cleared, only its rule fills it, and it is alive (P25)."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from connector.checks.connectivity import Remark
from connector.cognito.change_queue import QueueState

EVENTBRIDGE = "events.amazonaws.com"

PULSE_SECONDS = 900
"""A rule sends a pulse every five minutes; three of them may be late."""

ADVISED_RETENTION = 1_209_600
"""Seconds for which SQS keeps a message at most: 14 days."""


class ExaminedQueue(Protocol):
    """The queue; see `connector.cognito.change_queue`."""

    def prove_readable(self) -> None:
        """Read a message and leave it there."""

    def prove_deletable(self) -> None:
        """Make sure that messages may be deleted."""

    def state(self) -> QueueState:
        """Return what SQS tells of the queue."""


def examine_feed(queue: ExaminedQueue, *, since_pulse: float | None) -> Iterator[Remark]:
    """Yield what deserves a second look.

    Args:
        queue: is asked with the three actions that the feed needs; no message is deleted.
        since_pulse: seconds since the last pulse came, None when none ever did.

    Raises:
        SourceError, SourceMissing: the queue cannot be read or cleared.
    """
    queue.prove_readable()
    queue.prove_deletable()
    state = queue.state()
    admitting = [statement for statement in _statements(state.policy) if _admits_events(statement)]
    if not admitting:
        yield Remark(
            "The policy of the queue lets no rule of EventBridge send to it.",
            f"Allow sqs:SendMessage on the queue to {EVENTBRIDGE}, for the ARN of the rule (aws:SourceArn).",
        )
    elif not all("Condition" in statement for statement in admitting):
        yield Remark(
            "The policy of the queue lets every rule of everybody send to it.",
            "Add the condition that aws:SourceArn is the ARN of the rule.",
        )
    if state.retention < ADVISED_RETENTION:
        yield Remark(
            f"The queue keeps messages for {state.retention / 86_400:.3g} days only, after which they are gone unread.",
            "Set its message retention period to 14 days.",
        )
    if since_pulse is None or since_pulse > PULSE_SECONDS:
        seen = "never came" if since_pulse is None else f"came {since_pulse / 60:,.0f} minutes ago"
        yield Remark(
            f"The last pulse of the rule {seen}.",
            "Make sure that serve runs with this feed.queue_url, and that the pulse rule, rate(5 minutes), is enabled"
            " and has the queue as its target.",
        )


def _statements(policy: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = policy.get("Statement", [])
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]


def _admits_events(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    services = _texts(principal.get("Service")) if isinstance(principal, dict) else _texts(principal)
    actions = {action.casefold() for action in _texts(statement.get("Action"))}
    return (
        statement.get("Effect") == "Allow"
        and bool({EVENTBRIDGE, "*"} & set(services))
        and bool({"sqs:sendmessage", "sqs:*", "*"} & actions)
    )


def _texts(value: Any) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
