"""Identifiers that never change hands, and the name that people sign in with."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.directory.identity import group_id, is_provider_group, sign_in_name, user_id
from connector.directory.records import UserRecord
from connector.errors import RecordRejected

SUB = "6f1c0e52-30b1-70d4-9a67-0d5f9c1c2a11"
MADE = datetime(2026, 3, 1, 12, 0, 0, 123000, tzinfo=UTC)


def record(username: str, status: str = "CONFIRMED", **attributes: str) -> UserRecord:
    """Return a user record with this username."""
    return UserRecord(username, {"sub": SUB, **attributes}, status=status)


def test_the_id_of_a_user_is_the_sub():
    """P15: the sub never changes, whatever else does."""
    assert user_id(record("ann")) == SUB


@pytest.mark.parametrize("sub", ["", "a/b", "a b", "..", "ä", "x" * 129, "a\n"])
def test_a_sub_that_is_not_safe_in_a_url_is_rejected(sub):
    """P15: ids go into URLs unescaped, because importers do not escape them."""
    with pytest.raises(RecordRejected):
        user_id(UserRecord("ann", {"sub": sub}))


def test_a_group_deleted_and_made_again_is_another_group():
    """P15: the creation date is part of a group's identity, to the millisecond."""
    again = MADE + timedelta(milliseconds=1)

    assert group_id("eu-west-1_A", "admins", MADE) != group_id("eu-west-1_A", "admins", again)


def test_the_id_of_a_group_does_not_depend_on_the_time_zone():
    """P15: the same moment, however it is written, is the same identity."""
    elsewhere = MADE.astimezone(tz=None)

    assert group_id("eu-west-1_A", "admins", MADE) == group_id("eu-west-1_A", "admins", elsewhere)


@given(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()))
def test_groups_of_other_names_or_pools_have_other_ids(one, other):
    """P15: no two names run together."""
    assert (group_id(*one, MADE) == group_id(*other, MADE)) == (one == other)


def test_the_id_of_a_group_is_the_same_in_every_release():
    """P15: an importer that linked a group must find it again after an upgrade."""
    assert group_id("eu-west-1_A", "admins", MADE) == "4cf6dd64-2142-5852-bd88-d0d6de3e0a35"


def test_a_username_that_people_chose_is_the_user_name():
    """P19: what users can write themselves does not win over it."""
    chosen = record("ann", email="root@example.com", email_verified="true", preferred_username="root")

    assert sign_in_name(chosen, "auto") == "ann"


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"email": "ann@example.com", "email_verified": "true"}, "ann@example.com"),
        ({"phone_number": "+4930", "phone_number_verified": "true"}, "+4930"),
        (
            {"email": "a@b.c", "email_verified": "true", "phone_number": "+4930", "phone_number_verified": "true"},
            "a@b.c",
        ),
        ({"email": "ann@example.com", "email_verified": "false"}, None),
        ({"email": "ann@example.com"}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize(
    ("username", "status"),
    [(SUB, "CONFIRMED"), ("Google_1006", "EXTERNAL_PROVIDER"), ("okta_x_1", "EXTERNAL_PROVIDER")],
)
def test_a_generated_username_gives_way_to_a_verified_address(username, status, attributes, name):
    """P19: only a verified e-mail address or phone number stands in for a generated username."""
    assert sign_in_name(record(username, status, **attributes), "auto") == (name or username)


def test_a_username_with_an_underscore_is_not_federated_by_that_alone():
    """Only Cognito's status tells a federated user."""
    person = record("mary_jane", email="mj@example.com", email_verified="true")

    assert sign_in_name(person, "auto") == "mary_jane"


def test_a_configured_attribute_is_taken_as_it_is():
    """P19: what users can write themselves is taken where the configuration says so."""
    person = record("ann", preferred_username="Annie", email="ann@example.com")

    assert [sign_in_name(person, source) for source in ("preferred_username", "email", "username", "sub")] == [
        "Annie",
        "ann@example.com",
        "ann",
        SUB,
    ]
    assert sign_in_name(record("ann"), "preferred_username") == "ann"


def test_groups_of_identity_providers_are_told_by_the_pool_in_their_name():
    """Cognito names them after pool and provider."""
    names = ["eu-west-1_A_Google", "eu-west-1_A", "eu-west-1_B_Google", "Google"]

    assert [is_provider_group("eu-west-1_A", name) for name in names] == [True, False, False, False]
