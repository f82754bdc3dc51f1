import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scim2_models import Error

from connector.directory.stored_body import BASE
from connector.errors import StoreError
from connector.scim.error_body import error_body
from connector.scim.list_response import Batch, list_response, public_blocks


@given(rows=st.integers(0, 4), total=st.integers(0, 9), start=st.integers(1, 2**31 - 1))
def test_a_list_says_how_much_it_holds(rows: int, total: int, start: int) -> None:
    """RFC 7644, section 3.4.2: itemsPerPage is the number of rows that came, and no rows are `[]`."""
    batches = [Batch(1, ('{"id":', f'"{number}"', "}")) for number in range(rows)]

    assert json.loads("".join(list_response(batches, total=total, start=start, rows=rows))) == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": rows,
        "Resources": [{"id": str(number)} for number in range(rows)],
    }


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_a_list_that_is_not_as_long_as_announced_breaks(rows: int) -> None:
    """P34: a row lost on the way is a fault, never a shorter page."""
    with pytest.raises(StoreError, match=f"{rows} resources came out as 2"):
        "".join(list_response([Batch(2, ("{},{}",))], total=9, start=1, rows=rows))


def test_the_announcement_comes_before_any_row_is_read() -> None:
    """P23: a list is streamed."""
    read = []

    def batches() -> Iterator[Batch]:
        read.append(1)
        yield Batch(1, ("{}",))

    announced = next(list_response(batches(), total=1, start=1, rows=1))

    assert (announced.endswith('"itemsPerPage":1,"Resources":['), read) == (True, [])


@given(pieces=st.lists(st.sampled_from(["a", BASE, "é", f"{BASE}/Users/1", "b" * 50_000]), max_size=20))
def test_blocks_are_the_pieces_with_the_base_url_put_in(pieces: list[str]) -> None:
    """P31: the public base URL stands wherever an address begins, however pieces are joined."""
    served = b"".join(public_blocks(pieces, {BASE: 'https://x.example/\\"'})).decode()

    assert served == "".join(pieces).replace(BASE, 'https://x.example/\\"')


def test_an_error_has_its_status_as_text() -> None:
    """RFC 7644, section 3.12: importers read the status as a string."""
    body = json.loads(error_body(400, 'no "x"', "invalidFilter"))

    assert body == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": "400",
        "scimType": "invalidFilter",
        "detail": 'no "x"',
    }
    assert Error.model_validate(body).status == 400


def test_an_error_without_scim_type_names_none() -> None:
    """RFC 7644, section 3.12: scimType is left out where none fits."""
    assert "scimType" not in json.loads(error_body(404, "gone"))
