"""The sample directory holds what the demonstration promises, whatever its size."""

import json
import unicodedata
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from connector.demo.sample_directory import EVERYBODY, NOBODY, sample_directory
from connector.directory.records import UserRecord

POOL = "eu-central-1_Sample"


def twenty() -> tuple[UserRecord, ...]:
    """The smallest sample that holds each kind of account."""
    return sample_directory(users=20, groups=12, pool_id=POOL).users


def test_same_numbers_give_the_same_directory() -> None:
    """What was shown once can be shown again."""
    expected = sample_directory(users=60, groups=15, pool_id=POOL)

    actual = sample_directory(users=60, groups=15, pool_id=POOL)

    assert expected == actual


@given(users=st.integers(0, 120), groups=st.integers(1, 40))
def test_sample_has_the_size_that_was_asked_for(users: int, groups: int) -> None:
    """Any number of users from 0 and of groups from 1."""
    sample = sample_directory(users=users, groups=groups, pool_id=POOL)

    assert (users, groups, groups) == (len(sample.users), len(sample.groups), len(sample.members))


def test_a_larger_sample_begins_with_the_smaller_one() -> None:
    """Who somebody is does not depend on how many there are."""
    expected = twenty()

    actual = sample_directory(users=200, groups=12, pool_id=POOL).users[:20]

    assert expected == actual


def test_nobody_comes_twice() -> None:
    """Usernames, subs, e-mail addresses and phone numbers are each one person's."""
    users = sample_directory(users=3000, groups=1, pool_id=POOL).users

    for values in (
        [user.username for user in users],
        [user.sub for user in users],
        [user.attributes["email"] for user in users if "email" in user.attributes],
        [user.attributes["phone_number"] for user in users if "phone_number" in user.attributes],
    ):
        assert [value for value, times in Counter(values).items() if times > 1] == []


def test_twenty_people_hold_every_status() -> None:
    """Each status that Cognito still gives is there, and an account that is switched off."""
    expected = {"CONFIRMED", "UNCONFIRMED", "RESET_REQUIRED", "FORCE_CHANGE_PASSWORD", "EXTERNAL_PROVIDER"}

    assert expected == {user.status for user in twenty()}
    assert {True, False} == {user.enabled for user in twenty()}


def test_twenty_people_hold_every_way_to_sign_in() -> None:
    """A name, a generated username with a verified e-mail address, and an identity provider's."""
    generated = [user for user in twenty() if user.username == user.sub]
    federated = [user for user in twenty() if user.status == "EXTERNAL_PROVIDER"]

    assert "true" in {user.attributes.get("email_verified") for user in generated}
    assert [user.username.startswith("Google_") for user in federated] == [True, True]
    assert [user.username for user in federated] == [
        f"{identity['providerName']}_{identity['userId']}"
        for user in federated
        for identity in json.loads(user.attributes["identities"])
    ]


def test_twenty_people_need_every_fallback() -> None:
    """Somebody has no family name, somebody no name at all, somebody no e-mail address, and one address is local."""
    for missing in ("family_name", "name", "given_name", "email", "phone_number", "address"):
        assert [user for user in twenty() if missing not in user.attributes] != []
    assert [user for user in twenty() if user.attributes.get("email", "").endswith("@corp.local")] != []


def test_attributes_are_never_empty() -> None:
    """Cognito has no empty attributes; what was not filled in is not there."""
    empty = [user for user in twenty() if not all(user.attributes.values())]

    assert empty == []


def test_people_write_their_names_in_many_scripts() -> None:
    """Importers meet more than Latin letters."""
    expected = {"ARABIC", "CJK", "CYRILLIC", "DEVANAGARI", "GREEK", "HANGUL", "HEBREW", "HIRAGANA", "LATIN"}
    names = "".join(
        user.attributes.get("name", "") for user in sample_directory(users=250, groups=1, pool_id=POOL).users
    )

    actual = {unicodedata.name(letter).split()[0] for letter in names if letter.isalpha()}

    assert expected == expected & actual


def test_groups_are_large_empty_and_the_providers_own() -> None:
    """One group holds nearly everybody, one nobody, one those who came from the provider; some people are in none."""
    sample = sample_directory(users=250, groups=12, pool_id=POOL)
    federated = tuple(user.username for user in sample.users if user.status == "EXTERNAL_PROVIDER")
    in_some_group = {username for members in sample.members.values() for username in members}

    assert len(sample.members[EVERYBODY]) == 225
    assert sample.members[NOBODY] == ()
    assert federated == sample.members[f"{POOL}_Google"]
    assert len(sample.users) - len(in_some_group) == 25


@given(users=st.integers(0, 60), groups=st.integers(1, 30))
def test_members_are_users_and_no_one_is_a_member_twice(users: int, groups: int) -> None:
    """Memberships name people who are there, once."""
    sample = sample_directory(users=users, groups=groups, pool_id=POOL)
    known = {user.username for user in sample.users}

    assert sample.memberships == sum(len(set(members) & known) for members in sample.members.values())
