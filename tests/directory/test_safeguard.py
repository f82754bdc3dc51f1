"""The safeguard: what it lets through and what it refuses."""

from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.directory.change_plan import ChangePlan, Changes, DirectorySource, GroupLoss, Making, Sizes
from connector.directory.safeguard import LIMIT_NAMES, Accepted, Limit, Limits, Refused, judge

HOME = DirectorySource("111122223333", "eu-west-1", "eu-west-1_A")
NONE_ALLOWED = Limits(**dict.fromkeys(LIMIT_NAMES, Limit(0)))
ALL_ALLOWED = Limits(**dict.fromkeys(LIMIT_NAMES, Limit(0, 100.0)))

STEADY = ChangePlan(
    digest="d",
    base=7,
    source=HOME,
    published_source=HOME,
    published=Sizes(200, 20, 400),
    harvested=Sizes(200, 20, 400),
    users=Changes(),
    groups=Changes(),
)


def test_a_plan_that_takes_nothing_away_is_accepted_under_the_strictest_limits():
    """P02: additions are never refused, nor changes that leave everybody who they are."""
    plan = replace(STEADY, users=Changes(created=500, updated=100), groups=Changes(created=5), members_added=900)

    assert judge(plan, NONE_ALLOWED) == Accepted("d")


@pytest.mark.parametrize(
    ("plan", "setting"),
    [
        (lambda n: replace(STEADY, users=Changes(removed=n)), "max_removed_users"),
        (lambda n: replace(STEADY, groups=Changes(removed=n)), "max_removed_groups"),
        (lambda n: replace(STEADY, members_removed=n), "max_removed_memberships"),
        (lambda n: replace(STEADY, losses=(GroupLoss("all", n, 100),)), "max_removed_members_per_group"),
        (lambda n: replace(STEADY, deactivated=n), "max_deactivated_users"),
        (lambda n: replace(STEADY, rejects=n), "max_rejects"),
        (lambda n: replace(STEADY, renamed=n), "max_renamed_users"),
        (lambda n: replace(STEADY, changed_emails=n), "max_changed_emails"),
        (lambda n: replace(STEADY, emptied=n), "max_emptied_groups"),
    ],
)
def test_each_limit_refuses_one_more_than_it_allows(plan, setting):
    """P02: at the limit a plan passes, one above it is refused, and the reason names the setting."""
    limits = replace(ALL_ALLOWED, **{setting: Limit(4)})

    assert judge(plan(4), limits) == Accepted("d")
    verdict = judge(plan(5), limits)
    assert isinstance(verdict, Refused)
    assert [f"sync.safeguard.{setting} allows 4" in reason for reason in verdict.reasons] == [True]


@given(
    removed=st.integers(0, 10_000),
    published=st.integers(1, 10_000),
    number=st.integers(0, 10_000),
    percent=st.integers(0, 100),
)
def test_removals_are_refused_exactly_above_the_larger_of_number_and_share(removed, published, number, percent):
    """P02: refused if and only if removals exceed max(number, share of what is published)."""
    plan = replace(STEADY, published=Sizes(published, 20, 400), users=Changes(removed=removed))
    limits = replace(ALL_ALLOWED, max_removed_users=Limit(number, float(percent)))

    refused = removed > number and removed * 100 > published * percent
    assert isinstance(judge(plan, limits), Refused) == refused


@pytest.mark.parametrize(
    ("harvested", "what"),
    [
        (Sizes(0, 20, 400), "all 200 users"),
        (Sizes(200, 0, 400), "all 20 groups"),
        (Sizes(200, 20, 0), "all 400 memberships"),
    ],
)
def test_from_some_to_none_is_refused_whatever_the_limits(harvested, what):
    """P02: an empty answer is never taken for an empty directory, nor for a directory of empty groups."""
    verdict = judge(replace(STEADY, harvested=harvested), ALL_ALLOWED)

    assert isinstance(verdict, Refused)
    assert verdict.reasons == (f"{what} would be removed",)


sizes = st.builds(Sizes, *[st.integers(0, 3)] * 3)


