"""The clients of a rotation: one attempt a call, and no request in a log."""

import logging

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from connector.rotation.aws.aws_clients import AwsDoor
from tests.fakes.faults import Fault
from tests.fakes.rotation.cloud import POOL_ID, Cloud
from tests.rotation.people import NEW, OLD


def set_new(client) -> None:
    """Set Ann's new password."""
    client.admin_set_user_password(UserPoolId=POOL_ID, Username="ann", Password=NEW.reveal(), Permanent=True)


@pytest.mark.parametrize("fault", [Fault.THROTTLE, Fault.ERROR_500, Fault.ERROR_503, Fault.UNHEARD, Fault.RESET])
def test_no_call_is_sent_twice(cloud: Cloud, door: AwsDoor, fault: Fault) -> None:
    """P26: botocore's second AdminSetUserPassword would hide what the first one did."""
    cloud.pool.add_user("ann", OLD.reveal())
    cloud.fail("AdminSetUserPassword", call=1, fault=fault, times=5)

    with pytest.raises((ClientError, BotoCoreError)):
        set_new(door.cognito())

    assert cloud.calls["AdminSetUserPassword"] == 1


def test_that_rule_is_needed(cloud: Cloud) -> None:
    """P26: the same call through a client with botocore's own retries is sent again, though it had its effect."""
    ann = cloud.pool.add_user("ann", OLD.reveal())
    cloud.fail("AdminSetUserPassword", call=1, fault=Fault.RESET)

    set_new(cloud.client("cognito-idp", attempts=2))

    assert (cloud.calls["AdminSetUserPassword"], ann.changes) == (2, 2)


def test_a_page_that_is_not_of_aws_is_no_yes(cloud: Cloud, door: AwsDoor) -> None:
    """P26: a proxy's sign-in page with status 200 says nothing of the password."""
    cloud.pool.add_user("ann", OLD.reveal())
    cloud.fail("AdminSetUserPassword", call=1, fault=Fault.HTML)

    with pytest.raises(ValueError, match="not one of AWS"):
        set_new(door.cognito())


@pytest.mark.parametrize("level", [logging.DEBUG, logging.NOTSET, logging.ERROR])
def test_requests_never_reach_a_log(cloud: Cloud, door: AwsDoor, caplog: pytest.LogCaptureFixture, level: int) -> None:
    """P27: botocore prints passwords at DEBUG, whoever asked for that level; a quieter logger stays quiet."""
    cloud.pool.add_user("ann", OLD.reveal())
    caplog.set_level(logging.DEBUG)
    for name in ("botocore", "boto3", "urllib3"):
        caplog.set_level(level, name)

    set_new(door.cognito())

    assert NEW.reveal() not in caplog.text
    assert logging.getLogger("botocore").level == max(level, logging.INFO)


def test_every_service_answers_through_the_door(cloud: Cloud, door: AwsDoor) -> None:
    """P26: one way to AWS for all that a rotation needs."""
    cloud.secrets.create("db/ann", "{}")
    cloud.account.add_user("bo", OLD.reveal())
    cloud.pool.add_user("ann", OLD.reveal())

    assert door.secrets_manager().get_secret_value(SecretId="db/ann")["SecretString"] == "{}"
    assert door.iam().get_user(UserName="bo")["User"]["UserName"] == "bo"
    assert door.sts().get_caller_identity()["Account"] == "123456789012"
    assert door.cognito().admin_get_user(UserPoolId=POOL_ID, Username="ann")["Username"] == "ann"
