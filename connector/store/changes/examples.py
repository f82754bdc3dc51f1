"""A few changes to show with a refusal: of each kind that may be the reason, some; who goes first, who comes last."""

from collections.abc import Iterator
from dataclasses import replace

from connector.directory.change_plan import ChangePlan
from connector.directory.changes import Change, ChangeFilter
from connector.store.changes.changes_reader import ChangeList
from connector.store.changes.planned import PlannedChanges
from connector.store.changes.statements import Wanted
from connector.store.sql.database import Database

MOST = 10
_OF_EACH = 3


def pick_examples(database: Database, run: int, plan: ChangePlan) -> list[Change]:
    """Return up to ten changes that a plan would make; of users and groups that come or go, only the names.

    Args:
        database: the store.
        run: whose staging rows they are.
        plan: what they amount to.
    """
    changes = ChangeList(database, PlannedChanges(run, plan.base), f"The changes of run {run}")
    ranks = {change: rank for rank, change in enumerate(_told_by(plan))}
    picked: dict[str, tuple[int, Change]] = {}
    for share in (_OF_EACH, MOST):  # a large kind takes what the small ones leave
        for change, rank in ranks.items():
            for one in changes.page(Wanted(change=change), count=share):
                if len(picked) < MOST:
                    picked.setdefault(one.key, (rank, one))
    ordered = sorted(picked.values(), key=lambda ranked: ranked[0])
    return [one if one.change == ChangeFilter.UPDATED else replace(one, was={}, now={}) for _, one in ordered]


def _told_by(plan: ChangePlan) -> Iterator[ChangeFilter]:
    """Yield what becomes of anybody in a plan, the gravest first; what it does not do need not be looked for."""
    for change, number in (
        (ChangeFilter.REMOVED, plan.users.removed + plan.groups.removed + plan.members_removed),
        (ChangeFilter.DEACTIVATED, plan.deactivated),
        (ChangeFilter.RENAMED, plan.renamed),
        (ChangeFilter.EMAIL_CHANGED, plan.changed_emails),
        (ChangeFilter.EMPTIED, plan.emptied),
        (ChangeFilter.UPDATED, plan.users.updated + plan.groups.updated),
        (ChangeFilter.CREATED, plan.users.created + plan.groups.created + plan.members_added),
    ):
        if number:
            yield change
