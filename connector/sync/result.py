"""What a sync or a plan ended with, in the shape that scripts and people read."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from connector.directory.change_plan import ChangePlan
from connector.directory.changes import Change
from connector.directory.counts import count_of
from connector.directory.runs import RunKind, RunOutcome
from connector.errors import ConnectorError
from connector.store.publishing.user_names import Renamed
from connector.sync.harvest import Reject

REFUSED_EXIT = 3
_PUBLISHING = frozenset({RunKind.SYNC, RunKind.DELTA})


@dataclass(frozen=True, slots=True)
class SyncResult:
    """The end of a run.

    Args:
        outcome: of a plan, what a sync would end with.
        generation: the number that is published now, None for a plan or before the first.
        reasons: why the safeguard refused.
        rejected: how many records cannot be served; `rejects` names the first of them.
        approved: the digest under which a refused plan was approved.
        fault: what kept the run from its end.
        notes: how many users had an attribute filled in or left out, by remark.
        renamed: who is served under another name than the wanted one.
        hint: how the pool could be read in less time, if that is known.
        command: how a person calls the command with the configuration of this run.
        marks: of a delta, how many users and groups it read, and how many are left marked.
        full_sync_due: of a delta, why a full sync is due.
    """

    run: int
    outcome: RunOutcome
    seconds: float
    plan: ChangePlan | None = None
    generation: int | None = None
    reasons: tuple[str, ...] = ()
    examples: tuple[Change, ...] = ()
    fault: ConnectorError | None = None
    rejects: tuple[Reject, ...] = ()
    rejected: int = 0
    approved: str = ""
    dropped_members: int = 0
    notes: Mapping[str, int] = field(default_factory=dict)
    renamed: tuple[Renamed, ...] = ()
    calls: Mapping[str, int] = field(default_factory=dict)
    throttled: int = 0
    hint: str = ""
    kind: RunKind = RunKind.SYNC
    command: str = "cognito-scim"
    marks: Mapping[str, int] | None = None
    full_sync_due: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """The exit code of a command that ends with this."""
        if self.fault:
            return self.fault.exit_code
        return REFUSED_EXIT if self.outcome is RunOutcome.REFUSED else 0

    @property
    def approve_command(self) -> str:
        """The command that publishes exactly this refused plan."""
        return f"{self.command} sync --approve {self.plan.digest}" if self.plan else ""

    def as_json(self) -> dict[str, Any]:
        """Return the document that `--json` prints."""
        document: dict[str, Any] = {"run": self.run, "outcome": self.outcome}
        if self.kind in _PUBLISHING:
            document["generation"] = self.generation
        if self.plan:
            document |= _describe(self.plan)
        if self.outcome is RunOutcome.REFUSED:
            document |= {"reason": "; ".join(self.reasons), "reasons": list(self.reasons)}
            document |= {"examples": [example.as_json() for example in self.examples]}
            if self.kind in _PUBLISHING and self.plan:
                document |= {"approve": self.approve_command, "making": asdict(self.plan.making)}
        if self.fault:
            document |= {"cause": self.fault.message, "remedy": self.fault.remedy, "retryable": self.fault.retryable}
        if self.approved:
            document["approved"] = self.approved
        if self.marks is not None:
            document |= {"marks": dict(self.marks), "full_sync_due": list(self.full_sync_due)}
        if self.hint:
            document["hint"] = self.hint
        return document | {
            "rejects": [asdict(reject) for reject in self.rejects],
            "rejected": self.rejected,
            "dropped_members": self.dropped_members,
            "notes": dict(self.notes),
            "renamed": [{"id": one.user_id, "wanted": one.wanted, "served": one.served} for one in self.renamed],
            "calls": dict(self.calls),
            "throttled": self.throttled,
            "seconds": round(self.seconds, 3),
        }

    def sentence(self) -> str:
        """Say in a line how it ended."""
        return f"{self._what_happened()} ({count_of(sum(self.calls.values()), 'call')}, {self.seconds:.1f} s)"

    def _what_happened(self) -> str:
        if self.fault:
            return f"Nothing was published, the directory stays as it was: {self.fault}"
        if self.plan is None and self.kind is RunKind.DELTA:
            return "Nothing was read." if self.full_sync_due else "Nothing that was announced is due to be read."
        if self.plan is None:
            return f"Run {self.run} ended: {self.outcome}."
        sizes = self.plan.harvested
        sizes_told = ((sizes.users, "user"), (sizes.groups, "group"), (sizes.memberships, "membership"))
        counts = ", ".join(count_of(number, noun) for number, noun in sizes_told)
        differences = _differences(self.plan)
        if self.kind is RunKind.PLAN and self.outcome is RunOutcome.PUBLISHED:
            return f"A sync would publish {counts}; {differences}."
        return {
            RunOutcome.PUBLISHED: f"Published generation {self.generation}: {counts}; {differences}.",
            RunOutcome.UNCHANGED: f"Unchanged since generation {self.plan.base}: {counts}.",
            RunOutcome.REFUSED: f"Refused, the directory stays as it was. It would be {counts}; {differences}.",
        }[self.outcome]


def _differences(plan: ChangePlan) -> str:
    parts = [
        f"{what} +{changes.created} ~{changes.updated} -{changes.removed}"
        for what, changes in (("users", plan.users), ("groups", plan.groups))
    ]
    return ", ".join([*parts, f"memberships +{plan.members_added} -{plan.members_removed}"])


def _describe(plan: ChangePlan) -> dict[str, Any]:
    return {
        "digest": plan.digest,
        "users": plan.harvested.users,
        "groups": plan.harvested.groups,
        "memberships": plan.harvested.memberships,
        "changes": {
            "users": asdict(plan.users),
            "groups": asdict(plan.groups),
            "memberships": {"added": plan.members_added, "removed": plan.members_removed},
        },
        "source": asdict(plan.source),
        "base": plan.base,
    }
