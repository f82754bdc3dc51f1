"""List requests: from a query string to what is asked for (RFC 7644, section 3.4.2).

Sizes of any sign and length are understood, and a count is honoured exactly or refused, never lowered: importers take a
page that is shorter than they asked for as the end of the directory (P31, P34).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from scim2_models import InvalidSyntaxException, InvalidValueException, TooManyException
from scim2_models.path import FilterNode

from connector.directory.rows import Kind
from connector.scim.filters import is_servable, parse_filter

HIGHEST = 2**31 - 1  # beyond the end of every directory, and still an integer to every importer

_MAX_PARAMETERS = 100
_INTEGER = re.compile(r"([+-]?)([0-9]+)", re.ASCII)
_UNDERSTOOD = frozenset({"startindex", "count", "filter"})


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What a list request asks for.

    Args:
        start: 1-based index of the first row.
        count: how many rows at most; None = everything.
        where: the filter, None = no filter.
    """

    start: int = 1
    count: int | None = None
    where: FilterNode | None = None

    def limit(self, max_results: int) -> int:
        """Return how many rows to read at most."""
        return max_results if self.count is None else min(self.count, max_results)

    def rows(self, total: int, max_results: int) -> int:
        """Return exactly how many rows the page holds.

        Args:
            total: how many resources match.
            max_results: how many rows the server sends at most.

        Raises:
            TooManyException: the page would have to hold more than `max_results`.
        """
        waiting = max(0, total - self.start + 1)
        rows = waiting if self.count is None else min(self.count, waiting)
        if rows > max_results:
            raise TooManyException(
                detail=f"{rows} resources in one response are too many: ask with a count of at most {max_results}, "
                "page by page, or let the operator raise server.max_results."
            )
        return rows


def read_parameters(query_string: bytes) -> list[tuple[str, str]]:
    """Return the parameters of a query string, in order.

    Raises:
        InvalidSyntaxException: it is not percent-encoded UTF-8, or has too many parameters.
    """
    try:
        return parse_qsl(query_string.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_PARAMETERS)
    except ValueError as fault:
        raise InvalidSyntaxException(
            detail=f"The query is not percent-encoded UTF-8 or has more than {_MAX_PARAMETERS} parameters."
        ) from fault


def parse_list_request(parameters: Iterable[tuple[str, str]], kind: Kind) -> ListRequest:
    """Understand a list request; names are case-insensitive, empty values and unknown parameters are no restriction.

    Raises:
        InvalidValueException: a number is not an integer, or a parameter comes twice with different values.
        InvalidFilterException: the filter is not valid for this kind of resources.
    """
    given = _understood(parameters)
    start = _integer(given, "startIndex")
    count = _integer(given, "count")
    text = given.get("filter", "")
    return ListRequest(
        start=1 if start is None else max(1, start),
        count=None if count is None else max(0, count),
        where=parse_filter(text, kind) if text else None,
    )


def _understood(parameters: Iterable[tuple[str, str]]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in parameters:
        key = name.lower()
        if key not in _UNDERSTOOD or not value.strip():
            continue
        if not is_servable(value):
            raise InvalidValueException(detail=f"The parameter {key} holds characters that no value can hold.")
        if given.setdefault(key, value) != value:
            raise InvalidValueException(detail=f"The parameter {key} comes twice with different values.")
    return given


def _integer(given: Mapping[str, str], name: str) -> int | None:
    text = given.get(name.lower())
    if text is None:
        return None
    match = _INTEGER.fullmatch(text.strip())
    if match is None:
        raise InvalidValueException(detail=f"{name} must be an integer.")
    sign, digits = match.groups()
    digits = digits.lstrip("0") or "0"
    size = HIGHEST if len(digits) > len(str(HIGHEST)) else min(HIGHEST, int(digits))
    return -size if sign == "-" else size
