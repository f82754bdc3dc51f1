"""The AWS CLI and boto3 work with what is installed, and twelve hours are had from the documents alone."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from tests.access.conftest import Machine
from tests.fakes.people_cloud import ACCOUNT, PASSWORD, PeopleCloud

BIN = Path(sys.executable).parent
BUCKET = "people-bucket"


@pytest.fixture
def person(administrator: Machine, cloud: PeopleCloud, monkeypatch) -> Machine:
    """Somebody's machine, after an administrator has done what the how-to says for web identity."""
    administrator.set(COGNITO_USER_POOL_ID=cloud.pool_id, COGNITO_CLIENT_ID=cloud.client_id)
    done = administrator.run("cognito-scim", "admin", "setup-web-identity", "--json")
    assert done.code == 0, done.err
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "COGNITO_USER_POOL_ID", "COGNITO_CLIENT_ID"):
        monkeypatch.delenv(name)
    login = {"client_id": cloud.client_id, "federation": "web-identity", "role_arn": json.loads(done.out)["role_arn"]}
    document = {"cognito": {"user_pool_id": cloud.pool_id}, "login": login}
    (administrator.home / "config.yaml").write_text(yaml.safe_dump(document))
    location = {"LocationConstraint": "eu-west-1"}
    cloud.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
    return administrator


