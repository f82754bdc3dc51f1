"""The workplace of the command line, since `serve` is tried as the process that it is."""

from tests.cli.conftest import folder, run

__all__ = ["folder", "run"]
