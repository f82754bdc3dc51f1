"""One name for one thing: who searches for a name meets what it stands for, and nothing else."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "connector"

NAMED_AS_OUTSIDE = ("cli", "config", "web/console/pages")
"""Rooms whose modules have the names of commands, of sections of the configuration, and of pages."""

TWICE = {
    "endpoint": "the routes of one surface; each folder below web/ has one",
    "errors": "the tree, and what the answers of one service become in it; each adapter has one",
    "runs": "the vocabulary in directory/, and what bootstrap/ wires for it",
}


def class_names() -> Iterator[tuple[str, str]]:
    """Yield each class of the connector with the module that defines it."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ClassDef):
                yield node.name, str(path.relative_to(SOURCE))


def module_names() -> Iterator[tuple[str, str]]:
    """Yield each module of the connector by its name, but for those named as something outside is."""
    for path in SOURCE.rglob("*.py"):
        room = path.parent.relative_to(SOURCE).as_posix()
        if not path.stem.startswith("__") and not room.startswith(NAMED_AS_OUTSIDE):
            yield path.stem, str(path.relative_to(SOURCE))


def twice(names: Iterator[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the names that stand in more than one place, with the places."""
    places = defaultdict(list)
    for name, place in names:
        places[name].append(place)
    return {name: sorted(found) for name, found in places.items() if len(found) > 1}


def test_a_class_name_stands_for_one_thing() -> None:
    """One name, one thing: no two classes of the connector share a name."""
    assert twice(class_names()) == {}


def test_a_module_name_stands_for_one_thing() -> None:
    """Modules that share a name do so for a reason that is written here, and no reason outlives its modules."""
    assert twice(module_names()).keys() == TWICE.keys()
