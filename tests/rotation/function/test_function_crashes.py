"""The function killed, or its replies lost, at every call of every step: the password is never lost."""

from collections import Counter
from dataclasses import dataclass

import boto3
import pytest

from tests.fakes.faults import Fault
from tests.fakes.rotation.cloud import REGION, ROTATOR, Cloud
from tests.fakes.rotation.policies import PoolPolicy
from tests.rotation.function.aws_rotates import OLD, WAYS, AwsRotates, Killed

CHANGES = ("PutSecretValue", "ChangePassword", "AdminSetUserPassword", "UpdateSecretVersionStage")


def tell(keys, *, spoil=lambda _: None, history=0):
    """Rotate once with something in the way, watching every instant; return what was called."""
    with Cloud() as cloud:
        cloud.pool.policy = PoolPolicy(history=history)
        aws = AwsRotates(cloud, keys)
        spoil(aws)
        cloud.observe(aws.is_kept)

        rounds = aws.rotate()

        assert [call for call, kept in cloud.observations if not kept] == []
        aws.assert_rotated()
        assert rounds <= 2
        return Counter(cloud.calls)


def some_calls(calls):
    """Yield every call that changes something, and the first and the last one of the others."""
    for operation, number in calls.items():
        places = range(1, number + 1) if operation in CHANGES else {1, number}
        yield from ((operation, call) for call in places)


@dataclass
class Killer:
    """Ends the function's process at one place; it happens once."""

    operation: str
    call: int
    seen: int = 0

    def __call__(self, *, model, **_):
        """Count a call, and strike."""
        self.seen += model.name == self.operation
        if model.name == self.operation and self.seen == self.call:
            raise Killed


@pytest.mark.parametrize(("way", "history"), [("blog", 0), ("administrator", 5)])
def test_replies_lost_and_requests_unheard_at_any_call(way, history):
    """P26, P35: whichever call of whichever step it is; some labelled version signs in at every instant."""
    calls = tell(WAYS[way], history=history)

    for operation, call in some_calls(calls):
        for fault in (Fault.RESET, Fault.UNHEARD):
            tell(
                WAYS[way],
                spoil=lambda aws, o=operation, c=call, f=fault: aws.cloud.fail(o, call=c, fault=f),
                history=history,
            )


@pytest.mark.parametrize("event", ["before-call", "after-call"])
@pytest.mark.parametrize("way", ["blog", "administrator"])
def test_process_killed_at_any_call(way, event):
    """P26, P35: before a request is sent, and after its answer came; the same token, from createSecret on."""
    session = boto3.Session(aws_access_key_id=ROTATOR.key_id, aws_secret_access_key=ROTATOR.secret, region_name=REGION)
    killers = []

    def arm(aws):
        aws.session = session

    for operation, call in some_calls(tell(WAYS[way], spoil=arm)):
        killers.append(Killer(operation, call))
        session.events.register(event, killers[-1])
        tell(WAYS[way], spoil=arm)
        session.events.unregister(event, killers[-1])

    assert [killer for killer in killers if killer.seen < killer.call] == []


def test_password_until_now_stays_the_previous_one():
    """Readers that still hold it can be told from those that never had one."""
    with Cloud() as cloud:
        aws = AwsRotates(cloud)

        aws.rotate()

        assert aws.kept("AWSPREVIOUS")["password"] == OLD
