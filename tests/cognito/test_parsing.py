import json
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest

from connector.cognito.meter import Meter
from connector.cognito.parsing import COMPONENT, LISTS, ListParser, ParserFactory
from connector.cognito.session import open_pool
from tests.fakes.population import CREATED, a_user
from tests.fakes.simulated_pool import SimulatedPool

MODEL = botocore.session.Session().get_service_model("cognito-idp")


def answered(body: bytes, operation: str = "ListUsers", status: int = 200) -> Any:
    """Return what the parser of a client makes of an answer."""
    response = {"body": body, "headers": {}, "status_code": status}
    return ParserFactory().create_parser("json").parse(response, MODEL.operation_model(operation).output_shape)


def test_botocore_still_lets_its_parsers_be_replaced(simulated: SimulatedPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release of botocore that no longer asks the component would cost every sync half its speed, silently."""
    asked: list[str] = []
    parse = ListParser.parse

    def watch(parser: ListParser, response: Any, shape: Any) -> Any:
        asked.append(shape.name)
        return parse(parser, response, shape)

    monkeypatch.setattr(ListParser, "parse", watch)
    pool = open_pool(simulated.access(), run="7", meter=Meter())
    for walk in (pool.users(), pool.groups(), pool.members("staff")):
        next(walk)

    assert botocore.session.Session().get_component(COMPONENT) is not None
    assert set(asked) == LISTS


@pytest.mark.parametrize("operation", ["ListUsers", "ListUsersInGroup", "ListGroups"])
def test_the_model_still_names_the_answers_of_the_lists_so(operation: str) -> None:
    """What is read by name must be what the lists answer."""
    shape = MODEL.operation_model(operation).output_shape

    assert shape is not None
    assert shape.name in LISTS


def test_a_list_is_read_as_botocore_reads_it_but_for_its_times() -> None:
    """Cognito API reference, ListUsers: every member that botocore finds is found."""
    body = json.dumps({"Users": [a_user("ann", email="ann@corp.local")], "PaginationToken": "t"}).encode()
    shape = MODEL.operation_model("ListUsers").output_shape
    response = {"body": body, "headers": {}, "status_code": 200}
    theirs = botocore.session.Session().get_component(COMPONENT).create_parser("json").parse(response, shape)

    ours = answered(body)

    for user in theirs["Users"]:
        assert user.pop("UserCreateDate") == user.pop("UserLastModifiedDate") == datetime.fromtimestamp(CREATED, UTC)
    for user in ours["Users"]:
        assert user.pop("UserCreateDate") == user.pop("UserLastModifiedDate") == CREATED
    assert ours["Users"] == theirs["Users"]
    assert ours["PaginationToken"] == theirs["PaginationToken"]
    assert ours["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_an_error_is_read_by_botocore() -> None:
    """AWS names an error in several ways; botocore knows them all."""
    error = answered(b'{"__type":"com.aws#AccessDeniedException","message":"no"}', status=400)

    assert error["Error"] == {"Code": "AccessDeniedException", "Message": "no"}


def test_text_that_only_python_takes_for_json_is_read_all_the_same() -> None:
    """P17: a lone surrogate costs an attribute later, never the page."""
    body = b'{"Users":[{"Username":"ann","Attributes":[{"Name":"name","Value":"\\ud800"}]}]}'

    assert answered(body)["Users"][0]["Attributes"][0]["Value"] == "\ud800"


@pytest.mark.parametrize("body", [b"", b"<html></html>", b'{"Users":[{"Usern', b"null"])
def test_a_damaged_answer_has_no_list(body: bytes) -> None:
    """P01: whoever reads it finds the list missing; none is made up."""
    assert "Users" not in (answered(body) or {})


def test_other_protocols_keep_their_parsers() -> None:
    """STS answers in XML."""
    theirs = botocore.session.Session().get_component(COMPONENT).create_parser("query")

    assert type(ParserFactory().create_parser("query")) is type(theirs)
