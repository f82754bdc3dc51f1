"""Records become people and teams."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.directory.mapping import Fallbacks, Rules, person_of, team_of
from connector.directory.people import Address, FederatedIdentity, Person, Team
from connector.directory.records import GroupRecord, UserRecord
from connector.errors import RecordRejected
from connector.scim.render import user_row

SUB = "6f1c0e52-30b1-70d4-9a67-0d5f9c1c2a11"
MADE = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHANGED = datetime(2026, 4, 1, 12, tzinfo=UTC)


def user(**attributes: str) -> UserRecord:
    """Return the record of Ann with these attributes."""
    return UserRecord("ann", {"sub": SUB, **attributes}, created=MADE, modified=CHANGED)


def test_every_standard_attribute_arrives():
    """Each standard attribute of the pool (OpenID Connect Core 5.1) has its place."""
    record = user(
        name="Ann M. Lee",
        given_name="Ann",
        middle_name="M.",
        family_name="Lee",
        nickname="Annie",
        profile="https://example.com/ann",
        picture="https://example.com/ann.png",
        email="a@corp.local",
        email_verified="true",
        phone_number="+493012345",
        phone_number_verified="false",
        address='{"street_address":"1 Way","locality":"Bonn","country":"DE","formatted":"1 Way, Bonn"}',
        locale="de-DE",
        zoneinfo="Europe/Berlin",
        preferred_username="annie",
        birthdate="1990-01-01",
        gender="female",
        website="https://example.com",
        updated_at="1767225600",
    )

    assert person_of(record, Rules()) == Person(
        id=SUB,
        username="ann",
        names=("ann", "ann", SUB),
        active=True,
        status="CONFIRMED",
        created=MADE,
        modified=CHANGED,
        formatted_name="Ann M. Lee",
        given_name="Ann",
        middle_name="M.",
        family_name="Lee",
        display_name="Ann M. Lee",
        nick_name="Annie",
        profile_url="https://example.com/ann",
        photo="https://example.com/ann.png",
        email="a@corp.local",
        email_verified=True,
        phone_number="+493012345",
        phone_number_verified=False,
        address=Address(formatted="1 Way, Bonn", street_address="1 Way", locality="Bonn", country="DE"),
        locale="de-DE",
        timezone="Europe/Berlin",
        preferred_username="annie",
        birthdate="1990-01-01",
        gender="female",
        website="https://example.com",
        updated_at="1767225600",
    )


def test_a_user_with_nothing_but_a_sub_is_served():
    """Required names fall back to templates, so that nobody is left out for a missing attribute."""
    person = person_of(user(), Rules())

    assert (person.given_name, person.family_name, person.display_name) == ("ann", "ann", "ann")
    assert person.email == f"{SUB}@no-email.example.com"
    assert sorted(person.remarks) == [
        "displayName filled in",
        "email filled in",
        "familyName filled in",
        "givenName filled in",
    ]


@pytest.mark.parametrize(
    ("attributes", "given", "family"),
    [
        ({"name": "Ann Mary Lee"}, "Ann Mary", "Lee"),
        ({"name": "Lee, Ann Mary"}, "Ann Mary", "Lee"),
        ({"name": "Ann van der Berg", "given_name": "Ann"}, "Ann", "van der Berg"),
        ({"name": "Ann van der Berg", "family_name": "van der Berg"}, "Ann", "van der Berg"),
        ({"name": "Ann Lee", "given_name": "Anna"}, "Anna", "Lee"),
        ({"name": "  Ann   Lee "}, "Ann", "Lee"),
        ({"name": "Martin Luther King, Jr."}, "Martin Luther", "King"),
        ({"name": "Cher"}, "Cher", "Cher"),
        ({"name": ", "}, ",", ","),
        ({"name": "Ann Lee", "given_name": "A", "family_name": "L"}, "A", "L"),
    ],
)
def test_names_are_taken_from_the_whole_name(attributes, given, family):
    """Importers that refuse people without names get everybody whose name is known."""
    person = person_of(user(email="a@b.c", **attributes), Rules())
    taken = [
        name for name, key in (("givenName", "given_name"), ("familyName", "family_name")) if key not in attributes
    ]

    assert (person.given_name, person.family_name) == (given, family)
    assert person.remarks == tuple(f"{name} taken from the whole name" for name in taken)


def test_what_stands_in_for_a_name_is_the_sign_in_name():
    """In a pool where people sign in by e-mail, Cognito's username is a UUID that nobody knows."""
    record = UserRecord(SUB, {"sub": SUB, "email": "ann@example.com", "email_verified": "true"})
    person = person_of(record, Rules())

    assert {person.given_name, person.family_name, person.display_name} == {"ann@example.com"}


def test_a_display_name_is_put_together_before_it_is_filled_in():
    """Given and family name say more than a template."""
    person = person_of(user(given_name="Ann", family_name="Lee", email="a@b.c"), Rules())

    assert (person.display_name, person.remarks) == ("Ann Lee", ())


def test_an_empty_template_leaves_the_attribute_out():
    """Who wants no stand-in for e-mail addresses gets none."""
    person = person_of(user(), replace(Rules(), fallbacks=Fallbacks(email="")))

    assert person.email == ""


@pytest.mark.parametrize(
    "address", ["a@corp.local", "Ann@EXAMPLE.com", '"odd one"@example.com', "bücher@bücher.example", "no-at"]
)
def test_an_email_address_is_served_verbatim(address):
    """P17: addresses are neither judged nor rewritten."""
    assert person_of(user(email=address), Rules()).email == address


