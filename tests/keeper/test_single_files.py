"""The plugins as files: made of their source, read by a catalogue without running them, complete in themselves."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.keeper.flatten import MISSING, PLUGINS, flatten
from tests.fakes.kdnrm.gateway import load_plugin
from tests.fakes.kdnrm.metadata import TEXTS, read_metadata

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/keeper"
IN_KEEPER = """
import sys, unittest
from tests.fakes.kdnrm.gateway import interface_of_keeper
with interface_of_keeper():
    folder, _, name = sys.argv[1].rpartition("/")
    sys.path.insert(0, folder)
    unittest.main(name.removesuffix(".py"), argv=["unittest"])
"""
WITHOUT_BOTO3 = """
import sys
from pathlib import Path
from tests.fakes.kdnrm.gateway import load_plugin
sys.modules["boto3"] = None
load_plugin(Path(sys.argv[1]))
"""
LABELS = {
    "aws_cognito": {
        "AWS Access Key ID": False,
        "AWS Secret Access Key": False,
        "User Pool ID": True,
        "Cloud Region": False,
        "AWS Region": False,
        "App Client ID": False,
        "App Client Secret": False,
        "App Client Flow": False,
    },
    "aws_iam_user": {"AWS Access Key ID": True, "AWS Secret Access Key": True, "Cloud Region": True},
}
SECRETS = {"AWS Access Key ID", "AWS Secret Access Key", "User Pool ID", "App Client Secret"}

pytestmark = pytest.mark.parametrize("name", PLUGINS)


def plugin(name):
    """Return the file that Keeper installs."""
    return FOLDER / name / f"{name}.py"


def test_file_is_what_make_keeper_makes(name):
    """Who reads the source has read the file."""
    assert plugin(name).read_text() == flatten(name), "run `make keeper`"


def test_catalogue_reads_the_metadata_without_running_the_file(name):
    """Keeper reads the syntax tree: whatever is computed counts as missing."""
    found = read_metadata(plugin(name))

    assert set(found.texts) == set(TEXTS)
    assert all(found.texts.values())
    assert found.requirements == ["boto3"]
    assert {item["label"]: item["required"] for item in found.schema} == LABELS[name]
    assert {item["label"] for item in found.schema if item.get("is_secret")} == SECRETS & set(LABELS[name])


def test_readme_that_the_metadata_name_is_there(name):
    """The catalogue links to it."""
    assert (plugin(name).parent / read_metadata(plugin(name)).texts["readme"]).exists()


def test_what_runs_is_what_the_catalogue_shows(name):
    """The literal metadata and the class agree."""
    shown, loaded = read_metadata(plugin(name)), load_plugin(plugin(name)).SaasPlugin

    assert loaded.name == shown.texts["name"]
    assert loaded.requirements() == shown.requirements
    assert [item.label for item in loaded.config_schema()] == [item["label"] for item in shown.schema]
    assert {"change_password", "rollback_password", "can_rollback"} <= set(vars(loaded))


def test_file_imports_nothing_of_ours(name):
    """A Gateway has no package of ours, and installs none: the standard library, boto3 and Keeper's own names."""
    nodes = ast.walk(ast.parse(plugin(name).read_text()))
    modules = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    packages = {module.partition(".")[0] for module in modules}

    assert packages - sys.stdlib_module_names == {"kdnrm", "botocore"}


def test_missing_boto3_is_told_with_what_to_install(name):
    """The Gateway installs requirements() after it has read the file, and shows the plugin's own error before."""
    text = plugin(name).read_text()
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_BOTO3, str(plugin(name))], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert MISSING in text
    assert 'please install it with "pip install boto3"' in done.stderr.splitlines()[-1]


def test_small_test_that_keeper_asks_for_passes(name):
    """Keeper's validation wants <name>_test.py beside the plugin."""
    test = FOLDER / name / f"{name}_test.py"

    done = subprocess.run(
        [sys.executable, "-c", IN_KEEPER, str(test)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
