"""What states are called on pages, and their tone, which is a shape and a colour beside the word and never alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.directory.changes import Change, ChangeKind


@dataclass(frozen=True, slots=True)
class Word:
    """A state as it is shown.

    Args:
        text: what it is called.
        tone: `good`, `attention`, `bad`, `busy` or `quiet`.
    """

    text: str
    tone: str


KINDS = {
    "sync": "Sync",
    "plan": "Plan only",
    "check": "Test Connectivity",
    "delta": "Change feed",
    "rotate": "Rotation",
    "walk": "Try of an importer",
}
CAUSES = {"schedule": "the schedule", "console": "the console", "api": "the API", "command": "the command line"}
PHASES = {
    "reading": "Reading the pool",
    "comparing": "Comparing with what is published",
    "cancelling": "Cancelling",
    "walking": "Walking through the endpoint",
    "publishing": "Publishing",
}
_OUTCOMES = {
    "published": Word("Published", "good"),
    "unchanged": Word("Unchanged", "good"),
    "refused": Word("Refused", "attention"),
    "incomplete": Word("Incomplete", "bad"),
    "failed": Word("Failed", "bad"),
    "passed": Word("Passed", "good"),
    "rotated": Word("Rotated", "good"),
    "partly": Word("Partly rotated", "attention"),
    "discarded": Word("Discarded", "quiet"),
}
_STATES = {"queued": Word("Queued", "quiet"), "running": Word("Under way", "busy")}
CANCELLED = "It was cancelled"


def outcome_of(kind: str, state: str, outcome: str | None, result: Mapping[str, Any] | None) -> Word:
    """Return what to call the state of a run."""
    if state != "ended":
        return _STATES[state]
    if kind == "plan" and outcome == "published":
        return Word("Would publish", "good")
    if kind == "plan" and outcome == "refused":
        return Word("Would be refused", "attention")
    if result and result.get("missed"):
        return Word("Missed", "attention")
    if result and str(result.get("cause", "")).startswith(CANCELLED):
        return Word("Cancelled", "quiet")
    return _OUTCOMES.get(outcome or "", Word((outcome or "ended").capitalize(), "quiet"))


EVENTS: Mapping[str, Word] = {
    "sign-in-accepted": Word("Signed in", "good"),
    "sign-in-refused": Word("Sign-in refused", "attention"),
    "token-issued": Word("Token issued", "good"),
    "client-created": Word("Client made", "good"),
    "client-revoked": Word("Client revoked", "attention"),
    "run-requested": Word("Run asked for", "quiet"),
    "run-cancelled": Word("Run cancelled", "quiet"),
    "plan-approved": Word("Plan approved", "attention"),
    "plan-discarded": Word("Plan discarded", "quiet"),
}
"""Each event of the audit trail."""
SEVERITIES = {"error": Word("Error", "bad"), "warning": Word("Warning", "attention"), "note": Word("Note", "quiet")}
"""How grave a finding on the AWS side is."""

CHECKS = {
    "configuration": "Configuration",
    "credentials": "Source credentials",
    "clock": "Clock",
    "assume_role": "Assume the role",
    "external_id": "ExternalId is asked for",
    "list_users": "List users",
    "list_groups": "List groups",
    "list_users_in_group": "List the users of a group",
    "configured_groups": "Configured groups",
    "store": "Store",
    "change_feed": "Change feed",
}
"""Each check in its order, by the name that it has in the contract."""
WALK_STEPS = {
    "address": "Address and certificate",
    "sign_in": "Sign-in",
    "discovery": "Schema",
    "connection_test": "Test of the connection",
    "users": "Users",
    "groups": "Groups",
    "memberships": "Memberships",
}
"""Each step of the try of an importer in its order."""
CHECK_STATUS = {
    "passed": Word("Passed", "good"),
    "warning": Word("Warning", "attention"),
    "failed": Word("Failed", "bad"),
    "skipped": Word("Not run", "quiet"),
}


def change_word(change: Change) -> Word:
    """Return what to call a change: a membership comes and goes, and whoever is deactivated is told apart."""
    words = {"created": Word("Created", "good"), "updated": Word("Changed", "quiet"), "removed": Word("Removed", "bad")}
    if change.kind is ChangeKind.MEMBERSHIPS:
        return Word("Added", "good") if change.change == "created" else Word("Left", "bad")
    if change.change == "updated" and change.now.get("active") is False:
        return Word("Deactivated", "attention")
    if change.change == "updated" and "userName" in change.was:
        return Word("Renamed", "attention")
    return words[change.change]
