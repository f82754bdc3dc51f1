import contextlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scim2_models import InvalidFilterException
from scim2_models.path import Comparison

from connector.directory.rows import Kind
from connector.scim.filters import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, parse_filter

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
COGNITO = "urn:ietf:params:scim:schemas:extension:cognito:2.0:User"


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('username eq "x"', 'userName eq "x"'),
        ('userName Eq "x" AND active eq "true"', 'userName eq "x" and active eq true'),
        ('emails eq "bob@corp.local"', 'emails.value eq "bob@corp.local"'),
        ('Emails[TYPE eq "work"]', 'emails[type eq "work"]'),
        ('emails[type eq "work"].value eq "x"', 'emails[type eq "work" and value eq "x"]'),
        ('groups.value eq "g"', 'groups.value eq "g"'),
        ('meta.lastmodified gt "2026-01-01T01:00:00.000+01:00"', 'meta.lastModified gt "2026-01-01T00:00:00+00:00"'),
        (f'{COGNITO.upper()}:USERNAME eq "x"', f'{COGNITO}:username eq "x"'),
        (f'{COGNITO}:identities[userid eq "x"]', f'{COGNITO}:identities[userId eq "x"]'),
        ('schemas eq "x" or schemas[VALUE eq "x"]', 'schemas eq "x" or schemas[value eq "x"]'),
        ("not (title pr)", "not (title pr)"),
        (f"{'(' * MAX_DEPTH}title pr{')' * MAX_DEPTH}", "title pr"),
    ],
)
def test_filters_of_importers_are_understood(text: str, tree: str) -> None:
    """RFC 7644, section 3.4.2.2: names and operators in any case, e-mail addresses of any form."""
    assert str(parse_filter(text, Kind.USERS)) == tree


def test_groups_are_filtered_by_their_members() -> None:
    """RFC 7644, section 3.4.2.2: some importers ask for each membership like this."""
    tree = parse_filter('id eq "g" and members eq "u"', Kind.GROUPS)

    assert str(tree) == 'id eq "g" and members.value eq "u"'


@pytest.mark.parametrize(
    "text",
    [
        'password eq "x"',
        "password pr",
        'userName eq "x" and password sw "a"',
        'emails[password eq "x"]',
        'nonsense eq "x"',
        'members eq "x"',
        'urn:ietf:params:scim:schemas:core:2.0:Group:displayName eq "x"',
        "userName",
        "userName eq",
        "userName eq x",
        'userName eq "x',
        'userName like "x"',
        'meta.lastModified gt "yesterday"',
        'meta.lastModified gt "0001-01-01T00:00:00+05:00"',
        'meta.lastModified sw "2026"',
        'active co "t"',
        'name co "x"',
        "userName co 5",
        "userName sw null",
        'schemas[other eq "x"]',
        "active gt true",
        'userName eq "\\u0000"',
        'userName eq "\\ud800"',
        'not (displayName eq "a" or emails[value eq "\\udc00"])',
        "not (" * 100 + "title pr" + ")" * 100,
        "userName eq 1e999",
        " ",
    ],
)
def test_what_cannot_be_answered_is_refused(text: str) -> None:
    """P30, P31: a filter that means nothing here is invalidFilter, never all rows, and passwords do not exist."""
    with pytest.raises(InvalidFilterException) as refused:
        parse_filter(text, Kind.USERS)

    assert (refused.value.status, refused.value.scim_type) == (400, "invalidFilter")


@pytest.mark.parametrize("joint", ["or", "AND"])
def test_terms_are_counted_before_parsing(joint: str) -> None:
    """P30: 64 terms are answered, one more is not."""
    terms = ["title pr"] * MAX_TERMS

    parse_filter(f" {joint} ".join(terms), Kind.USERS)
    with pytest.raises(InvalidFilterException, match="more than 64 terms"):
        parse_filter(f" {joint} ".join([*terms, "id pr"]), Kind.USERS)


def test_words_inside_values_are_no_terms() -> None:
    """P30: only what joins terms counts, not the text that is searched for."""
    text = f'displayName eq "{"this and that or " * 100}\\""'

    assert str(parse_filter(text, Kind.USERS)) == text


def test_length_is_bounded() -> None:
    """P30: 4096 characters are read, one more is not."""
    parse_filter("title pr".ljust(MAX_LENGTH), Kind.USERS)
    with pytest.raises(InvalidFilterException, match="longer than 4096"):
        parse_filter("title pr".ljust(MAX_LENGTH + 1), Kind.USERS)


