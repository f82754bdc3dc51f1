"""The log of the rotation function at DEBUG: JSON a line, and no secret whatever happens."""

import json
import logging

import pytest

from connector.errors import RotationError
from connector.rotation.function.log import json_log
from connector.rotation.secrets_manager_function import Step, handler
from tests.fakes.faults import Fault
from tests.fakes.rotation.cloud import POOL_ID, REGION, ROTATOR, Cloud
from tests.rotation.function.aws_rotates import LOCK_OUT, OLD, WAYS, AwsRotates


class Hurried:
    """The context of a function with no time to wait."""

    def get_remaining_time_in_millis(self):
        """Return next to nothing."""
        return 100


@pytest.fixture
def cloud(monkeypatch):
    """An AWS that the function's environment leads to, with everything at DEBUG."""
    with Cloud() as cloud:
        for name, value in {
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": cloud.endpoint_url,
            "AWS_ACCESS_KEY_ID": ROTATOR.key_id,
            "AWS_SECRET_ACCESS_KEY": ROTATOR.secret,
            "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
        }.items():
            monkeypatch.setenv(name, value)
        yield cloud


@pytest.mark.parametrize(
    ("way", "fault"),
    [
        ("blog", Fault.RESET),
        ("own, SRP, client secret", None),
        ("own, SRP, client secret", Fault.INVALID_PARAMETER),
        ("administrator", Fault.ACCESS_DENIED),
        ("administrator", Fault.HTML),
    ],
)
def test_no_secret_in_the_log(cloud, way, fault, *, caplog, capsys, monkeypatch):
    """P27: no password, client secret, key, token, session or hash, in lines and errors."""
    caplog.set_level(logging.DEBUG)
    if way == "administrator":
        monkeypatch.setenv("ROTATION_MODE", "admin")
        monkeypatch.setenv("ROTATION_USER_POOL_ID", POOL_ID)
        monkeypatch.setenv("ROTATION_ALLOWED_USERS", "freddy-*")
    aws, errors = AwsRotates(cloud, WAYS[way]), []
    token = aws.begin()
    if fault:
        for operation in ("ChangePassword", "AdminSetUserPassword"):
            cloud.fail(operation, call=1, fault=fault)
    for step in Step:
        try:
            handler({"Step": step, "SecretId": aws.secret.arn, "ClientRequestToken": token}, Hurried())
        except RotationError as error:
            errors.append(f"{error!r} {error}")
            cloud.clock.sleep(LOCK_OUT)

    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    staged = json.loads(aws.secret.versions[token])["password"]
    canaries = [OLD, staged, ROTATOR.secret, *cloud.pool.tokens, *cloud.pool.refresh_tokens]
    text = "\n".join([printed.out, printed.err, caplog.text, *errors])
    assert [canary for canary in canaries if canary in text] == []
    assert "SECRET_HASH" not in text
    assert {line["rotation_step"] for line in lines} == set(Step)


def test_text_of_others_forges_no_line(capsys):
    """P32: CWE-117; whatever a message holds stays inside its quotes."""
    with json_log(secret_id="a") as log:
        log.info('first\n{"level": "INFO", "message": "forged"}\x1b[2J')

    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["message"].startswith("first\n")


def test_logging_is_afterwards_as_it_was():
    """A warm function runs the next step in the same process: no line is written twice."""
    logger = logging.getLogger("connector")
    before = (logger.level, logger.propagate, list(logger.handlers))

    with json_log(secret_id="a"):
        pass

    assert (logger.level, logger.propagate, list(logger.handlers)) == before


def test_region_of_the_configuration_does_outside_of_lambda(cloud, monkeypatch):
    """Lambda sets AWS_REGION; elsewhere botocore's own way to name a Region, and no context."""
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    aws = AwsRotates(cloud)
    token = aws.begin()

    for step in Step:
        handler({"Step": step, "SecretId": aws.secret.arn, "ClientRequestToken": token}, None)

    aws.assert_rotated()


def test_missing_region_is_told(monkeypatch):
    """An error that says what to set, before anything is asked."""
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)

    with pytest.raises(ValueError, match="AWS_REGION"):
        handler({"Step": "createSecret", "SecretId": "a", "ClientRequestToken": "t"}, None)
