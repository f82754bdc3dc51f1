"""The change feed by CloudFormation, made on an emulator: what the rule takes comes out of its queue (P40)."""

import json
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from connector.checks.change_feed import examine_feed
from connector.cognito.change_queue import ChangeQueue
from connector.directory import change_events
from connector.directory.change_events import Watched, read_message
from tests.cloudformation import read_template, remarks_of_cfn_lint

TEMPLATE = (Path(__file__).parents[2] / "deploy/change-feed/template.yaml").read_text()
POOL = Watched("us-east-1_AbCdEf123", "123456789012", "us-east-1")
NO_QUEUE_POLICY = pytest.mark.filterwarnings("ignore:Tried to parse AWS..SQS..QueuePolicy")
ANN = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def resources():
    """What the template makes, by name."""
    return {name: made["Properties"] for name, made in read_template(TEMPLATE)["Resources"].items()}


@pytest.fixture
def cloud():
    """An account in which the stack was made, as the how-to says; moto makes no policies of queues."""
    with mock_aws():
        session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name=POOL.region)
        given = [{"ParameterKey": "UserPoolId", "ParameterValue": POOL.user_pool_id}]
        formation = session.client("cloudformation")
        formation.create_stack(StackName="feed", TemplateBody=TEMPLATE, Parameters=given)
        _take_pulse_away(session.client("events"))
        yield session


def _take_pulse_away(events):
    """Let the rule with a schedule send nothing: to moto, a rule without a pattern takes every event, unlike AWS."""
    for rule in events.list_rules()["Rules"]:
        if "ScheduleExpression" in rule:
            events.remove_targets(Rule=rule["Name"], Ids=["queue"])


def queue_of(session):
    """Return the queue that the stack tells of."""
    (stack,) = session.client("cloudformation").describe_stacks(StackName="feed")["Stacks"]
    told = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    return ChangeQueue(session.client("sqs"), told["QueueUrl"])


def send(session, name, *, pool=POOL.user_pool_id, sub=ANN):
    """Send an event as CloudTrail does; moto takes the source that AWS reserves for itself."""
    detail = {
        "eventSource": "cognito-idp.amazonaws.com",
        "eventName": name,
        "recipientAccountId": POOL.account,
        "requestParameters": {"userPoolId": pool},
        "additionalEventData": {"sub": sub},
    }
    entry = {"Source": "aws.cognito-idp", "DetailType": "AWS API Call via CloudTrail", "Detail": json.dumps(detail)}
    session.client("events").put_events(Entries=[entry])


@NO_QUEUE_POLICY
def test_what_the_rule_takes_is_a_hint(cloud):
    """P40: a change in the pool marks its user; other pools, and calls that change nobody, do not come at all."""
    queue = queue_of(cloud)

    send(cloud, "AdminUpdateUserAttributes")
    send(cloud, "AdminUpdateUserAttributes", pool="us-east-1_ZyXwVu987")
    send(cloud, "AdminGetUser")

    hints = [read_message(message.body, POOL).hint for message in queue.receive(wait=0)]
    assert [hint.users for hint in hints] == [(ANN,)]


@NO_QUEUE_POLICY
def test_the_queue_is_as_test_connectivity_wants_it(cloud, resources):
    """P25, P33: what the template makes deserves no remark once its pulse has come."""
    queue = queue_of(cloud)
    state = replace(queue.state(), policy=resources["QueuePolicy"]["PolicyDocument"])
    queue.state = lambda: state

    assert list(examine_feed(queue, since_pulse=60)) == []


def test_the_rule_names_every_operation_that_is_read(resources):
    """P40: what can be understood is sent, but for sign-ins, each of which would cost four calls."""
    read = change_events.OF_SOMEBODY | change_events.OF_THE_POOL.keys() | {"DeleteUserPool"}

    assert set(resources["Changes"]["EventPattern"]["detail"]["eventName"]) == read - change_events.SIGN_INS


def test_cfn_lint_has_no_remark():
    """CloudFormation takes the template as it is."""
    assert remarks_of_cfn_lint(TEMPLATE) == []
