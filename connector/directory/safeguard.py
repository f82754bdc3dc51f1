"""Refuse a change of the directory that looks like an accident.

A whole plan is accepted or refused; nothing is applied in part (Entra Connect, GCDS). What takes away is limited, and
what changes who somebody is, for importers find people by userName or e-mail address. Promises P02, P05, P06.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields

from connector.directory.change_plan import ChangePlan
from connector.directory.counts import count_of
from connector.directory.mapping import Rules, describe_rules

_SHARE = r"(\d{1,3}(?:\.\d{1,6})?)\s*%"
_LIMIT = re.compile(rf"(\d{{1,12}})(?:\s+or\s+{_SHARE})?|{_SHARE}")


@dataclass(frozen=True, slots=True)
class Limit:
    """The larger of a number and a share of what is published."""

    number: int = 0
    percent: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "Limit":
        """Read `N`, `P%` or `N or P%`.

        Raises:
            ValueError: the text is none of these, or the share is over 100 %.
        """
        match = _LIMIT.fullmatch(text.strip())
        number, besides, alone = match.groups() if match else (None, None, None)
        percent = float(besides or alone or 0)
        if match is None or percent > 100:  # noqa: PLR2004 - percent
            raise ValueError(f"{text!r} is not a limit: write 10, 10% or 10 or 10%")
        return cls(int(number or 0), percent)

    def allows(self, changed: int, published: int) -> bool:
        """Tell whether so many changes among so many published are within the limit."""
        return changed <= max(self.number, published * self.percent / 100)

    def __str__(self) -> str:
        parts = [str(self.number)] if self.number or not self.percent else []
        return " or ".join([*parts, f"{self.percent:g}%"] if self.percent else parts)


_DEFAULT = Limit(10, 10.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one sync may take away or change; named as under `sync.safeguard` in the configuration."""

    max_removed_users: Limit = _DEFAULT
    max_removed_groups: Limit = _DEFAULT
    max_removed_memberships: Limit = _DEFAULT
    max_removed_members_per_group: Limit = _DEFAULT
    max_deactivated_users: Limit = _DEFAULT
    max_rejects: Limit = _DEFAULT
    max_renamed_users: Limit = _DEFAULT
    max_changed_emails: Limit = _DEFAULT
    max_emptied_groups: Limit = _DEFAULT


LIMIT_NAMES = tuple(field.name for field in fields(Limits))


@dataclass(frozen=True, slots=True)
class Accepted:
    """The plan may be published."""

    digest: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The plan must not be published, for these reasons, until a person approves it."""

    digest: str
    reasons: tuple[str, ...]


Verdict = Accepted | Refused


def judge(plan: ChangePlan, limits: Limits) -> Verdict:
    """Accept or refuse a plan as a whole.

    Refused whatever the limits: from some users, groups or memberships to none, a source other than the published one,
    a new list of groups that would remove anybody, and a new mapping that would change anybody. A single group may lose
    all its members within its limit: small ones do every day, and a refusal holds back everybody's changes.
    """
    reasons = (
        *_source_changed(plan),
        *_emptied(plan),
        *_groups_chosen_anew(plan),
        *_mapped_anew(plan),
        *_over_limit(plan, limits),
    )
    return Refused(plan.digest, reasons) if reasons else Accepted(plan.digest)


def _source_changed(plan: ChangePlan) -> Iterator[str]:
    old, new = plan.published_source, plan.source
    if old is None:
        return
    for what, was, now in (
        ("account", old.account, new.account),
        ("region", old.region, new.region),
        ("user pool", old.pool_id, new.pool_id),
    ):
        if was != now:
            yield f"the published directory was read from {what} {was}, this one from {now}"


def _emptied(plan: ChangePlan) -> Iterator[str]:
    for what, had, has in (
        ("user", plan.published.users, plan.harvested.users),
        ("group", plan.published.groups, plan.harvested.groups),
        ("membership", plan.published.memberships, plan.harvested.memberships),
    ):
        if had and not has:
            yield f"{f'the only {what}' if had == 1 else f'all {count_of(had, what)}'} would be removed"


def _groups_chosen_anew(plan: ChangePlan) -> Iterator[str]:
    old = plan.published_source
    removed = plan.users.removed + plan.groups.removed
    if old is not None and old.groups != plan.source.groups and removed:
        yield (
            f"the list of groups was changed, and {count_of(plan.users.removed, 'user')} "
            f"and {count_of(plan.groups.removed, 'group')} would be removed"
        )


def _mapped_anew(plan: ChangePlan) -> Iterator[str]:
    """Compare the mapping; a generation that recorded none counts as made with today's."""
    was, now = plan.published_making, plan.making
    if not was.mapping or not plan.users.updated:
        return
    values = {key: (was.mapping.get(key, ""), now.mapping.get(key, "")) for key in sorted({*was.mapping, *now.mapping})}
    changed = {key: (old, new) for key, (old, new) in values.items() if old != new}
    if not changed:
        return
    defaults = describe_rules(Rules())
    by_release = was.release != now.release and all(new == defaults.get(key, "") for key, (_, new) in changed.items())
    cause = f"release {now.release} has other defaults than {was.release}" if by_release else "the mapping was changed"
    shown = ", ".join(f"mapping.{key} from {old!r} to {new!r}" for key, (old, new) in changed.items())
    yield f"{cause} ({shown}), and {count_of(plan.users.updated, 'user')} would be changed"


def _over_limit(plan: ChangePlan, limits: Limits) -> Iterator[str]:
    published = plan.published
    served = (published if plan.base else plan.harvested).users + (published if plan.base else plan.harvested).groups
    for name, changed, out_of, what, fate in (
        ("max_removed_users", plan.users.removed, published.users, "user", "would be removed"),
        ("max_removed_groups", plan.groups.removed, published.groups, "group", "would be removed"),
        ("max_removed_memberships", plan.members_removed, published.memberships, "membership", "would be removed"),
        ("max_deactivated_users", plan.deactivated, published.users, "user", "would be deactivated"),
        ("max_rejects", plan.rejects, served, "record", "could not be served"),
        ("max_renamed_users", plan.renamed, published.users, "user", "would be renamed"),
        ("max_changed_emails", plan.changed_emails, published.users, "user", "would get another e-mail address"),
        ("max_emptied_groups", plan.emptied, published.groups, "group", "would become empty"),
    ):
        limit: Limit = getattr(limits, name)
        if not limit.allows(changed, out_of):
            yield f"{changed:,} of {count_of(out_of, what)} {fate}; sync.safeguard.{name} allows {limit}"
    per_group = limits.max_removed_members_per_group
    for loss in plan.losses:
        if not per_group.allows(loss.removed, loss.published):
            yield (
                f"group {loss.group!r} would lose {loss.removed:,} of {count_of(loss.published, 'member')}; "
                f"sync.safeguard.max_removed_members_per_group allows {per_group}"
            )