@pytest.mark.parametrize(("opening", "closing"), [("(", ")"), ("not (", ")"), ("emails[(", ")]")])
def test_nesting_is_bounded(opening: str, closing: str) -> None:
    """P30: filters nest 32 deep and no deeper, brackets and parentheses alike; those inside values do not count."""
    signs = "(" * (MAX_DEPTH + 1)

    parse_filter(f'title eq "{signs}"', Kind.USERS)
    with pytest.raises(InvalidFilterException, match="more than 32"):
        parse_filter(f"{opening * (MAX_DEPTH + 1)}title pr{closing * (MAX_DEPTH + 1)}", Kind.USERS)


@pytest.mark.parametrize(
    "text", ['"\\', '"\\"', "(", "urn:a:", "title pr and ", "not (", '"', "a.", "[", "-9", "u", " "]
)
def test_hostile_text_is_read_once(text: str) -> None:
    """P30: what is refused for its size is refused before anything parses it, in time linear to its length."""
    with pytest.raises(InvalidFilterException):
        parse_filter((text * MAX_LENGTH)[:MAX_LENGTH], Kind.USERS)


@given(value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_can_be_searched_for(value: str) -> None:
    """P30: a quoted value stays a value whatever it contains."""
    tree = parse_filter(f"displayName eq {json.dumps(value)}", Kind.USERS)

    assert getattr(tree, "value", None) == value


_WORDS = st.sampled_from(
    [
        "userName",
        "emails",
        "eq",
        "ne",
        "pr",
        "and",
        "or",
        "not",
        "(",
        ")",
        "[",
        "]",
        ".",
        '"',
        '"x"',
        "1",
        "true",
        "null",
    ]
)


@given(text=st.text(max_size=60) | st.lists(_WORDS, max_size=20).map(" ".join))
@example('userName eq "\ud800"')
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    """P31: nothing but invalidFilter is ever raised."""
    with contextlib.suppress(InvalidFilterException):
        parse_filter(text, Kind.USERS)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('name[givenName co "x"]', 'name.givenName co "x"'),
        ('name[givenName pr and not (familyName eq "y")]', 'name.givenName pr and not (name.familyName eq "y")'),
        (f'emails[{CORE}:type eq "work"]', 'emails[type eq "work"]'),
        ("active eq true and meta[created pr]", "active eq true and meta.created pr"),
        (f'emails[{CORE.upper()}:type eq "a\\"]"]', 'emails[type eq "a\\"]"]'),
        ('meta[created gt "2026-01-31T24:00:00Z"]', 'meta.created gt "2026-02-01T00:00:00Z"'),
    ],
)
def test_brackets_say_the_same_in_every_legal_way(text: str, meant: str) -> None:
    """RFC 7644, section 3.4.2.2: behind an attribute with one value, and around a name with its schema."""
    assert parse_filter(text, Kind.USERS) == parse_filter(meant, Kind.USERS)


@pytest.mark.parametrize(
    "text",
    [
        f'emails[{COGNITO}:type eq "x"]',
        f"name[{COGNITO}:givenName pr]",
        'name[nope eq "x"]',
        'userName[value eq "x"]',
        "name[",
        'nope[x eq "y"]',
    ],
)
def test_brackets_around_nothing_known_are_refused(text: str) -> None:
    """P30: an unknown name matches no row, and every row least of all."""
    with pytest.raises(InvalidFilterException):
        parse_filter(text, Kind.USERS)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-01-31T24:00:00Z", datetime(2026, 2, 1, tzinfo=UTC)),
        ("2026-01-31T23:00:00", datetime(2026, 1, 31, 23, tzinfo=UTC)),
        ("2026-01-31T23:00:00.5+01:00", datetime(2026, 1, 31, 22, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-01-31T23:00:00.0000001Z", datetime(2026, 1, 31, 23, 0, 0, 1, tzinfo=UTC)),
        ("2026-12-31T23:59:59.9999999Z", datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_to_its_last_digit(value: str, moment: datetime) -> None:
    """RFC 7643, section 2.3.5: an xsd:dateTime; of digits beyond a microsecond the order is kept."""
    tree = parse_filter(f'meta.created gt "{value}"', Kind.USERS)

    assert isinstance(tree, Comparison)
    assert tree.value == moment


@pytest.mark.parametrize(
    "value",
    ['"2026"', '"2026-01-31"', "2026", "1.5", "true", '"2026-01-31 23:00:00Z"', '"2026-02-30T00:00:00Z"',
     '"2026-01-31T24:00:01Z"', '"2026-01-31T25:00:00Z"', '"9999-12-31T24:00:00Z"', '"2026-01-31T23:00:00+99:00"'],
)  # fmt: skip
def test_what_is_no_time_is_refused(value: str) -> None:
    """RFC 7643, section 2.3.5: read as seconds since 1970, a year would match every row."""
    with pytest.raises(InvalidFilterException):
        parse_filter(f"meta.created gt {value}", Kind.USERS)