def test_active_is_what_the_administrator_switched():
    """A disabled user is inactive, whatever the status says; an unconfirmed or federated one is active."""
    records = [
        UserRecord("ann", {"sub": SUB}, enabled=enabled, status=status)
        for enabled, status in ((True, "UNCONFIRMED"), (True, "EXTERNAL_PROVIDER"), (False, "CONFIRMED"))
    ]

    assert [person_of(record, Rules()).active for record in records] == [True, True, False]


def test_linked_identities_of_federated_users_are_read():
    """The attribute identities holds them as JSON; Cognito writes booleans there as text or as booleans."""
    linked = '[{"userId":"1006","providerName":"Google","providerType":"Google","primary":"true","dateCreated":"1"}]'

    assert person_of(user(identities=linked), Rules()).identities == (
        FederatedIdentity("Google", "Google", "1006", primary=True),
    )


def test_custom_attributes_are_served_all_listed_or_none():
    """Privacy is a list of names."""
    record = user(**{"custom:team": "blue", "custom:level": "9", "dev:custom:cost": "7"})

    served = [
        dict(person_of(record, replace(Rules(), custom_attributes=chosen)).custom_attributes)
        for chosen in ("all", ("custom:team", "custom:none"), "none")
    ]

    assert served == [{"custom:level": "9", "custom:team": "blue", "dev:custom:cost": "7"}, {"custom:team": "blue"}, {}]


def test_attributes_feed_what_the_rules_say():
    """The mapping of the configuration decides."""
    rules = replace(
        Rules(),
        title="custom:job",
        user_type="custom:kind",
        roles="custom:roles",
        entitlements="custom:ent",
        preferred_language="locale",
        enterprise={"department": "custom:dep", "employee_number": "custom:nr"},
    )
    record = user(
        **{
            "custom:job": "Boss",
            "custom:kind": "staff",
            "custom:roles": "a, b,a,,c ",
            "custom:dep": "R&D",
            "locale": "de",
        }
    )

    person = person_of(record, rules)

    assert (person.title, person.user_type, person.roles, person.entitlements) == ("Boss", "staff", ("a", "b", "c"), ())
    assert (person.preferred_language, dict(person.enterprise)) == ("de", {"department": "R&D"})


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("name", "a\0b"),
        ("name", "\ud800"),
        ("picture", "javascript:alert(1)"),
        ("profile", "no address"),
        ("picture", "http://[bad"),
        ("identities", "not json"),
        ("identities", '["x"]'),
    ],
)
def test_an_attribute_that_cannot_be_served_is_left_out_and_reported(attribute, value):
    """P17: a bad attribute costs the attribute, not the user."""
    person = person_of(user(family_name="Lee", given_name="Ann", email="a@b.c", **{attribute: value}), Rules())

    assert person.remarks == (f"attribute {attribute} left out",)
    assert (person.formatted_name, person.profile_url, person.photo, person.identities) == ("", "", "", ())


@pytest.mark.parametrize("status", ["\ud800", "a\0b"])
def test_a_status_that_cannot_be_served_is_left_out_and_reported(status):
    """P17: what stands beside the attributes is no safer than they are."""
    record = UserRecord("ann", {"sub": SUB, "name": "Ann", "given_name": "A", "family_name": "L"}, status=status)
    person = person_of(replace(record, unread=("UserCreateDate",)), Rules(email=""))

    assert person.status == ""
    assert {"attribute UserStatus left out", "attribute UserCreateDate left out"} < set(person.remarks)
    assert user_row(person).opening.isascii()


@pytest.mark.parametrize(
    "record",
    [
        UserRecord("ann", {}),
        UserRecord("", {"sub": SUB}),
        UserRecord("a\0", {"sub": SUB}),
        UserRecord("\udfff", {"sub": SUB}),
        UserRecord("ann", {"sub": "../etc"}),
    ],
)
def test_a_record_without_identity_is_rejected(record):
    """P17: the one thing that cannot be filled in."""
    with pytest.raises(RecordRejected):
        person_of(record, Rules())


@given(
    username=st.text(min_size=1),
    attributes=st.dictionaries(
        st.sampled_from(
            ["name", "given_name", "email", "address", "identities", "picture", "custom:x", "phone_number"]
        ),
        st.text(),
    ),
)
def test_no_text_of_the_directory_stops_a_run(username, attributes):
    """P17: whatever the attributes hold, a record becomes a person or is rejected."""
    try:
        person = person_of(UserRecord(username, {"sub": SUB, **attributes}), Rules())
    except RecordRejected:
        assert not username.strip() or "\0" in username
        return
    assert person.names[1:] == (username, SUB)
    assert person.family_name
    assert person.display_name
    assert person.email


def test_a_group_becomes_a_team_with_what_cognito_knows_of_it():
    """Name, description, precedence, role and dates are kept."""
    record = GroupRecord("eu-west-1_A_Google", "made by Cognito", 0, "arn:aws:iam::111122223333:role/r", MADE, CHANGED)

    team = team_of(record, "eu-west-1_A")

    assert team == Team(
        team.id, record.name, "made by Cognito", 0, "arn:aws:iam::111122223333:role/r", MADE, CHANGED, provider=True
    )


@pytest.mark.parametrize(
    "record", [GroupRecord("", created=MADE), GroupRecord("a\0", created=MADE), GroupRecord("admins")]
)
def test_a_group_without_lasting_identity_is_rejected(record):
    """P15: without its creation date a re-created group could not be told apart."""
    with pytest.raises(RecordRejected):
        team_of(record, "eu-west-1_A")
