import contextlib
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scim2_models import (
    InvalidCountException,
    InvalidFilterException,
    InvalidPathException,
    InvalidSyntaxException,
    InvalidValueException,
    TooManyException,
)

from connector.directory.rows import Kind
from connector.scim.query import (
    HIGHEST,
    ListRequest,
    parse_list_request,
    parse_root_request,
    parse_selection,
    read_parameters,
)
from connector.scim.urns import COGNITO_GROUP


def _parse(query: str | bytes) -> ListRequest:
    raw = query.encode() if isinstance(query, str) else query
    return parse_list_request(read_parameters(raw), Kind.USERS)


@pytest.mark.parametrize(
    ("query", "start", "count"),
    [
        ("", 1, None),
        ("startIndex=3&count=7", 3, 7),
        ("STARTINDEX=3&Count=7", 3, 7),
        ("startIndex=&count=&filter=", 1, None),
        ("count=%20", 1, None),
        ("startIndex=0", 1, None),
        ("startIndex=-5&count=-1", 1, 0),
        ("count=0", 1, 0),
        ("count=%2B5", 1, 5),
        ("count=+5", 1, 5),
        ("count=0005&count=0005", 1, 5),
        ("count=99999999999999999999", 1, HIGHEST),
        (f"startIndex={'9' * 6000}&count=-{'9' * 6000}", HIGHEST, 0),
        (f"count={'0' * 6000}1", 1, 1),
        ("unheard=of&attributes=,&sortBy=&sortOrder=", 1, None),
        ("attributes=&startIndex=1&count=200", 1, 200),
    ],
)
def test_paging_parameters_of_any_size_and_sign(query: str, start: int, count: int | None) -> None:
    """P31, RFC 7644 section 3.4.2.4: below one is one, negative is nothing, empty is absent, huge is huge."""
    assert _parse(query) == ListRequest(start, count)


@pytest.mark.parametrize("value", ["x", "1.0", "1e3", "0x10", "--1", "1 2", "٣", "1_000", "null", "1\x00"])
@pytest.mark.parametrize("name", ["count", "startIndex"])
def test_what_is_no_integer_is_refused(name: str, value: str) -> None:
    """P31, RFC 9865 section 2.1: a count that cannot be honoured is never guessed; what is wrong is invalidCount."""
    with pytest.raises(InvalidCountException if name == "count" else InvalidValueException):
        _parse(f"{name}={quote(value)}")


@pytest.mark.parametrize(
    ("query", "attributes", "excluded"),
    [
        ("", None, ()),
        ("attributes=", None, ()),
        ("attributes=%20,,&excludedAttributes=,", None, ()),
        ("attributes=userName", ("username",), ()),
        ("Attributes=userName,%20NAME.givenName,username,", ("name.givenname", "username"), ()),
        ("attributes=id&attributes=userName", ("id", "username"), ()),
        ("EXCLUDEDATTRIBUTES=members,groups&attributes=", None, ("groups", "members")),
        ("attributes=a%20b,%00", ("\0", "a b"), ()),
    ],
)
def test_names_of_attributes_are_gathered(query: str, attributes: tuple[str, ...], excluded: tuple[str, ...]) -> None:
    """RFC 7644, section 3.9: in any case, with blanks, doubled or with a comma too many; nothing is no restriction."""
    assert (_parse(query).attributes, _parse(query).excluded) == (attributes, excluded)


@pytest.mark.parametrize("parse", [parse_selection, lambda parameters: parse_list_request(parameters, Kind.USERS)])
def test_attributes_and_excluded_attributes_exclude_each_other(parse: Callable[..., object]) -> None:
    """RFC 7644, section 3.9: a request gives one or the other."""
    with pytest.raises(InvalidValueException, match="not both"):
        parse([("attributes", "userName"), ("excludedAttributes", "groups")])


@pytest.mark.parametrize(
    ("query", "sort_by", "descending"),
    [
        ("sortBy=&sortOrder=", None, False),
        ("sortBy=username", "userName", False),
        ("SORTBY=name.familyName&SORTORDER=Descending", "name.familyName", True),
        ("sortBy=emails&sortOrder=ascending", "emails.value", False),
        (
            "sortBy=urn:ietf:params:scim:schemas:core:2.0:User:title",
            "urn:ietf:params:scim:schemas:core:2.0:User:title",
            False,
        ),
    ],
)
def test_an_order_is_understood(query: str, sort_by: str | None, descending: object) -> None:
    """RFC 7644, section 3.4.2.3: any attribute that has an order, by any of its names; ascending is the default."""
    asked = _parse(query)

    assert (asked.sort_by and str(asked.sort_by), asked.descending) == (sort_by, descending)


@pytest.mark.parametrize("order", ["bogus", "name", "members", 'emails[type eq "work"]', "a b", "password", "x" * 600])
def test_what_has_no_order_is_refused(order: str) -> None:
    """RFC 7644, section 3.4.2.3: the client could not tell the order it gets from the one it asked for."""
    with pytest.raises(InvalidPathException):
        _parse(f"sortBy={quote(order)}")


