"""The zips of the functions: the same bytes every time, nothing foreign, and they run on what Lambda has."""

import importlib.util
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from connector.provisioning.function_zip import PROXY, ROTATION, make_zip
from deploy.lambda_zip import write_zips
from tests.fakes.rotation.cloud import REGION, ROTATOR, Cloud

ROOT = Path(__file__).parents[2]


def test_two_builds_are_the_same_bytes(tmp_path):
    """P35: who builds it again can tell that nothing else was installed; files' times and modes do not matter."""
    first = write_zips(tmp_path / "first")
    touched = [ROOT / "connector/rotation/__init__.py", ROOT / "connector/provisioning/credential_proxy.py"]
    before = [path.stat() for path in touched]
    try:
        for path in touched:
            os.utime(path, (1_000_000_000, 1_000_000_000))
        second = write_zips(tmp_path / "second")
    finally:
        for path, times in zip(touched, before, strict=True):
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    assert list(first.values()) == list(second.values())
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


def entries_of(content):
    """Return what a zip holds."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.infolist()


@pytest.mark.parametrize("patterns", [ROTATION, PROXY], ids=["rotation", "proxy"])
def test_zip_holds_our_own_source_in_order(patterns):
    """Nothing compiled, nothing of third parties: boto3 is part of Lambda's runtime."""
    entries = entries_of(make_zip(patterns))
    names = [entry.filename for entry in entries]

    assert sorted(names) == names
    assert {".py"} == {Path(name).suffix for name in names}
    assert {0o100644} == {entry.external_attr >> 16 for entry in entries}


def test_zip_holds_the_rotation_and_nothing_else():
    """The function carries what it needs."""
    names = {entry.filename for entry in entries_of(make_zip(ROTATION))}

    assert "connector/rotation/secrets_manager_function.py" in names
    assert {"connector/__init__.py", "connector/aws_codes.py", "connector/errors.py"} == {
        name for name in names if not name.startswith("connector/rotation/")
    }


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
    (tmp_path / "function.zip").write_bytes(make_zip(ROTATION))
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


PROXY_DRIVE = """
import json, sys
sys.path[:0] = [sys.argv[1], sys.argv[2]]
from connector.provisioning import credential_proxy

class Context:
    aws_request_id = "6b1e4f0a"

for token in sys.argv[3:]:
    print(json.dumps(credential_proxy.handler({"id_token": token, "duration_seconds": 900}, Context())))
print(json.dumps(credential_proxy.__file__))
"""


def test_proxy_from_the_zip_opens_a_session_on_what_lambda_has(tmp_path):
    """A clean interpreter with boto3 and the zip only; the pool, its keys and STS are moto's, the token is real."""
    (tmp_path / "proxy.zip").write_bytes(make_zip(PROXY))
    runtime = lambda_runtime(tmp_path / "runtime")
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        environment = {
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        }
        token, others = signed_in_token(environment)
        header, payload, _ = token.split(".")
        command = [sys.executable, "-I", "-S", "-c", PROXY_DRIVE, tmp_path / "proxy.zip", runtime, token]
        done = subprocess.run(
            [*command, f"{header}.{payload}.AAAA"],
            env=environment | others,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        server.stop()

    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["statusCode"] for line in lines if "statusCode" in line] == [200, 401]
    assert lines[-1].startswith(str(tmp_path / "proxy.zip"))
    assert token not in "".join(line for line in done.stdout.splitlines() if "statusCode" not in line)


def signed_in_token(environment):
    """Return the ID token of a user of moto's pool, and the function's own variables."""
    session = boto3.Session("testing", "testing", region_name=REGION)

    def client(service):
        return session.client(service, endpoint_url=environment["AWS_ENDPOINT_URL"])

    idp = client("cognito-idp")
    pool = idp.create_user_pool(PoolName="people")["UserPool"]["Id"]
    flows = ["ALLOW_USER_PASSWORD_AUTH"]
    app = idp.create_user_pool_client(UserPoolId=pool, ClientName="app", ExplicitAuthFlows=flows)["UserPoolClient"]
    idp.admin_create_user(UserPoolId=pool, Username="ann")
    idp.admin_set_user_password(UserPoolId=pool, Username="ann", Password="P4ssw0rd-of-Ann!", Permanent=True)
    answer = idp.initiate_auth(
        AuthFlow=flows[0].removeprefix("ALLOW_"),
        ClientId=app["ClientId"],
        AuthParameters={"USERNAME": "ann", "PASSWORD": "P4ssw0rd-of-Ann!"},
    )
    key = {"aws_access_key_id": "AKIAPROXY00000000001", "aws_secret_access_key": "secret"}
    client("secretsmanager").create_secret(Name="proxy-key", SecretString=json.dumps(key))
    return answer["AuthenticationResult"]["IdToken"], {
        "COGNITO_USER_POOL_ID": pool,
        "COGNITO_CLIENT_ID": app["ClientId"],
        "DEFAULT_ROLE_ARN": "arn:aws:iam::123456789012:role/CognitoLongLivedRole",
        "PROXY_SECRET_ID": "proxy-key",
    }
