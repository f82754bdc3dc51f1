"""Make every small mistake in the safeguard and the comparison, and demand that a test notices each.

    python -m tests.mutants [MODULE ...] [--jobs N] [--every N]

Each mutant is tried in a child of its own, forked once the libraries are loaded, which imports the mutated module in
the place of the right one and runs the tests that belong to it. Ends with 1 when a mutant survives that is not listed
in equivalent.txt. With --every 20, only one of twenty is tried.
"""

import argparse
import ast
import importlib
import importlib.machinery
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from types import CodeType
from typing import NamedTuple

import pytest

from tests.mutants.mutations import Mutant, mutants_of

ROOT = Path(__file__).parents[2]
SECONDS = 120
"""A mutant that runs for longer will never end, which is noticed too."""

SAFEGUARD = ("tests/directory/test_safeguard.py", "tests/directory/test_change_plan.py")
COMPARISON = ("tests/store/publishing/test_compare.py", "tests/store/test_generations.py")
TESTS: dict[str, tuple[str, ...]] = {
    "connector/directory/safeguard.py": SAFEGUARD,
    "connector/directory/change_plan.py": SAFEGUARD,
    "connector/store/publishing/compare.py": COMPARISON,
    "connector/store/publishing/harvest_plan.py": COMPARISON,
}
_LIBRARIES = (
    "boto3",
    "flask",
    "hypothesis",
    "pydantic",
    "scim2_models",
    "sqlalchemy.dialects.sqlite",
    "urllib.request",
)
_PYTEST = ("--assert=plain", "-q", "-x", "-n0", "-p", "no:randomly", "-p", "no:cacheprovider", "-k", "not postgresql")


class Tried(NamedTuple):
    """A mutant and whether a test noticed it."""

    mutant: Mutant
    killed: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Try all mutants of the modules that are asked for, of all four if none is."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("modules", nargs="*", choices=[[], *TESTS], metavar="MODULE", default=list(TESTS))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--every", type=int, default=1)
    asked = parser.parse_args(arguments)
    for library in _LIBRARIES:
        importlib.import_module(library)
    survivors = 0
    for module in asked.modules:
        known, number = equivalent(module), 0
        if _fails(module, None):
            raise SystemExit(f"The tests of {module} fail without any mutant.")
        for number, tried in enumerate(_try_all(module, asked.jobs, asked.every), 1):  # noqa: B007 - counted to the end
            if not tried.killed and tried.mutant.name not in known:
                survivors += 1
                sys.stdout.write(f"{module}:{tried.mutant.line}: {tried.mutant.name}\n")
        sys.stdout.write(f"{module}: {number} mutants, {len(known)} known to be equivalent\n")
        sys.stdout.flush()
    return 1 if survivors else 0


def equivalent(module: str) -> frozenset[str]:
    """Return the mutants of a module that mean the same; the file has `module: mutant` lines among its reasons."""
    lines = Path(__file__).with_name("equivalent.txt").read_text().splitlines()
    return frozenset(line.removeprefix(f"{module}: ") for line in lines if line.startswith(f"{module}: "))


def _try_all(module: str, jobs: int, every: int) -> Iterator[Tried]:
    under_way: dict[int, Mutant] = {}
    for mutant in islice(mutants_of((ROOT / module).read_text()), 0, None, every):
        if len(under_way) == jobs:
            yield _await_one(under_way)
        under_way[_start(module, mutant.tree)] = mutant
    while under_way:
        yield _await_one(under_way)


def _await_one(under_way: dict[int, Mutant]) -> Tried:
    process, status = os.wait()
    return Tried(under_way.pop(process), status != 0)


def _fails(module: str, tree: ast.Module | None) -> bool:
    _, status = os.waitpid(_start(module, tree), 0)
    return status != 0


def _start(module: str, tree: ast.Module | None) -> int:
    """Run the tests of a module in a child, with this tree in its place, and return the number of the child."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.alarm(SECONDS)
        quiet = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(quiet, stream)
        if tree is not None:
            _put_in_place(module, compile(tree, str(ROOT / module), "exec"))
        code = int(pytest.main([*_PYTEST, *TESTS[module]]))
    finally:
        os._exit(code)


def _put_in_place(module: str, mutated: CodeType) -> None:
    """Let the import of a module run other code than its file has."""
    wanted, right = module.removesuffix(".py").replace("/", "."), importlib.machinery.SourceFileLoader.get_code

    def get_code(loader: importlib.machinery.SourceFileLoader, name: str) -> CodeType | None:
        return mutated if name == wanted else right(loader, name)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    raise SystemExit(main())
