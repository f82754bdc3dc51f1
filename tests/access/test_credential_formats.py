"""Each form is what the program at the other end reads."""

import configparser
import json
import shlex
import shutil
import subprocess

import pytest

from connector.access.credential_formats import FORMATS
from tests.access.sample import credentials

SECRET, TOKEN = "s3cr3t/k'ey", "t0ken%=="


def test_process_is_what_sdks_read():
    """AWS SDKs guide, "Process credential provider": one JSON document, Version 1, nothing unknown."""
    assert json.loads(FORMATS["process"](credentials(), "p")) == {
        "Version": 1,
        "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
        "SecretAccessKey": SECRET,
        "SessionToken": TOKEN,
        "Expiration": "2026-01-31T20:00:00Z",
        "AccountId": "123456789012",
    }
    assert "AccountId" not in json.loads(FORMATS["process"](credentials(account=""), "p"))


def test_export_can_be_evaluated_by_a_shell():
    """Quotes in a key are no way out of it."""
    script = FORMATS["export"](credentials(), "p") + '\nprintf "%s\\n" "$AWS_SECRET_ACCESS_KEY" "$AWS_SESSION_TOKEN"'
    shell = shutil.which("sh") or "/bin/sh"
    done = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=True, env={})

    assert done.stdout.splitlines() == [SECRET, TOKEN]
    assert len(shlex.split(FORMATS["export"](credentials(), "p"))) == 8


def test_env_is_a_variable_a_line():
    """For --env-file and its like, which take everything behind the sign as it is."""
    lines = dict(line.split("=", 1) for line in FORMATS["env"](credentials(), "p").splitlines())

    assert lines["AWS_SECRET_ACCESS_KEY"] == SECRET
    assert lines["AWS_CREDENTIAL_EXPIRATION"] == "2026-01-31T20:00:00Z"


def test_powershell_quotes_are_doubled():
    """about_Quoting_Rules: within single quotes nothing but a quote is special."""
    assert "$Env:AWS_SECRET_ACCESS_KEY = 's3cr3t/k''ey'" in FORMATS["powershell"](credentials(), "p").splitlines()


def test_ini_is_a_section_of_the_credentials_file():
    """Under the name of the profile, with its end."""
    parser = configparser.RawConfigParser()
    parser.read_string(FORMATS["ini"](credentials(), "people"))

    assert parser["people"]["aws_session_token"] == TOKEN
    assert parser["people"]["aws_credential_expiration"] == "2026-01-31T20:00:00Z"


def test_json_names_who_it_is():
    """For scripts of one's own."""
    assert json.loads(FORMATS["json"](credentials(), "p"))["arn"].endswith("/People/ann")


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_ends_without_a_line_of_its_own(form):
    """The command adds it."""
    assert not FORMATS[form](credentials(), "p").endswith("\n")
