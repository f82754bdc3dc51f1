"""The queue of the change feed: three actions on one SQS queue, and every refusal explained.

A message comes at least once, in any order, and again unless it is deleted in time; it may even come after that, and a
receipt handle that is old deletes nothing although SQS says yes (SQS API reference: ReceiveMessage, DeleteMessage).
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from connector.aws_codes import ACCESS_DENIED
from connector.cognito.errors import SourceCall, error_code, told
from connector.errors import SourceDenied, SourceError, SourceMissing

LONG_POLL = 20
"""Seconds that SQS waits for a message at most; fewer answers of nothing, and fewer calls (SQS: long polling)."""

BATCH = 10
"""Messages of a call at most."""

_QUEUE_GONE = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
_QUEUE_ELSEWHERE = frozenset({"InvalidAddress", "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"})
_HANDLE_UNUSABLE = frozenset({"ReceiptHandleIsInvalid", "InvalidIdFormat", "InvalidParameterValue"})


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """A message, and the handle by which this receipt of it is deleted."""

    body: str
    handle: str


@dataclass(frozen=True, slots=True)
class QueueState:
    """What SQS tells of a queue.

    Args:
        backlog: how many messages there are, as SQS estimates.
        retention: for how many seconds it keeps one.
        policy: who may do what with it, as IAM writes it; empty = nobody but the account.
        has_dead_letters: whether messages that are received too often go elsewhere.
    """

    backlog: int
    retention: int
    policy: Mapping[str, Any]
    has_dead_letters: bool


class ChangeQueue:
    """One standard queue.

    Args:
        client: of boto3, for SQS in the Region of the queue.
        url: of the queue.
    """

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self.url = url

    def receive(self, *, wait: int = LONG_POLL) -> list[QueueMessage]:
        """Return up to ten messages, as soon as there is one.

        Args:
            wait: seconds to wait for one.

        Raises:
            SourceError, SourceMissing: the queue is out of reach.
        """
        answer = self._receive(MaxNumberOfMessages=BATCH, WaitTimeSeconds=wait)
        return [
            QueueMessage(str(one.get("Body", "")), str(one["ReceiptHandle"]))
            for one in answer.get("Messages", ())
            if one.get("ReceiptHandle")
        ]

    def delete(self, messages: Sequence[QueueMessage]) -> int:
        """Delete messages and return how many SQS would not delete; those come again, which does no harm.

        Raises:
            SourceError, SourceMissing: the queue is out of reach.
        """
        entries = [{"Id": str(number), "ReceiptHandle": message.handle} for number, message in enumerate(messages)]
        batches = (entries[start : start + BATCH] for start in range(0, len(entries), BATCH))
        delete = self._client.delete_message_batch
        answers = [self._ask("DeleteMessageBatch", delete, Entries=batch) for batch in batches]
        return sum(len(answer.get("Failed", ())) for answer in answers)

    def prove_readable(self) -> None:
        """Make sure that messages may be read, and leave them for whoever deals with them.

        Raises:
            SourceError, SourceMissing: they may not.
        """
        self._receive(MaxNumberOfMessages=1, WaitTimeSeconds=0, VisibilityTimeout=0)

    def prove_deletable(self) -> None:
        """Make sure that messages may be deleted, by a handle that is none.

        Raises:
            SourceDenied: they may not.
        """
        try:
            self._ask("DeleteMessage", self._client.delete_message, ReceiptHandle="cognito-scim-no-such-message")
        except _UnusableHandle:
            return

    def state(self) -> QueueState:
        """Return what SQS tells of the queue."""
        answer = self._ask("GetQueueAttributes", self._client.get_queue_attributes, AttributeNames=["All"])
        found: Mapping[str, str] = answer.get("Attributes", {})
        counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return QueueState(
            backlog=sum(_whole(found.get(name)) for name in counts),
            retention=_whole(found.get("MessageRetentionPeriod")),
            policy=_document(found.get("Policy")),
            has_dead_letters="RedrivePolicy" in found,
        )

    def _receive(self, **parameters: int) -> Mapping[str, Any]:
        return self._ask("ReceiveMessage", self._client.receive_message, **parameters)

    def _ask(self, name: str, operation: Callable[..., Mapping[str, Any]], **parameters: Any) -> Mapping[str, Any]:
        with _explained(SourceCall(name, f"queue {self.url}")):
            return operation(QueueUrl=self.url, **parameters)


class _UnusableHandle(SourceError):
    """SQS takes a receipt handle for none; it was allowed to look at it."""


@contextmanager
def _explained(call: SourceCall) -> Iterator[None]:
    """Explain what SQS refuses in its own words, and leave the rest to what explains every call."""
    with told(call):
        try:
            yield
        except ClientError as error:
            explanation = _explain(error_code(error), call)
            if explanation is None:
                raise
            raise explanation from None


def _explain(code: str, call: SourceCall) -> SourceError | SourceMissing | None:
    action = f"sqs:{call.operation.removesuffix('Batch')}"
    if code in _QUEUE_GONE:
        return SourceMissing(
            f"There is no {call.target}, or its account hides it ({code}).",
            remedy="Check feed.queue_url and the account; until then only full syncs find changes.",
        )
    if code in _QUEUE_ELSEWHERE:
        return SourceMissing(f"{call.target} is not in this Region ({code}).", remedy="Check feed.queue_url.")
    if code in _HANDLE_UNUSABLE and call.operation == "DeleteMessage":
        return _UnusableHandle(f"{call} was allowed.")
    # Awkward codes on purpose: the query protocol, whose names SQS still answers with, has "KMS.AccessDeniedException".
    if code.replace(".", "").casefold().startswith("kms"):
        return SourceDenied(
            f"{call} was refused, because the key that encrypts the queue may not be used ({code}).",
            remedy="Allow kms:Decrypt on that key to the role that reads the queue, in the role's policy and the key's,"
            " and make sure that the key is enabled.",
        )
    if code in ACCESS_DENIED:
        return SourceDenied(
            f"{call} was denied ({code}).",
            remedy=f"Allow {action} on the ARN of the queue in the policy of the role that reads it"
            " (feed.role_arn, else aws.role_arn).",
        )
    return None


def _whole(text: object) -> int:
    return int(text) if isinstance(text, str) and text.isdecimal() else 0


def _document(text: object) -> Mapping[str, Any]:
    try:
        document = json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
