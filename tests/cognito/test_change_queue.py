"""The queue of the change feed: three actions, and every refusal of SQS explained (P40, P25)."""

import json
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from connector.cognito.change_queue import ChangeQueue, QueueMessage
from connector.cognito.meter import Meter
from connector.cognito.session import Access, AwsSession
from connector.errors import ConnectorError, SourceDenied, SourceMissing, SourceUnavailable

KEYS = ("AKIAIOSFODNN7EXAMPLE", "secret")


@pytest.fixture
def queue():
    """A queue in moto, reached as the configured role reaches it, which can also send for the tests."""
    with mock_aws():
        made = boto3.Session(*KEYS).client("sqs", "us-east-1").create_queue(QueueName="changes")["QueueUrl"]
        access = Access(
            region="us-east-1",
            user_pool_id="us-east-1_AbCdEf123",
            credential_source="access-key",
            access_key_id=KEYS[0],
            secret_access_key=KEYS[1],
            profile="",
            role_arn="arn:aws:iam::123456789012:role/reader",
            external_id="an-external-id",
            session_duration=3600,
            requests_per_second=20,
        )
        yield AwsSession(access, run="feed", meter=Meter()).queue(made)


def send(queue, *bodies):
    """Send messages as EventBridge would."""
    client = boto3.Session(*KEYS).client("sqs", "us-east-1")
    for body in bodies:
        client.send_message(QueueUrl=queue.url, MessageBody=body)


def test_messages_come_until_they_are_deleted(queue):
    """P40: what is received is gone only after it was deleted, in batches of ten."""
    send(queue, *map(str, range(12)))

    first, second = queue.receive(wait=0), queue.receive(wait=0)

    assert sorted(int(one.body) for one in first + second) == list(range(12))
    assert queue.state().backlog == 12
    assert queue.delete(first + second) == 0
    assert queue.state().backlog == 0


def test_empty_queue_gives_nothing(queue):
    """P40: a long poll that ends without a message is no fault."""
    assert queue.receive(wait=0) == []
    assert queue.delete([]) == 0


def test_right_to_delete_is_proved_without_deleting(queue):
    """P33: SQS looks at the right before it looks at the handle."""
    send(queue, "one")

    queue.prove_deletable()

    assert queue.state().backlog == 1


def test_state_of_a_queue_is_what_sqs_tells(queue):
    """P25: retention is four days unless somebody chose more, and a queue has no policy unless somebody wrote one."""
    state = queue.state()

    assert (state.backlog, state.retention, state.policy, state.has_dead_letters) == (0, 345_600, {}, False)


class Refusing:
    """SQS that refuses everything with one code (SQS API reference: errors of each action, query codes as sent)."""

    def __init__(self, code, status=400):
        error = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
        refuse = self._refuse(error)
        self.receive_message = self.delete_message = self.delete_message_batch = self.get_queue_attributes = refuse

    @staticmethod
    def _refuse(error):
        def refuse(**_):
            raise ClientError(error, "ReceiveMessage")

        return refuse


@pytest.mark.parametrize(
    ("code", "kind", "remedy"),
    [
        ("AWS.SimpleQueueService.NonExistentQueue", SourceMissing, "feed.queue_url"),
        ("QueueDoesNotExist", SourceMissing, "feed.queue_url"),
        ("InvalidAddress", SourceMissing, "feed.queue_url"),
        ("AccessDenied", SourceDenied, "Allow sqs:"),
        ("AccessDeniedException", SourceDenied, "Allow sqs:"),
        ("KMS.AccessDeniedException", SourceDenied, "kms:Decrypt"),
        ("KmsDisabled", SourceDenied, "kms:Decrypt"),
        ("ExpiredToken", SourceDenied, "Renew"),
        ("InvalidClientTokenId", SourceDenied, "both parts"),
        ("RequestThrottled", SourceUnavailable, "try again"),
        ("ServiceUnavailable", ConnectorError, "API reference"),
    ],
)
@pytest.mark.parametrize("ask", ["receive", "delete", "state"])
def test_refusal_of_sqs_is_explained(code, kind, remedy, ask):
    """P25: no ClientError leaves, and the remedy names what to change."""
    queue = ChangeQueue(Refusing(code), "https://sqs.us-east-1.amazonaws.com/123456789012/changes")
    asks = {"receive": queue.receive, "delete": lambda: queue.delete([QueueMessage("", "h")]), "state": queue.state}

    with pytest.raises(kind) as caught:
        asks[ask]()

    assert remedy in caught.value.remedy


@pytest.mark.parametrize(("code", "kind"), [("AccessDenied", SourceDenied), ("QueueDoesNotExist", SourceMissing)])
def test_missing_right_to_delete_is_no_proof(code, kind):
    """P33: only a complaint about the handle proves the right."""
    with pytest.raises(kind):
        ChangeQueue(Refusing(code), "url").prove_deletable()


def test_old_handles_are_counted_not_a_fault():
    """P40: a message whose handle is old comes again."""
    failed = [{"Id": "0", "Code": "ReceiptHandleIsInvalid", "SenderFault": True}]
    queue = ChangeQueue(
        SimpleNamespace(
            delete_message_batch=lambda **_: {"Failed": failed},
            receive_message=None,
            delete_message=None,
            get_queue_attributes=None,
        ),
        "url",
    )

    assert queue.delete([QueueMessage("", "old")]) == 1


@pytest.mark.parametrize("policy", ["", "no JSON", "[]", json.dumps({"Statement": []})])
def test_policy_of_any_form_is_read(policy):
    """P32: what SQS answers is looked at, not believed."""
    answer = {"Attributes": {"Policy": policy, "ApproximateNumberOfMessages": "many"}}
    none = dict.fromkeys(("receive_message", "delete_message", "delete_message_batch"))
    state = ChangeQueue(SimpleNamespace(get_queue_attributes=lambda **_: answer, **none), "url").state()

    assert (state.backlog, state.retention) == (0, 0)
    assert isinstance(state.policy, dict)
