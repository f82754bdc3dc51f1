"""Projection: what `attributes` and `excludedAttributes` leave of a body (RFC 7644, section 3.9).

Compiled once in a request; a stored body is then parsed, cut and written again, without any model. Names are understood
in any case, bare or with the URN of their schema; unknown ones are ignored, as importers ask for what others have.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from connector.directory.rows import Kind
from connector.scim.encoding import decode_body, encode_body
from connector.scim.schemas import schemas_of

AttributePath = tuple[str, ...]
"""The names on the way to an attribute; those of an extension begin with its URN."""

Tree = dict[str, "Tree | None"]
"""What stays: attributes by name, with what stays inside them; None = everything."""

_ALWAYS = frozenset({("schemas",), ("id",)})
_COMMON = frozenset(
    {
        *_ALWAYS,
        ("externalId",),
        *(("meta", name) for name in ("resourceType", "created", "lastModified", "location", "version")),
    }
)


@dataclass(frozen=True, slots=True)
class Projection:
    """What a request wants to see of each resource of one kind.

    Args:
        core: the URN of the kind's own schema.
        tree: what stays.
    """

    core: str
    tree: Tree

    def shows(self, name: str) -> bool:
        """Tell whether anything of an attribute stays."""
        return name in self.tree

    def parts(self, name: str) -> Tree | None:
        """Return what stays of an attribute that is shown, None for everything."""
        return self.tree[name]

    def cut(self, body: str) -> str:
        """Return what stays of a body.

        Its public base URL must be in: written anew, its placeholder could not be told from text of the directory.
        """
        kept = _cut(decode_body(body), self.tree)
        kept["schemas"] = [urn for urn in kept["schemas"] if urn == self.core or urn in kept]
        return encode_body(kept)


def project(kind: Kind, attributes: Iterable[str] | None, excluded: Iterable[str]) -> Projection | None:
    """Compile a projection, None when nothing would be cut.

    Args:
        kind: users or groups.
        attributes: the names asked for, None = the default, which is everything.
        excluded: the names not wanted; `id` and `schemas` stay nevertheless.
    """
    known = known_attributes(kind)
    everything = known[""]
    shown = everything - _paths(known, excluded) if attributes is None else _paths(known, attributes)
    shown |= _ALWAYS
    if shown == everything:
        return None
    return Projection(schemas_of(kind)[0]["id"], _grow(shown, everything))


@cache
def known_attributes(kind: Kind) -> Mapping[str, frozenset[AttributePath]]:
    """Return every way to name an attribute, in lower case, and the innermost attributes it stands for.

    The URN of a schema names all its attributes, the empty name everything.
    """
    core, *extensions = schemas_of(kind)
    known: dict[str, set[AttributePath]] = {}
    own = set(_leaves(core["attributes"]))
    for path in _COMMON | own:
        _add(known, path, ("", core["id"] + ":"))
    known[core["id"].lower()] = own
    for extension in extensions:
        urn = extension["id"]
        known[urn.lower()] = {(urn, *path) for path in _leaves(extension["attributes"])}
        for path in _leaves(extension["attributes"]):
            _add(known, path, (urn + ":",), under=(urn,))
    known[""] = set().union(*known.values())
    return {name: frozenset(paths) for name, paths in known.items()}


def _leaves(attributes: Iterable[Mapping[str, Any]]) -> Iterable[AttributePath]:
    for attribute in attributes:
        inner = attribute.get("subAttributes", ())
        yield from ((attribute["name"], part["name"]) for part in inner)
        if not inner:
            yield (attribute["name"],)


def _add(
    known: dict[str, set[AttributePath]], path: AttributePath, prefixes: Iterable[str], under: AttributePath = ()
) -> None:
    for prefix in prefixes:
        for length in range(1, len(path) + 1):
            name = prefix + ".".join(path[:length])
            known.setdefault(name.lower(), set()).add((*under, *path))


def _paths(known: Mapping[str, frozenset[AttributePath]], names: Iterable[str]) -> frozenset[AttributePath]:
    return frozenset().union(*(known[name.lower()] for name in names if name.lower() in known))


def _grow(shown: Iterable[AttributePath], everything: Iterable[AttributePath]) -> Tree:
    """Return the tree of paths; whatever is shown as a whole needs no branches."""
    some, all_of_it = _tails(shown), _tails(everything)
    return {name: None if tails == all_of_it[name] else _grow(tails, all_of_it[name]) for name, tails in some.items()}


def _tails(paths: Iterable[AttributePath]) -> dict[str, set[AttributePath]]:
    tails: dict[str, set[AttributePath]] = {}
    for name, *tail in paths:
        tails.setdefault(name, set()).add(tuple(tail))
    return tails


def _cut(members: Mapping[str, Any], tree: Tree) -> dict[str, Any]:
    kept = {}
    for name, value in members.items():
        if name in tree:
            inner = tree[name]
            left = value if inner is None else _cut_inside(value, inner)
            if inner is None or left:
                kept[name] = left
    return kept


def _cut_inside(value: Any, tree: Tree) -> Any:
    if isinstance(value, list):
        return [kept for entry in value if (kept := _cut(entry, tree))]
    return _cut(value, tree)
