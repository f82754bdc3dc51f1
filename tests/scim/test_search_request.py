import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scim2_models import InvalidCountException, InvalidSyntaxException, InvalidValueException

from connector.directory.rows import Kind
from connector.scim.query import HIGHEST, parse_list_request
from connector.scim.search_request import SEARCH_REQUEST, read_search_request


def test_a_search_says_what_a_query_string_says() -> None:
    """RFC 7644, section 3.4.3: the same parameters, in a body."""
    body = {
        "schemas": [SEARCH_REQUEST],
        "attributes": ["userName", "name.givenName"],
        "filter": 'userName sw "a"',
        "sortBy": None,
        "startIndex": 3,
        "count": 10,
    }

    assert read_search_request(json.dumps(body).encode()) == [
        ("attributes", "userName,name.givenName"),
        ("filter", 'userName sw "a"'),
        ("startIndex", "3"),
        ("count", "10"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{}",
        b'{"x": true, "urn:x": {"filter": 1}, "more": [1, [2]]}',
        b' {"schemas": []}',
        b"\xef\xbb\xbf{}",
        b'{"SCHEMAS":["URN:ietf:params:scim:api:messages:2.0:searchrequest"]}',
    ],
)
def test_a_search_may_ask_for_everything(body: bytes) -> None:
    """RFC 7644, section 3.4.3: clients send nothing, forget the schema, or add what no search has."""
    assert read_search_request(body) == []


@pytest.mark.parametrize(
    ("text", "count"),
    [("5", 5), ('"5"', 5), ("-3", 0), ("9" * 6000, HIGHEST), ('"+7"', 7), ("3.0", 3), ("3.00", 3)],
)
def test_numbers_of_any_size_are_understood(text: str, count: int) -> None:
    """P31: a number is a number however long it is, as in a query string."""
    parameters = read_search_request(f'{{"Count": {text}}}'.encode())

    assert parse_list_request(parameters, Kind.USERS).count == count


@pytest.mark.parametrize("text", ["1.5", "1.01", "1e3", "NaN", "Infinity", '"x"'])
def test_what_is_no_integer_is_refused(text: str) -> None:
    """P31: a count that cannot be honoured is never guessed."""
    with pytest.raises(InvalidCountException):
        parse_list_request(read_search_request(f'{{"count": {text}}}'.encode()), Kind.USERS)


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"1", b"null", b"{}{}", b"\xff", b"[" * 60_000, b"count=1"])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    """RFC 7644, section 3.12: such a body is invalidSyntax, however deep it is."""
    with pytest.raises(InvalidSyntaxException):
        read_search_request(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"count": true}',
        b'{"filter": {"a": "b"}}',
        b'{"attributes": [1, ["userName"]]}',
        b'{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}',
        b'{"schemas": "urn:ietf:params:scim:schemas:core:2.0:User"}',
    ],
)
def test_other_values_and_messages_are_refused(body: bytes) -> None:
    """RFC 7644, section 3.12: a value of the wrong type, or another message, is invalidValue."""
    with pytest.raises(InvalidValueException):
        read_search_request(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"count": 1, "count": 2}',
        b'{"count": 1, "coun\\u0074": 1}',
        b'{"x": [{"a": 1, "a": null}]}',
        b'{"\\ud800": 1, "\\ud800": 1}',
    ],
)
def test_a_name_that_comes_twice_is_refused(body: bytes) -> None:
    """RFC 8259, section 4: what it means is unpredictable, wherever it stands."""
    with pytest.raises(InvalidSyntaxException, match="twice"):
        read_search_request(body)


def test_names_that_differ_in_case_are_both_seen() -> None:
    """P34: of two counts neither is taken for the other."""
    parameters = read_search_request(b'{"count": 1, "COUNT": 2}')

    with pytest.raises(InvalidCountException, match="twice"):
        parse_list_request(parameters, Kind.USERS)


@given(
    body=st.binary(max_size=80)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["count", "filter", "attributes", "schemas", "x"]), inner)
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_body_is_understood_or_refused(body: bytes) -> None:
    """P31: whatever is posted, it is a list of texts or a SCIM error."""
    try:
        parameters = read_search_request(body)
    except (InvalidSyntaxException, InvalidValueException):
        return
    assert all(isinstance(name, str) and isinstance(value, str) for name, value in parameters)