@given(published=sizes, harvested=sizes)
def test_nothing_but_from_some_to_none_is_refused_under_the_widest_limits(published, harvested):
    """P02: each of the three that would be empty is told; what was never there cannot be missed."""
    verdict = judge(replace(STEADY, published=published, harvested=harvested), ALL_ALLOWED)

    nouns = {"users": "user", "groups": "group", "memberships": "membership"}
    emptied = [name for name in nouns if getattr(published, name) > 0 and getattr(harvested, name) == 0]
    had = {name: getattr(published, name) for name in emptied}
    told = tuple(
        f"{f'the only {nouns[name]}' if had[name] == 1 else f'all {had[name]} {name}'} would be removed"
        for name in emptied
    )
    assert verdict == (Refused("d", told) if emptied else Accepted("d"))


@given(harvested=sizes)
def test_a_first_sync_may_find_anything(harvested):
    """P02: with nothing published yet there is nothing to lose, however strict the limits."""
    first = replace(STEADY, base=0, published=Sizes(), published_source=None, harvested=harvested)

    assert judge(first, NONE_ALLOWED) == Accepted("d")


def test_one_group_may_lose_all_its_members_within_its_limit():
    """P02: small groups become empty every day; how large a one may is what its limit says."""
    plan = replace(STEADY, harvested=Sizes(200, 20, 395), members_removed=5, losses=(GroupLoss("duty", 5, 5),))

    assert judge(plan, Limits()) == Accepted("d")
    assert judge(plan, replace(Limits(), max_removed_members_per_group=Limit(4))).reasons == (
        "group 'duty' would lose 5 of 5 members; sync.safeguard.max_removed_members_per_group allows 4",
    )


def test_an_empty_pool_may_stay_empty():
    """P02: from none to none nothing is lost."""
    plan = replace(STEADY, published=Sizes(), harvested=Sizes())

    assert judge(plan, NONE_ALLOWED) == Accepted("d")


@pytest.mark.parametrize(
    "other",
    [replace(HOME, account="444455556666"), replace(HOME, region="eu-west-2"), replace(HOME, pool_id="eu-west-1_B")],
)
def test_another_source_than_the_published_one_is_refused_whatever_the_limits(other):
    """P05: a changed account, Region or pool waits for a person."""
    verdict = judge(replace(STEADY, source=other), ALL_ALLOWED)

    assert isinstance(verdict, Refused)
    assert len(verdict.reasons) == 1


def test_a_new_list_of_groups_that_removes_somebody_is_refused():
    """P06: narrowing the list is a decision to confirm, also within the limits."""
    narrowed = replace(STEADY, source=replace(HOME, groups=("admins",)), users=Changes(removed=1))

    assert isinstance(judge(narrowed, ALL_ALLOWED), Refused)


def test_a_new_list_of_groups_that_removes_nobody_is_accepted():
    """P06: widening the list needs nobody's consent."""
    widened = replace(STEADY, source=replace(HOME, groups=("admins",)), users=Changes(created=9))

    assert judge(widened, NONE_ALLOWED) == Accepted("d")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"renamed": 100}, "100 of 100 users would be renamed; sync.safeguard.max_renamed_users allows 10 or 10%"),
        (
            {"changed_emails": 100},
            "100 of 100 users would get another e-mail address; sync.safeguard.max_changed_emails allows 10 or 10%",
        ),
        (
            {"emptied": 41},
            "41 of 400 groups would become empty; sync.safeguard.max_emptied_groups allows 10 or 10%",
        ),
    ],
)
def test_a_sync_that_changes_who_everybody_is_waits_for_approval(changed, reason):
    """P02: importers find people by userName or e-mail address; a pool whose attributes are blank looks like this."""
    plan = replace(STEADY, published=Sizes(100, 400, 400), **changed)

    assert judge(plan, Limits()) == Refused("d", (reason,))


MAPPED = Making({"user_name": "auto", "fallbacks.email": "{id}@x"}, "1.0")


def mapped(now, *, was=MAPPED, updated=1):
    """Return a plan made with another mapping than the published generation."""
    return replace(STEADY, users=Changes(updated=updated), making=now, published_making=was)


def test_another_mapping_that_changes_anybody_waits_for_approval_and_says_what_was_changed():
    """P02: whatever the limits; each setting is told, old and new."""
    verdict = judge(mapped(Making({"user_name": "custom:login", "fallbacks.email": "{id}@x"}, "1.0")), ALL_ALLOWED)

    told = "the mapping was changed (mapping.user_name from 'auto' to 'custom:login'), and 1 user would be changed"
    assert verdict == Refused("d", (told,))


