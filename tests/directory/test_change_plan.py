"""The plan as plain data: when it changes nothing, and what its digest names."""

import hashlib
from dataclasses import FrozenInstanceError, replace

import pytest

from connector.directory.change_plan import (
    UNRECORDED,
    ChangePlan,
    Changes,
    DirectorySource,
    GroupLoss,
    Making,
    Sizes,
    digest_of,
)

HOME = DirectorySource("111122223333", "eu-west-1", "eu-west-1_A", ("admins",))
CHANGES = [("groups", "g1", "created", "d1"), ("users", "u1", "removed", "")]
PLAN = ChangePlan("d", 7, HOME, HOME, Sizes(), Sizes(), Changes(), Changes())


def test_a_digest_names_base_source_and_every_change():
    """P03: the digest is the SHA-256 of exactly these JSON documents, so that versions of the program agree on it."""
    said = (
        b'[7, {"account": "111122223333", "region": "eu-west-1", "pool_id": "eu-west-1_A", "groups": ["admins"]}]'
        b'["groups", "g1", "created", "d1"]["users", "u1", "removed", ""]'
    )

    assert hashlib.sha256(said).hexdigest() == digest_of(7, HOME, CHANGES)


@pytest.mark.parametrize(
    ("base", "source", "changes"),
    [
        (8, HOME, CHANGES),
        (7, replace(HOME, account="444455556666"), CHANGES),
        (7, replace(HOME, groups=()), CHANGES),
        (7, HOME, CHANGES[:1]),
        (7, HOME, CHANGES[::-1]),
        (7, HOME, [CHANGES[0], ("users", "u1", "updated", "")]),
    ],
)
def test_no_other_plan_has_the_digest(base, source, changes):
    """P03: an approval is for one plan."""
    assert digest_of(base, source, changes) != digest_of(7, HOME, CHANGES)


@pytest.mark.parametrize("changes", [Changes(created=1), Changes(updated=1), Changes(removed=1)])
@pytest.mark.parametrize("kind", ["users", "groups"])
def test_a_plan_changes_something_when_anything_comes_changes_or_goes(kind, changes):
    """P06: of either kind, one is enough."""
    assert not replace(PLAN, **{kind: changes}).changes_nothing


def test_a_plan_without_changes_changes_nothing_unless_nothing_is_published():
    """P04: an empty pool read for the first time is a generation, not an unchanged one."""
    assert PLAN.changes_nothing is True
    assert replace(PLAN, base=1).changes_nothing is True
    assert replace(PLAN, base=0).changes_nothing is False


def test_what_is_not_said_counts_as_nothing():
    """P06: a plan of which less is known takes nothing away."""
    assert DirectorySource("a", "r", "p").groups == ()
    assert Sizes() == Sizes(0, 0, 0)
    assert Changes() == Changes(0, 0, 0)
    assert (PLAN.members_added, PLAN.members_removed, PLAN.deactivated, PLAN.losses, PLAN.rejects) == (0, 0, 0, (), 0)
    assert (PLAN.renamed, PLAN.changed_emails, PLAN.emptied) == (0, 0, 0)


@pytest.mark.parametrize("value", [HOME, UNRECORDED, Sizes(), Changes(), GroupLoss("g", 1, 2), PLAN])
def test_a_plan_cannot_be_changed_between_judgement_and_publish(value):
    """P03: what was judged is what is published, and nothing can be added to it."""
    with pytest.raises(FrozenInstanceError):
        setattr(value, value.__slots__[0], None)


def test_what_a_plan_turns_over_is_counted_together():
    """P06: who is listed is whom these numbers count; a version ends for each that changes, goes or leaves."""
    plan = replace(PLAN, users=Changes(1, 2, 4), groups=Changes(8, 16, 32), members_added=64, members_removed=128)

    assert (plan.changes, plan.versions_ended) == (255, 2 + 4 + 16 + 32 + 128)


def test_a_making_that_was_not_recorded_is_empty():
    """P02: it counts as today's."""
    assert Making({}, "") == UNRECORDED
