"""The mutation tests themselves: a few mistakes of each module are noticed, and no excuse outlives its code."""

import re
import subprocess
import sys

import pytest

from tests.mutants.__main__ import ROOT, TESTS, equivalent
from tests.mutants.mutations import mutants_of


@pytest.mark.parametrize("module", TESTS)
def test_every_excuse_is_about_a_mistake_that_can_be_made(module):
    """P02: the list of mutants that mean the same names code that is there; `make mutants` tries all others."""
    possible = {mutant.name for mutant in mutants_of((ROOT / module).read_text())}

    assert equivalent(module) <= possible


def test_a_sample_of_mistakes_in_the_safeguard_is_noticed():
    """P02: every fifteenth mistake that can be made there, each in a process that runs the safeguard's tests."""
    command = [
        sys.executable,
        "-m",
        "tests.mutants",
        "connector/directory/safeguard.py",
        "--every",
        "15",
        "--jobs",
        "2",
    ]
    tried = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)

    assert tried.returncode == 0, tried.stdout
    assert re.search(r": [1-9]\d+ mutants", tried.stdout)