def test_every_setting_that_differs_is_told():
    """P02: in the order of their names; a setting that one of them does not have is empty there."""
    verdict = judge(mapped(Making({"title": "vip"}, "2.0"), updated=7), ALL_ALLOWED)

    told = (
        "the mapping was changed (mapping.fallbacks.email from '{id}@x' to '', mapping.title from '' to 'vip', "
        "mapping.user_name from 'auto' to ''), and 7 users would be changed"
    )
    assert verdict.reasons == (told,)


@pytest.mark.parametrize(
    "plan",
    [
        mapped(MAPPED),
        mapped(replace(MAPPED, release="2.0")),
        mapped(Making({**MAPPED.mapping, "title": ""}, "1.0")),
        mapped(Making({"user_name": "sub"}, "1.0"), updated=0),
        mapped(Making({"user_name": "sub"}, "1.0"), was=Making()),
    ],
)
def test_a_mapping_that_is_the_same_or_changes_nobody_is_accepted(plan):
    """P02: another release alone is no other mapping; a generation that recorded none counts as made with today's."""
    assert judge(plan, NONE_ALLOWED) == Accepted("d")


def test_a_release_with_other_defaults_is_named_as_the_cause():
    """P02: where every value that differs is the default of today; else somebody changed the configuration."""
    default = {"user_name": "auto", "display_name": "name"}
    before = Making({"user_name": "auto", "display_name": ""}, "0.9")

    by_release = judge(mapped(Making(default, "1.0"), was=before, updated=3), ALL_ALLOWED).reasons
    dropped = judge(mapped(Making({}, "1.0"), was=Making({"motto": "custom:motto"}, "0.9")), ALL_ALLOWED).reasons
    by_hand = judge(mapped(Making({**default, "user_name": "sub"}, "1.0"), was=before), ALL_ALLOWED).reasons
    same_release = judge(mapped(Making(default, "0.9"), was=before), ALL_ALLOWED).reasons

    told = (
        "release 1.0 has other defaults than 0.9 (mapping.display_name from '' to 'name'), and 3 users would be changed"
    )
    assert by_release == (told,)
    assert dropped[0].startswith("release 1.0 has other defaults than 0.9 (mapping.motto from 'custom:motto' to '')")
    assert by_hand[0].startswith("the mapping was changed (")
    assert same_release[0].startswith("the mapping was changed (")


def test_every_reason_is_told():
    """P02: who has to decide sees all that speaks against the plan."""
    plan = replace(STEADY, users=Changes(removed=150), deactivated=100, members_removed=300)

    verdict = judge(plan, Limits())

    assert isinstance(verdict, Refused)
    assert len(verdict.reasons) == 3


def test_rejects_of_a_first_sync_count_against_what_was_read():
    """P17: with nothing published yet, the share is taken of the harvest."""
    first = replace(STEADY, base=0, published=Sizes(), published_source=None, harvested=Sizes(900, 100, 0))
    limits = replace(ALL_ALLOWED, max_rejects=Limit(0, 5.0))

    assert judge(replace(first, rejects=50), limits) == Accepted("d")
    assert isinstance(judge(replace(first, rejects=51), limits), Refused)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("10", Limit(10)),
        ("0", Limit(0)),
        ("5%", Limit(0, 5.0)),
        ("10%", Limit(0, 10.0)),
        ("100%", Limit(0, 100.0)),
        ("12.5%", Limit(0, 12.5)),
        ("2.5 %", Limit(0, 2.5)),
        ("10 or 10%", Limit(10, 10.0)),
        (" 10  or  10% ", Limit(10, 10.0)),
    ],
)
def test_a_limit_is_a_number_a_share_or_both(text, limit):
    """The three forms of the configuration."""
    assert Limit.parse(text) == limit


@pytest.mark.parametrize(
    "text", ["", "ten", "-1", "10 10%", "10 or", "or 10%", "101%", "10%%", "10% or 10", "1e3", "10or10%"]
)
def test_anything_else_is_no_limit(text):
    """A mistyped limit is an error, never a guess."""
    with pytest.raises(ValueError, match="is not a limit"):
        Limit.parse(text)


@given(number=st.integers(0, 999_999), percent=st.sampled_from([0.0, 0.5, 10.0, 100.0]))
def test_a_limit_reads_back_as_it_was_written(number, percent):
    """Reasons show limits in the form in which they are configured."""
    assert Limit.parse(str(Limit(number, percent))) == Limit(number, percent)


