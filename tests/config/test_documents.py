"""The two documents about the configuration say what the code does."""

import json
import re
from pathlib import Path

import jsonschema
import yaml

from connector.config import effective, load_settings, variable
from connector.config.keys import key_names, schema

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.yaml"
SCHEMA = ROOT / "schemas" / "config.schema.json"


def _keys(tree: dict[str, object], path: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in tree.items():
        found |= _keys(value, f"{path}{name}.") if isinstance(value, dict) else {f"{path}{name}": value}
    return found


def test_example_has_every_key_and_no_other() -> None:
    """House rule: config.example.yaml explains every key."""
    assert list(_keys(yaml.safe_load(EXAMPLE.read_text()))) == list(key_names())


def test_example_shows_the_defaults(tmp_path: Path) -> None:
    """What is shown is what holds when the key is left out."""
    (tmp_path / "example.yaml").write_text(EXAMPLE.read_text())
    (tmp_path / "empty.yaml").touch()
    shown, default = (load_settings(tmp_path / name, {}, reads_pool=False) for name in ("example.yaml", "empty.yaml"))

    assert shown.model_dump() == default.model_dump()
    assert [row.value for row in effective(shown)] == [row.value for row in effective(default)]


def test_example_names_the_variable_of_every_key() -> None:
    """Each key stands right below the name of its environment variable and an explanation."""
    told = re.findall(r"^ *# \S.*\n *# (COGNITO_SCIM_\w+)\n *\w+:", EXAMPLE.read_text(), flags=re.MULTILINE)

    assert told == [variable(key) for key in key_names()]


def test_schema_is_the_one_made_from_the_models() -> None:
    """`make schema` makes it."""
    assert SCHEMA.read_text() == schema()


def test_schema_accepts_the_example() -> None:
    """An editor that checks with the schema has nothing to say against the example."""
    document = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(document)

    jsonschema.validate(yaml.safe_load(EXAMPLE.read_text()), document, cls=jsonschema.Draft202012Validator)