def test_there_are_two_directions() -> None:
    """RFC 7644, section 3.4.2.3: `sortOrder` is ascending or descending."""
    with pytest.raises(InvalidValueException):
        _parse("sortBy=id&sortOrder=down")


@pytest.mark.parametrize(("query", "cursor"), [("", None), ("cursor=", ""), ("CURSOR=abc", "abc")])
def test_an_empty_cursor_is_not_an_absent_one(query: str, cursor: str | None) -> None:
    """RFC 9865, section 2: the first page of a walk by cursor is asked for with an empty cursor."""
    assert _parse(query).cursor == cursor


def test_a_request_over_both_kinds_means_something_to_each() -> None:
    """RFC 7644, section 3.4.2.1: an attribute that a kind does not have counts as one without a value."""
    asked = parse_root_request(
        [("filter", 'userName eq "x" or displayName sw "e" and not (members eq "u")'), ("sortBy", "userName")]
    )

    assert {kind: str(part.where) for kind, part in asked.items()} == {
        Kind.USERS: 'userName eq "x" or displayName sw "e" and not (id eq "")',
        Kind.GROUPS: 'id eq "" or displayName sw "e" and not (members.value eq "u")',
    }
    assert [part.sort_by and str(part.sort_by) for part in asked.values()] == ["userName", None]


@pytest.mark.parametrize(
    ("text", "users", "groups"),
    [
        ("userName pr", "userName pr", 'id eq ""'),
        ('emails[type eq "work"]', 'emails[type eq "work"]', 'id eq ""'),
        (
            f"{COGNITO_GROUP}:precedence gt 1 and id pr",
            'id eq "" and id pr',
            f"{COGNITO_GROUP}:precedence gt 1 and id pr",
        ),
    ],
)
def test_every_form_of_a_filter_is_narrowed(text: str, users: str, groups: str) -> None:
    """RFC 7644, section 3.4.2.1: presence, value paths and extension attributes alike."""
    asked = parse_root_request([("filter", text)])

    assert [str(part.where) for part in asked.values()] == [users, groups]


def test_what_neither_kind_has_is_refused() -> None:
    """P30: a filter on an attribute that nobody has is a mistake, never all rows."""
    with pytest.raises(InvalidFilterException):
        parse_root_request([("filter", 'bogus eq "x"')])


@pytest.mark.parametrize("query", ["count=1&count=2", "count=1&COUNT=2", "filter=id%20pr&filter=title%20pr"])
def test_contradicting_parameters_are_refused(query: str) -> None:
    """P34: of two counts neither is taken for the other."""
    with pytest.raises((InvalidCountException, InvalidValueException), match="twice"):
        _parse(query)


@pytest.mark.parametrize("query", [b"count=%ff", b"filter=\xff", b"x=%ed%a0%80", b"&".join([b"a=b"] * 101)])
def test_what_is_no_query_is_refused(query: bytes) -> None:
    """P31: bytes that are not UTF-8 have no meaning, and parameters are bounded."""
    with pytest.raises(InvalidSyntaxException):
        _parse(query)


@pytest.mark.parametrize("encoded", ["userName%20eq%20%22x%22", "userName+eq+%22x%22", 'userName+eq+"x"'])
def test_a_filter_is_parsed_however_its_spaces_are_written(encoded: str) -> None:
    """RFC 7644, section 3.4.2.2: importers write a space as `%20` or as `+`."""
    assert str(_parse(f"Filter={encoded}").where) == 'userName eq "x"'


def test_a_filter_with_nul_is_refused() -> None:
    """P31: no database takes a NUL."""
    with pytest.raises(InvalidValueException):
        _parse("filter=userName%20eq%20%22%00%22")


@given(
    total=st.integers(0, 300),
    start=st.integers(1, 400),
    count=st.none() | st.integers(0, 400),
    max_results=st.integers(1, 200),
)
def test_a_page_is_as_long_as_asked_or_refused(total: int, start: int, count: int | None, max_results: int) -> None:
    """P34: a page holds min(count, rows remaining) rows; what is over the bound is tooMany, never lowered."""
    asked = ListRequest(start, count)
    remaining = len(range(start, total + 1))
    wanted = remaining if count is None else min(count, remaining)

    if wanted > max_results:
        with pytest.raises(TooManyException):
            asked.rows(total, max_results)
    else:
        assert asked.rows(total, max_results) == wanted
        assert len(range(total)[start - 1 : start - 1 + asked.limit(max_results)]) == wanted


@given(query=st.binary(max_size=80) | st.text(max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_query_is_understood_or_refused(query: bytes) -> None:
    """P31: nothing but an exception with status 400 is ever raised."""
    for parameter in (b"", b"count=", b"filter=", b"startIndex="):
        with contextlib.suppress(
            InvalidCountException, InvalidFilterException, InvalidSyntaxException, InvalidValueException
        ):
            _parse(parameter + query)


def test_a_page_by_cursor_may_be_shorter() -> None:
    """RFC 9865, section 2: the next cursor says that there is more, so no importer takes a short page for the end."""
    assert [ListRequest(count=count, cursor="").rows(50, 10) for count in (None, 20, 3, 0)] == [10, 10, 3, 0]
