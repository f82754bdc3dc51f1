"""Read the answers of the list operations with orjson; the rest, errors above all, botocore reads as ever.

botocore checks each value of an answer against the model of the API, which costs four times what the rest of a call
does. A session lets the factory of its parsers be replaced (botocore: Session.register_component).
"""

from collections.abc import Mapping
from typing import Any

import orjson
from botocore.parsers import JSONParser, ResponseParserFactory

COMPONENT = "response_parser_factory"
LISTS = frozenset({"ListUsersResponse", "ListUsersInGroupResponse", "ListGroupsResponse"})
_OK = 200


class ParserFactory(ResponseParserFactory):
    """Makes the parser below for the JSON protocol, and botocore's own for any other."""

    def create_parser(self, protocol_name: str) -> Any:
        """Return a parser for a protocol."""
        return _PARSER if protocol_name == "json" else super().create_parser(protocol_name)


class ListParser(JSONParser):
    """Reads a good answer of a list operation as it is: names as on the wire, times as numbers."""

    def parse(self, response: Mapping[str, Any], shape: Any) -> Any:
        """Return an answer as a dictionary.

        Args:
            response: `body`, `headers` and `status_code`.
            shape: the model of the answer.
        """
        if response["status_code"] == _OK and shape is not None and shape.name in LISTS:
            answer = _load(response["body"])
            if isinstance(answer, dict):
                return {**answer, "ResponseMetadata": {"HTTPStatusCode": _OK}}
        return super().parse(response, shape)


def _load(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:  # a damaged answer, or text that only the json module takes
        return None


def keep_number(value: Any) -> Any:
    """Return the time that an answer holds as it is on the wire; `records` reads it."""
    return value


_PARSER = ListParser(timestamp_parser=keep_number)
