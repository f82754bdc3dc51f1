"""Requests for resources: from parameters to what is asked for (RFC 7644, sections 3.4.2 and 3.9).

Sizes of any sign and length are understood, and a count is honoured exactly or refused, never lowered: importers take a
page that is shorter than they asked for as the end of the directory (P31, P34).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from scim2_models import InvalidCountException, InvalidSyntaxException, InvalidValueException, TooManyException
from scim2_models.path import AttrPath, FilterNode

from connector.directory.rows import Kind
from connector.scim.filters import is_servable, parse_filter
from connector.scim.root_search import narrow_filter, narrow_order
from connector.scim.sorting import parse_order

HIGHEST = 2**31 - 1  # beyond the end of every directory, and still an integer to every importer

_MAX_PARAMETERS = 100
_INTEGER = re.compile(r"([+-]?)([0-9]+)", re.ASCII)
_SELECTION = frozenset({"attributes", "excludedattributes"})
_LIST = frozenset({"startindex", "count", "filter", "sortby", "sortorder", "cursor"})
PARAMETERS = _SELECTION | _LIST
"""The names of what can be asked for, in lower case."""
_ORDERS = {"ascending": False, "descending": True}

Parameters = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which attributes are asked for, by the names in the request, in lower case.

    Args:
        attributes: those to return, None = the default.
        excluded: those to leave out of the default.
    """

    attributes: tuple[str, ...] | None = None
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What a list request asks for.

    Args:
        start: 1-based index of the first row.
        count: how many rows at most; None = everything.
        where: the filter, None = no filter.
        sort_by: the attribute to sort by, None = the order of publishing.
        descending: whether the greatest comes first.
        attributes: see `Selection`.
        excluded: likewise.
        cursor: where a walk by cursor goes on, empty = its first page; None = a walk by index.
    """

    start: int = 1
    count: int | None = None
    where: FilterNode | None = None
    sort_by: AttrPath | None = None
    descending: bool = False
    attributes: tuple[str, ...] | None = None
    excluded: tuple[str, ...] = ()
    cursor: str | None = None

    def limit(self, max_results: int) -> int:
        """Return how many rows to read at most."""
        return max_results if self.count is None else min(self.count, max_results)

    def rows(self, total: int, max_results: int) -> int:
        """Return exactly how many rows the page holds; one by cursor may be shorter than asked for (RFC 9865).

        Args:
            total: how many resources match.
            max_results: how many rows the server sends at most.

        Raises:
            TooManyException: the page would have to hold more than `max_results`.
        """
        waiting = max(0, total - self.start + 1)
        rows = waiting if self.count is None else min(self.count, waiting)
        if self.cursor is not None:
            return min(rows, max_results)
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


def parse_list_request(parameters: Parameters, kind: Kind, *others: Kind) -> ListRequest:
    """Understand a list request; names are case-insensitive, empty values and unknown parameters are no restriction.

    Args:
        parameters: names and values, in order.
        kind: what is listed.
        others: what is listed with it.

    Raises:
        InvalidCountException: the count is not an integer, or comes twice with different values.
        InvalidValueException: so is another parameter, or both `attributes` and `excludedAttributes` are given.
        InvalidFilterException: the filter is not valid for any of the kinds.
        InvalidPathException: none of the kinds can be sorted like this.
    """
    parameters = list(parameters)
    given = _understood(parameters, _LIST)
    selection = parse_selection(parameters)
    start = _integer(given, "startIndex")
    count = _integer(given, "count")
    text = given.get("filter", "")
    order = given.get("sortby", "")
    return ListRequest(
        start=1 if start is None else max(1, start),
        count=None if count is None else max(0, count),
        where=parse_filter(text, kind, *others) if text else None,
        sort_by=parse_order(order.strip(), kind, *others) if order else None,
        descending=_descending(given),
        attributes=selection.attributes,
        excluded=selection.excluded,
        cursor=given.get("cursor"),
    )


def parse_root_request(parameters: Parameters) -> dict[Kind, ListRequest]:
    """Understand a list request over every kind of resources (RFC 7644, section 3.4.2.1); errors as above."""
    asked = parse_list_request(parameters, *Kind)
    return {
        kind: replace(asked, where=narrow_filter(asked.where, kind), sort_by=narrow_order(asked.sort_by, kind))
        for kind in Kind
    }


def parse_selection(parameters: Parameters) -> Selection:
    """Understand which attributes are asked for; what comes more than once adds up.

    Raises:
        InvalidValueException: both `attributes` and `excludedAttributes` are given.
    """
    named: dict[str, set[str]] = {name: set() for name in _SELECTION}
    for name, value in parameters:
        if name.lower() in named:
            named[name.lower()].update(part.strip().lower() for part in value.split(",") if part.strip())
    attributes, excluded = (tuple(sorted(named[name])) for name in ("attributes", "excludedattributes"))
    if attributes and excluded:
        raise InvalidValueException(detail="Give attributes or excludedAttributes, not both.")
    return Selection(attributes or None, excluded)


def _understood(parameters: Parameters, names: frozenset[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in parameters:
        key = name.lower()
        if key not in names or not (value.strip() or key == "cursor"):
            continue
        if not is_servable(value):
            raise _fault(key)(detail=f"The parameter {key} holds characters that no value can hold.")
        if given.setdefault(key, value) != value:
            raise _fault(key)(detail=f"The parameter {key} comes twice with different values.")
    return given


def _integer(given: Mapping[str, str], name: str) -> int | None:
    text = given.get(name.lower())
    if text is None:
        return None
    match = _INTEGER.fullmatch(text.strip())
    if match is None:
        raise _fault(name)(detail=f"{name} must be an integer.")
    sign, digits = match.groups()
    digits = digits.lstrip("0") or "0"
    size = HIGHEST if len(digits) > len(str(HIGHEST)) else min(HIGHEST, int(digits))
    return -size if sign == "-" else size


def _fault(name: str) -> type[InvalidCountException | InvalidValueException]:
    """Return what a wrong value of a parameter is (RFC 9865, section 2.1)."""
    return InvalidCountException if name == "count" else InvalidValueException


def _descending(given: Mapping[str, str]) -> bool:
    order = given.get("sortorder", "ascending").strip().lower()
    if order not in _ORDERS:
        raise InvalidValueException(detail="sortOrder must be ascending or descending.")
    return _ORDERS[order]