@pytest.mark.parametrize(
    ("limit", "text"), [(Limit(), "0"), (Limit(10), "10"), (Limit(0, 5.0), "5%"), (Limit(10, 2.5), "10 or 2.5%")]
)
def test_a_limit_is_shown_in_its_shortest_form(limit, text):
    """A reason repeats the limit as somebody would have written it."""
    assert str(limit) == text


def test_a_mistyped_limit_is_told_what_to_write():
    """The message shows what was written and the three forms."""
    with pytest.raises(ValueError, match="'ten'") as told:
        Limit.parse("ten")

    assert str(told.value) == "'ten' is not a limit: write 10, 10% or 10 or 10%"


def test_the_default_is_ten_or_a_tenth_of_everything():
    """P02: what is not configured is limited all the same."""
    assert Limits() == Limits(**dict.fromkeys(LIMIT_NAMES, Limit(10, 10.0)))


@pytest.mark.parametrize("value", [Limit(), Limits(), Accepted("d"), Refused("d", ())])
def test_a_verdict_and_its_limits_cannot_be_changed(value):
    """P02: nothing changes between judgement and publish, and nothing can be added."""
    with pytest.raises(FrozenInstanceError):
        setattr(value, value.__slots__[0], None)


EVERYTHING_WRONG = replace(
    STEADY,
    source=DirectorySource("444455556666", "eu-west-2", "eu-west-2_B", ("admins",)),
    harvested=Sizes(),
    users=Changes(removed=1, updated=11),
    groups=Changes(removed=2),
    members_removed=3,
    deactivated=4,
    losses=(GroupLoss("all", 6, 7),),
    rejects=5,
    renamed=8,
    changed_emails=9,
    emptied=10,
    making=Making({"title": "custom:title"}),
    published_making=Making({"title": ""}),
)


def test_reasons_say_what_would_happen_and_by_how_much():
    """P02, P05: sentences, in one order: another source, emptied, other groups, each limit with its setting."""
    verdict = judge(EVERYTHING_WRONG, NONE_ALLOWED)

    assert verdict.reasons == (
        "the published directory was read from account 111122223333, this one from 444455556666",
        "the published directory was read from region eu-west-1, this one from eu-west-2",
        "the published directory was read from user pool eu-west-1_A, this one from eu-west-2_B",
        "all 200 users would be removed",
        "all 20 groups would be removed",
        "all 400 memberships would be removed",
        "the list of groups was changed, and 1 user and 2 groups would be removed",
        "the mapping was changed (mapping.title from '' to 'custom:title'), and 11 users would be changed",
        "1 of 200 users would be removed; sync.safeguard.max_removed_users allows 0",
        "2 of 20 groups would be removed; sync.safeguard.max_removed_groups allows 0",
        "3 of 400 memberships would be removed; sync.safeguard.max_removed_memberships allows 0",
        "4 of 200 users would be deactivated; sync.safeguard.max_deactivated_users allows 0",
        "5 of 220 records could not be served; sync.safeguard.max_rejects allows 0",
        "8 of 200 users would be renamed; sync.safeguard.max_renamed_users allows 0",
        "9 of 200 users would get another e-mail address; sync.safeguard.max_changed_emails allows 0",
        "10 of 20 groups would become empty; sync.safeguard.max_emptied_groups allows 0",
        "group 'all' would lose 6 of 7 members; sync.safeguard.max_removed_members_per_group allows 0",
    )


def test_rejects_of_a_first_sync_are_told_out_of_what_was_read():
    """P17: users and groups together are what a record can be."""
    first = replace(STEADY, base=0, published=Sizes(), published_source=None, harvested=Sizes(90, 7, 0), rejects=5)

    assert judge(first, NONE_ALLOWED).reasons == (
        "5 of 97 records could not be served; sync.safeguard.max_rejects allows 0",
    )


def test_a_new_list_of_groups_counts_users_and_groups_together():
    """P06: as many of the one as of the other are still somebody."""
    narrowed = replace(STEADY, source=replace(HOME, groups=("a",)), users=Changes(removed=1), groups=Changes(removed=1))

    assert isinstance(judge(narrowed, ALL_ALLOWED), Refused)
