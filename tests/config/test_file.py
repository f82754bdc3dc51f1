"""A configuration file is changed key by key, and everything else in it stays."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from connector.config.file import render, set_values
from connector.errors import ConfigError

WRITTEN = """\
# ours
cognito:   # the pool
    user_pool_id: us-east-1_a   # ask ann
    groups:
    - one
    - two

store: {url: "sqlite:///x.db"}
aws:
  # role_arn:
"""


def test_a_value_is_replaced_and_its_comment_stays() -> None:
    """Only the value changes."""
    changed = set_values(WRITTEN, {"cognito.user_pool_id": "us-east-1_b"})

    assert changed == WRITTEN.replace("us-east-1_a ", '"us-east-1_b" ')


def test_a_key_is_added_under_its_section() -> None:
    """Indented as its neighbours, in a section that is empty, and in one that is not there yet."""
    changed = set_values(
        WRITTEN, {"cognito.region": "us-east-1", "aws.role_arn": "arn:x", "rotation.allow": ["ann", "bo"]}
    )

    assert yaml.safe_load(changed) == {
        "cognito": {"user_pool_id": "us-east-1_a", "groups": ["one", "two"], "region": "us-east-1"},
        "store": {"url": "sqlite:///x.db"},
        "aws": {"role_arn": "arn:x"},
        "rotation": {"allow": ["ann", "bo"]},
    }
    assert "# ask ann" in changed
    assert "  # role_arn:" in changed


def test_a_key_is_removed_with_its_line() -> None:
    """None takes the line away; what is not there stays away."""
    changed = set_values(WRITTEN, {"cognito.user_pool_id": None, "server.host": None})

    assert changed == WRITTEN.replace("    user_pool_id: us-east-1_a   # ask ann\n", "")


def test_an_empty_file_and_the_empty_form_take_values() -> None:
    """What `init` writes without an answer, and nothing at all."""
    for text in ("", render([], Path("/folder"))):
        changed = yaml.safe_load(set_values(text, {"aws.role_arn": "arn:x", "cognito.region": "us-east-1"}))

        assert {section: keys for section, keys in changed.items() if keys and section != "store"} == {
            "aws": {"role_arn": "arn:x"},
            "cognito": {"region": "us-east-1"},
        }


def test_a_section_in_one_line_is_not_broken() -> None:
    """What cannot be changed line by line is said, with the line to write by hand."""
    with pytest.raises(ConfigError, match=r"store\.url cannot be changed") as refused:
        set_values("store: {backup: a,\n url: b}\n", {"store.url": None})

    assert "Set it by hand" in refused.value.remedy


NAMES = st.sampled_from(["one", "two", "three"])
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20)
SECTIONS = st.dictionaries(st.sampled_from(["aws", "cognito"]), st.dictionaries(NAMES, VALUES, min_size=1), min_size=1)


@given(before=SECTIONS, section=st.sampled_from(["aws", "cognito"]), name=NAMES, value=VALUES | st.none())
def test_whatever_text_stands_in_a_file_a_key_can_be_set(before, section, name, value) -> None:
    """The file then says exactly that, whatever the values are."""
    text = yaml.safe_dump(before, allow_unicode=True)
    wanted = {**before, section: {**before.get(section, {}), name: value}}
    if value is None:
        del wanted[section][name]

    loaded = yaml.safe_load(set_values(text, {f"{section}.{name}": value})) or {}

    assert {key: keys for key, keys in loaded.items() if keys} == {key: keys for key, keys in wanted.items() if keys}
