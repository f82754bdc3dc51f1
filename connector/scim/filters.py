"""Filters: text to syntax tree, bound to the schemas (RFC 7644, section 3.4.2.2).

Whoever may read the directory may also send filters, so their size is bounded before anything parses them (P30).
"""

import re
from itertools import accumulate

from pydantic import ValidationError
from scim2_models import Error, InvalidFilterException
from scim2_models.path import FilterNode

from connector.directory.rows import Kind
from connector.scim.binding import bind, is_servable
from connector.scim.schemas import search_model

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "MAX_TERMS", "is_servable", "parse_filter"]

MAX_LENGTH = 4096
MAX_TERMS = 64
MAX_DEPTH = 32

# Without a closing quote the rest is text: one pass over it, where trying every quote again would be quadratic.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_JOINT = re.compile(r"(?<![\w$:.-])(?:and|or)(?![\w$:.-])", re.IGNORECASE)
_STEPS = {"(": 1, "[": 1, ")": -1, "]": -1}


def parse_filter(text: str, *kinds: Kind) -> FilterNode:
    """Return the syntax tree of a filter over some kinds of resources, names and values bound to their schemas.

    Raises:
        InvalidFilterException: the filter is too large, has no meaning, or names what none of the kinds has.
    """
    _check_size(text)
    try:
        tree: FilterNode = search_model(*kinds)(filter=text).filter.ast
    except ValidationError as fault:
        raise InvalidFilterException(detail=Error.from_validation_error(fault.errors()[0]).detail) from fault
    return bind(tree, *kinds)


def _check_size(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise InvalidFilterException(detail=f"The filter is longer than {MAX_LENGTH} characters.")
    syntax = _STRING.sub('""', text)
    if len(_JOINT.findall(syntax)) >= MAX_TERMS:
        raise InvalidFilterException(detail=f"The filter has more than {MAX_TERMS} terms.")
    if max(accumulate(_STEPS.get(sign, 0) for sign in syntax), default=0) > MAX_DEPTH:
        raise InvalidFilterException(detail=f"The filter is nested more than {MAX_DEPTH} deep.")
