"""Filters find the same on each database, whatever is promoted to a column."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scim2_models.path import AttrPath, CompareOperator, Comparison
from sqlalchemy import event

from connector.directory.rows import Kind, fold
from connector.scim.evaluate import Evaluator
from connector.scim.filters import parse_filter
from connector.store.reading.reader import DirectoryReader
from connector.store.reading.sql_filters import UnsupportedFilter
from tests.store.folk import BASE_URL, FOLK, publish_folk, search
from tests.store.population import Directory, person, publish_directory

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
COGNITO = "urn:ietf:params:scim:schemas:extension:cognito:2.0:User"
EVERYBODY = ["u1", "u2", "u3", "u4", "u5", "u6"]


USERS: dict[str, list[str]] = {
    'userName eq "ANN"': ["u1"],
    'username eq "zoe\\u0308"': ["u2"],
    'userName eq "100%_DONE"': ["u3"],
    'userName eq "1000_done"': [],
    'userName sw "ann"': ["u1", "u5"],
    'userName ew "smile"': ["u4"],
    'userName co "%"': ["u3"],
    'userName co ""': EVERYBODY,
    'userName gt "annabel"': ["u2", "u4", "u6"],
    'id eq "u1"': ["u1"],
    'id eq "U1"': [],
    'externalId eq "Ann"': ["u1"],
    'externalId eq "ann"': [],
    'externalId eq "Caf\u00e9"': ["u6"],
    'emails eq "ann@example.COM"': ["u1"],
    'emails.value ew "corp.local"': ["u5"],
    'emails.value ne "x@corp.local"': ["u1", "u2", "u3", "u4", "u6"],
    'emails.value lt "b"': ["u1", "u3"],
    "emails pr": ["u1", "u3", "u4", "u5", "u6"],
    "not (emails pr)": ["u2"],
    "emails eq null": ["u2"],
    'emails eq ""': [],
    'emails[type eq "work" and value co "@Example"]': ["u1", "u3", "u4", "u6"],
    'emails[type eq "home"]': [],
    'emails[type eq "work"].value sw "x@"': ["u5"],
    'displayName eq "B\u00c4R"': ["u4"],
    "displayName pr": ["u1", "u2", "u3", "u4", "u5"],
    "active eq false": ["u3"],
    'active eq "False"': ["u3"],
    "active ne true": ["u3"],
    'groups.value eq "g1"': ["u1", "u2", "u6"],
    'groups ne "g1"': ["u3", "u4", "u5"],
    'groups.display eq "admins"': ["u1", "u2", "u6"],
    'groups.type eq "direct"': ["u1", "u2", "u5", "u6"],
    f'groups.$ref eq "{BASE_URL}/Groups/g2"': ["u1", "u5"],
    'groups[value eq "g1" and display sw "eu"]': [],
    "groups pr": ["u1", "u2", "u5", "u6"],
    "groups eq null": ["u3", "u4"],
    'userName sw "ann" and groups eq "g2"': ["u1", "u5"],
    'id eq "u3" or id eq "u2"': ["u2", "u3"],
    'active eq true and title eq "ENGINEER"': ["u1", "u2"],
    'title eq "b\u00e4r"': ["u4"],
    'nickName sw "\u00e5"': ["u4"],
    'not (title pr) and userName sw "ann"': ["u5"],
    'name.givenName eq "ann"': ["u1", "u5"],
    'roles eq "READER"': ["u1", "u3"],
    'roles[value eq "reader" and primary eq true]': ["u3"],
    'roles[value eq "reader" and primary eq false]': ["u1"],
    "roles.primary eq false": ["u1"],
    "emails.primary eq false": [],
    "emails.primary ne true": ["u2"],
    "emails.primary eq null": ["u2"],
    'addresses.locality eq "z\u00fcrich"': ["u1"],
    'profileUrl eq "https://example.com/Ann"': ["u1"],
    'profileUrl co "/ann"': [],
    f'schemas eq "{ENTERPRISE}"': ["u1"],
    f'{ENTERPRISE}:department eq "r&d"': ["u1"],
    f'{ENTERPRISE.upper()}:employeeNumber sw "00"': ["u1"],
    f"{COGNITO}:emailVerified eq true": ["u1"],
    f'{COGNITO}:status eq "archived"': [],
    f'{COGNITO}:customAttributes[name eq "custom:team" and value eq "Blue"]': ["u1"],
    f'{COGNITO}:identities[providerName eq "ACME" and primary eq true]': [],
    f'{COGNITO}:lastModifiedAt gt "2026-01-01T00:00:00.004Z"': ["u5"],
    f'{COGNITO}:lastModifiedAt eq "2026-01-01T01:00:00.005+01:00"': ["u5"],
    f"not ({COGNITO}:createdAt pr)": ["u2"],
    f'meta.location eq "{BASE_URL}/Users/u4"': ["u4"],
    f'meta.location eq "{BASE_URL}/users/U4"': [],
    'meta.resourceType eq "User" and id sw "u"': EVERYBODY,
    'meta.lastModified gt "0001-01-03T00:00:00.0000000Z"': EVERYBODY,
    'meta.lastModified le "2000-01-01T00:00:00Z"': [],
}
GROUPS: dict[str, list[str]] = {
    'displayName eq "admins"': ["g1"],
    'externalId eq "Admins"': ["g1"],
    'externalId eq "admins"': [],
    'externalId eq "R\u00e9serve"': ["g3"],
    'members eq "u2"': ["g1"],
    'members.value eq "u3"': [],
    'id eq "g1" and members eq "u1"': ["g1"],
    'members.display eq "ANN"': ["g1", "g2"],
    'members[display sw "ann" and value eq "u5"]': ["g2"],
    'members.type eq "user"': ["g1", "g2"],
    f'members.$ref eq "{BASE_URL}/Users/u6"': ["g1"],
    "members.type eq null": ["g3"],
    "not (members pr)": ["g3"],
    'members.type ne "User"': ["g3"],
    "urn:ietf:params:scim:schemas:extension:cognito:2.0:Group:precedence ge 1": ["g1"],
    "urn:ietf:params:scim:schemas:extension:cognito:2.0:Group:precedence pr": ["g1", "g3"],
    "urn:ietf:params:scim:schemas:extension:cognito:2.0:Group:identityProviderGroup eq true": ["g2"],
}


@pytest.fixture
def reader(database):
    """A store with a few people in three groups, the newest of three generations."""
    return publish_folk(database)


def test_users_are_found_as_rfc_7644_says(reader):
    """RFC 7644, section 3.4.2.2: operators, case, brackets and missing values, on the newest generation only."""
    assert {where: sorted(search(reader, Kind.USERS, where)) for where in USERS} == USERS


def test_groups_are_found_by_name_member_and_extension(reader):
    """The lookups that importers make before they trust a membership, and all others."""
    assert {where: sorted(search(reader, Kind.GROUPS, where)) for where in GROUPS} == GROUPS


@pytest.mark.parametrize(
    ("op", "exact", "just_before"), [("gt", False, True), ("ge", True, True), ("lt", False, False), ("eq", True, False)]
)
def test_times_of_change_compare_to_the_millisecond_and_below(reader, op, exact, just_before):
    """Importers echo our time back, cut or stretched; what lies between two milliseconds rounds the right way."""
    newest = reader.newest().published_at
    stretched = newest.replace("Z", "0000+00:00")
    before = f"{newest[:-2]}{int(newest[-2]) - 1}9999Z" if newest[-2] != "0" else None

    assert ("u5" in search(reader, Kind.USERS, f'meta.lastModified {op} "{newest}"')) == exact
    assert ("u5" in search(reader, Kind.USERS, f'meta.lastModified {op} "{stretched}"')) == exact
    if before:
        assert ("u5" in search(reader, Kind.USERS, f'meta.lastModified {op} "{before}"')) == just_before


@pytest.mark.parametrize("attribute", ["userName", "displayName", "title"])
def test_names_are_found_without_case_in_every_language(database, attribute):
    """P16, RFC 7643, section 2.2: final sigma and sharp s included, by index and from bodies alike."""
    names = {"s1": "ΣΊΣΥΦΟΣ", "s2": "Groß", "s3": "Gross-Gerau"}
    folk = [person(mark, name, display_name=name, title=name) for mark, name in names.items()]
    publish_directory(database, Directory(folk))
    reader = DirectoryReader(database, Evaluator(BASE_URL))

    assert search(reader, Kind.USERS, f'{attribute} sw "ΣΊΣ"') == ["s1"]
    assert search(reader, Kind.USERS, f'{attribute} eq "σίσυφοσ"') == ["s1"]
    assert search(reader, Kind.USERS, f'{attribute} eq "GROSS"') == ["s2"]
    assert search(reader, Kind.USERS, f'{attribute} sw "groß"') == ["s2", "s3"]


@pytest.mark.parametrize("where", ["title pr", 'members.type eq "User"', 'not (emails[type eq "work"])'])
def test_without_an_interpreter_what_has_no_column_is_refused(database, where):
    """P30: what cannot be decided is an error, never all rows."""
    publish_folk(database)
    kind = Kind.GROUPS if "members" in where else Kind.USERS

    with pytest.raises(UnsupportedFilter):
        search(DirectoryReader(database), kind, where)


@pytest.mark.parametrize(
    "node",
    [
        Comparison(AttrPath("active"), CompareOperator.gt, True),
        Comparison(AttrPath("meta", "lastModified"), CompareOperator.gt, "yesterday"),
        Comparison(AttrPath("meta", "lastModified"), CompareOperator.sw, "2026"),
    ],
)
def test_a_comparison_that_no_schema_allows_is_refused_by_the_store_too(reader, node):
    """P30: a tree that was not bound to the schemas is an error, never all rows."""
    with pytest.raises(UnsupportedFilter):
        reader.page(Kind.USERS, reader.newest(), start=1, count=10, where=node)


texts = st.text(alphabet=st.sampled_from("aAn%_'\u00eb\u0308e\U0001f600 "), max_size=4)


@given(op=st.sampled_from(["eq", "ne", "co", "sw", "ew"]), value=texts)
@settings(max_examples=40)
def test_names_match_in_sql_as_they_do_in_python(reader, op, value):
    """P16, P30: the folded comparison of SQL is that of the reference, wildcards and quotes included."""
    reference = {
        "eq": lambda name: name == fold(value),
        "ne": lambda name: name != fold(value),
        "co": lambda name: fold(value) in name,
        "sw": lambda name: name.startswith(fold(value)),
        "ew": lambda name: name.endswith(fold(value)),
    }[op]
    expected = {one.id for one in FOLK if reference(fold(one.names[0]))}

    assert set(search(reader, Kind.USERS, f'userName {op} "{value}"')) == expected


def test_values_reach_the_database_as_parameters_only(database):
    """P30: no text of a request is ever part of a statement."""
    reader = publish_folk(database)
    statements = []
    event.listen(database.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))

    for path in ("userName", "title", "groups.display", "emails.type"):
        for op in ("eq", "ne", "co", "sw", "ew", "gt", "le"):
            search(reader, Kind.USERS, f'{path} {op} "needle\'; DROP TABLE users; --"')

    assert statements
    assert not [statement for statement in statements if "needle" in statement.lower()]


@pytest.mark.parametrize("where", ["emails pr", 'emails[type eq "work"]'])
def test_a_page_of_matches_starts_where_it_is_asked_to(reader, where):
    """Paging and filtering go together; the total counts every match."""
    node = parse_filter(where, Kind.USERS)
    whole = search(reader, Kind.USERS, where)
    page = reader.page(Kind.USERS, reader.newest(), start=2, count=2, where=node)

    assert (page.total, [one.id for one in page.resources]) == (5, whole[1:3])
    beyond = reader.page(Kind.USERS, reader.newest(), start=6, count=2, where=node)
    assert (beyond.total, list(beyond.resources)) == (5, [])