def program(machine: Machine, *command: str, given: str = "", timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a program as a process of its own."""
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        input=given,
        env=os.environ | {"HOME": str(machine.home)},
        cwd=machine.home,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )


def log_in(machine: Machine, *options: str) -> subprocess.CompletedProcess[str]:
    """Sign Ann in."""
    return program(machine, "cognito-scim", "login", "ann", "--password-file", "-", *options, given=f"{PASSWORD}\n")


def test_twelve_hours_by_web_identity_without_any_key(person: Machine, cloud: PeopleCloud):
    """The how-to, followed: no user, no access key, no function is there at the end."""
    done = log_in(person, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    left = datetime.fromisoformat(found["until"]) - datetime.now(UTC)

    assert timedelta(hours=11, minutes=58) < left <= timedelta(hours=12)
    assert found["role"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/CognitoWebIdentityRole/ann"
    assert cloud.client("iam").list_users()["Users"] == []
    assert cloud.client("lambda").list_functions()["Functions"] == []


def test_aws_cli_and_boto3_use_the_installed_profile(person: Machine, cloud: PeopleCloud, monkeypatch):
    """Also through role_arn with source_profile, and without calling ourselves for ever."""
    assert log_in(person).returncode == 0
    assert program(person, "cognito-scim", "profile", "install", "people").returncode == 0
    config = person.home / ".aws/config"
    cloud.client("iam").create_role(
        RoleName="Reports", AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[]}'
    )
    chained = f"\n[profile chained]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/Reports\nsource_profile = people\n"
    chained += "region = eu-west-1\n"
    config.write_text(config.read_text() + chained)

    listed = program(person, "aws", "--profile", "people", "s3", "ls")
    assert BUCKET in listed.stdout, listed.stderr
    monkeypatch.setenv("AWS_PROFILE", "people")
    script = f"import boto3; print([b['Name'] for b in boto3.client('s3').list_buckets()['Buckets']] == ['{BUCKET}'])"
    assert program(person, "python", "-c", script).stdout == "True\n"
    assert program(person, "cognito-scim", "credentials").returncode == 0
    with monkeypatch.context() as trusting:
        trusting.setattr(cloud, "_check_assumption", lambda _: None)
        asked = program(person, "aws", "--profile", "chained", "sts", "get-caller-identity")
    assert "assumed-role/Reports/" in asked.stdout, asked.stderr


def test_credential_process_that_nobody_signed_in_for_says_so_on_stderr(person: Machine):
    """It never asks: its prompt would be seen by nobody."""
    assert program(person, "cognito-scim", "profile", "install", "people").returncode == 0
    done = program(person, "aws", "--profile", "people", "sts", "get-caller-identity", timeout=60)

    assert done.returncode != 0
    assert "Sign in: cognito-scim login" in done.stderr
    direct = program(person, "cognito-scim", "credentials")
    assert (direct.returncode, direct.stdout) == (77, "")


def test_parallel_processes_renew_once(person: Machine, cloud: PeopleCloud):
    """A file lock and a second look: of five calls at once, one asks AWS; each gets the same credentials."""
    assert log_in(person).returncode == 0
    kept = person.home / ".local/state/cognito-scim/login/default.json"
    document = json.loads(kept.read_text())
    now = datetime.now(UTC)
    document["credentials"] |= {
        "issued": (now - timedelta(hours=12)).isoformat(),
        "expires": (now + timedelta(minutes=1)).isoformat(),
    }
    kept.write_text(json.dumps(document))
    before = cloud.calls.count("AssumeRoleWithWebIdentity")
    with ThreadPoolExecutor(5) as pool:
        done = list(pool.map(lambda _: program(person, "cognito-scim", "credentials"), range(5)))

    assert [one.returncode for one in done] == [0] * 5, done[0].stderr
    assert len({one.stdout for one in done}) == 1
    assert cloud.calls.count("AssumeRoleWithWebIdentity") == before + 1


def test_exec_passes_exit_code_signals_and_environment_on(person: Machine):
    """The command takes the process's place."""
    assert log_in(person).returncode == 0
    os.environ["AWS_PROFILE"] = "stale"
    try:
        script = 'test -n "$AWS_SESSION_TOKEN" && test -z "$AWS_PROFILE" && exit 7'
        assert program(person, "cognito-scim", "exec", "--", "sh", "-c", script).returncode == 7
    finally:
        del os.environ["AWS_PROFILE"]
    assert program(person, "cognito-scim", "exec", "--", "sh", "-c", "kill -TERM $$").returncode == -15
    assert program(person, "cognito-scim", "exec", "--", "no-such-command").returncode == 127
    assert program(person, "cognito-scim", "exec", "--", "sh", "-c", "yes | head -1; exit 0").stdout == "y\n"


def test_login_of_a_role_that_allows_less_is_refused_with_the_way_out(person: Machine, cloud: PeopleCloud):
    """What AWS gives is never stretched."""
    cloud.client("iam").update_role(RoleName="CognitoWebIdentityRole", MaxSessionDuration=3600)
    done = log_in(person)

    assert done.returncode == 78
    assert "may not last that long" in done.stderr
    assert log_in(person, "--duration", "1").returncode == 0


def test_check_runs_as_the_person_who_is_signed_in(person: Machine, monkeypatch):
    """aws.credential_source: login; nobody signed in is a failed check with the remedy."""
    monkeypatch.setenv("COGNITO_SCIM_AWS__CREDENTIAL_SOURCE", "login")
    before = program(person, "cognito-scim", "check")
    assert "Sign in: cognito-scim login" in before.stdout, before.stdout
    assert log_in(person).returncode == 0
    after = json.loads(program(person, "cognito-scim", "check", "--json").stdout)["checks"]

    by_name = {row["name"]: row for row in after}
    assert by_name["credentials"]["status"] == "passed"
    assert "CognitoWebIdentityRole/ann" in by_name["credentials"]["detail"]
    assert by_name["list_users"]["status"] == "passed"


def test_plan_and_sync_run_as_the_person_who_is_signed_in(person: Machine, monkeypatch):
    """An operator's own way; nobody signed in ends with 77 and the way to do it, and nothing is published."""
    monkeypatch.setenv("COGNITO_SCIM_AWS__CREDENTIAL_SOURCE", "login")
    refused = [person.run("cognito-scim", command) for command in ("plan", "sync")]
    assert person.log_in("--json", program="cognito-scim").code == 0
    planned, synced = (person.run("cognito-scim", command, "--json") for command in ("plan", "sync"))

    assert [(done.code, "cognito-scim login" in done.err) for done in refused] == [(77, True)] * 2, refused
    assert (planned.code, json.loads(planned.out)["users"]) == (0, 2), planned.err
    assert (synced.code, json.loads(synced.out)["outcome"]) == (0, "published"), synced.err
