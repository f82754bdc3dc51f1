"""The zip of the rotation function: the same bytes every time, nothing foreign, and it runs on what Lambda has."""

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from deploy.lambda_zip import write_zip
from tests.fakes.rotation.cloud import REGION, ROTATOR, Cloud

ROOT = Path(__file__).parents[2]


def test_two_builds_are_the_same_bytes(tmp_path):
    """P35: who builds it again can tell that nothing else was installed; files' times and modes do not matter."""
    first = write_zip(tmp_path / "first.zip")
    touched = ROOT / "connector/rotation/__init__.py"
    before = touched.stat()
    try:
        os.utime(touched, (1_000_000_000, 1_000_000_000))
        second = write_zip(tmp_path / "second.zip")
    finally:
        os.utime(touched, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert first == second
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_zip_holds_the_rotation_and_nothing_else(tmp_path):
    """Nothing compiled, nothing of third parties: boto3 is part of Lambda's runtime."""
    write_zip(tmp_path / "function.zip")

    with zipfile.ZipFile(tmp_path / "function.zip") as archive:
        entries = archive.infolist()

    names = [entry.filename for entry in entries]
    assert sorted(names) == names
    assert "connector/rotation/secrets_manager_function.py" in names
    assert {"connector/__init__.py", "connector/aws_codes.py", "connector/errors.py"} == {
        name for name in names if not name.startswith("connector/rotation/")
    }
    assert {".py"} == {Path(name).suffix for name in names}
    assert {0o100644} == {entry.external_attr >> 16 for entry in entries}


DRIVE = """
import json, sys
sys.path[:0] = [sys.argv[1], sys.argv[2]]
from connector.rotation import secrets_manager_function

class Context:
    def get_remaining_time_in_millis(self):
        return 60_000

for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
    event = {"Step": step, "SecretId": sys.argv[3], "ClientRequestToken": sys.argv[4]}
    secrets_manager_function.handler(event, Context())
print(json.dumps(secrets_manager_function.__file__))
"""
RUNTIME = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
NAME, USER, OLD = "tester", "freddy-tester", "Temp-Password-123"


def lambda_runtime(folder):
    """Return a folder that holds boto3 and what it needs, and nothing else that is installed here."""
    folder.mkdir()
    for name in RUNTIME:
        found = importlib.util.find_spec(name)
        where = Path(found.origin).parent if found.submodule_search_locations else Path(found.origin)
        (folder / where.name).symlink_to(where)
    return folder


def test_handler_from_the_zip_rotates_on_what_lambda_has(tmp_path):
    """P35: a clean interpreter with boto3 and the zip only, all four steps, every line of the log JSON."""
    write_zip(tmp_path / "function.zip")
    runtime = lambda_runtime(tmp_path / "runtime")
    with Cloud() as cloud:
        cloud.pool.add_user(USER, OLD)
        cloud.pool.add_client("app")
        document = {"clientid": "app", "username": USER, "password": OLD}
        secret = cloud.secrets.create(NAME, json.dumps(document))
        token = cloud.secrets.begin_rotation(NAME)
        environment = {
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ROTATOR.key_id,
            "AWS_SECRET_ACCESS_KEY": ROTATOR.secret,
            "AWS_ENDPOINT_URL": cloud.endpoint_url,
        }

        command = [sys.executable, "-I", "-S", "-c", DRIVE, tmp_path / "function.zip", runtime, secret.arn, token]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

        assert done.returncode == 0, done.stderr
        *lines, where = [json.loads(line) for line in done.stdout.splitlines()]
        password = json.loads(secret.text("AWSCURRENT"))["password"]
        assert [line["rotation_step"] for line in lines] == ["createSecret", "setSecret", "testSecret", "finishSecret"]
        assert where.startswith(str(tmp_path / "function.zip"))
        assert cloud.pool.signs_in(USER, password)
        assert not cloud.pool.signs_in(USER, OLD)
        assert password not in done.stdout + done.stderr
