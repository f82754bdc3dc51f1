"""What cannot be one file is refused with the name to change; what can keeps its comments and its meaning."""

import pytest

from deploy.keeper import flatten as flattening
from deploy.keeper.flatten import NotFlat, flatten


@pytest.fixture
def write(monkeypatch, tmp_path):
    """Write modules of a program of its own."""
    monkeypatch.setattr(flattening, "ROOT", tmp_path)

    def write(**modules):
        for name, text in {"source_plugin": "", **modules}.items():
            folder = "deploy/keeper/source" if name.startswith("source_") else "connector"
            file = tmp_path / folder / f"{name.removeprefix('source_')}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f'"""About {name}."""\n\n{text}')

    return write


def run(text):
    """Return what a flattened file defines."""
    found = {}
    exec(compile(text, "flattened", "exec"), found)  # noqa: S102  that is what is tested
    return found


def test_private_names_of_two_modules_are_told_apart(write):
    """Each module keeps its own; attributes of the same name are left alone."""
    write(
        one='_kind = "one"\n\n\ndef one():\n    return _kind\n',
        two='_kind = "two"\n\n\nclass Two:\n    def __init__(self):\n        self._kind = "inside"\n\n'
        "    def two(self):\n        return _kind, self._kind\n",
        source_plugin="from connector.one import one\nfrom connector.two import Two\n\n\ndef both():\n"
        "    return one(), Two().two()\n",
    )

    assert run(flatten("plugin"))["both"]() == ("one", ("two", "inside"))


def test_what_nothing_reaches_is_left_out_and_comments_stay(write):
    """The file is to be read before it is installed."""
    write(
        one="# why it is 7\nKEPT = 7\n\nUNUSED = 8\n\n\ndef unused():\n    return UNUSED\n",
        source_plugin="from connector.one import KEPT\n\nSHOWN = KEPT\n",
    )

    text = flatten("plugin")

    assert "# why it is 7\nKEPT = 7" in text
    assert "UNUSED" not in text
    assert run(text)["SHOWN"] == 7


def test_what_is_imported_for_types_only_is_not_imported(write):
    """A Gateway has no type stubs."""
    write(
        one="from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from mypy_boto3_sts import STSClient\n\n\n"
        'def one(client: "STSClient"):\n    return client\n',
        source_plugin="from connector.one import one\n\nSHOWN = one\n",
    )

    assert "mypy_boto3" not in flatten("plugin")


@pytest.mark.parametrize(
    ("modules", "what"),
    [
        ({"one": "Same = 1\n", "two": "Same = 2\n"}, "two modules define Same"),
        (
            {"one": "one = 1\n\n\ndef f(_x):\n    return _x\n\n\n_x = 1\n", "two": "_x = 2\n\ntwo = _x\n"},
            "_x is bound again",
        ),
        ({"one": "print(1)\n", "two": "two = 1\n"}, "defines nothing"),
        ({"one": "from connector.two import two\n", "two": "from connector.one import one\n"}, "import each other"),
        ({"one": "from connector import two\n", "two": "two = 1\n"}, "public names, as they are"),
    ],
)
def test_modules_that_cannot_be_one_file_are_refused(write, modules, what):
    """Nothing is guessed."""
    write(**modules, source_plugin="from connector.one import one\nfrom connector.two import two\n\nSHOWN = one, two\n")

    with pytest.raises(NotFlat, match=what):
        flatten("plugin")
