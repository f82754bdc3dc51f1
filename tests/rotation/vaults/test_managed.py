"""Secrets Manager asked to rotate a secret by its own function."""

import pytest

from connector.errors import OutcomeUnknown, RotationBusy, RotationDenied, VaultUnavailable
from connector.rotation.engine.backoff import Backoff
from connector.rotation.vaults.managed import rotate_managed
from tests.fakes.faults import Fault
from tests.fakes.refusals import Refusal
from tests.fakes.rotation.cloud import Cloud

NAME = "pool/alice"


@pytest.fixture
def cloud():
    """An AWS with a secret whose rotation begins when it is asked for."""
    with Cloud() as cloud:
        secret = cloud.secrets.create(NAME, "{}")

        def begin(asked):
            secret.versions[asked["ClientRequestToken"]] = "{}"
            secret.move("AWSPENDING", asked["ClientRequestToken"])
            return {"ARN": secret.arn}

        cloud._signed["RotateSecret"] = begin
        yield cloud


def rotate(cloud):
    """Ask for a rotation; the end is looked for three times."""
    return rotate_managed(cloud.client("secretsmanager"), NAME, backoff=Backoff((1, 1), cloud.clock.sleep))


def test_end_of_the_functions_rotation_is_waited_for(cloud):
    """P26: the result comes when readers find the new version."""
    secret = cloud.secrets.secret(NAME)
    cloud.before("DescribeSecret", call=3, do=lambda: secret.move("AWSCURRENT", secret.labels["AWSPENDING"]))

    result = rotate(cloud)

    assert (cloud.calls["DescribeSecret"], result.outcome.value, result.vault) == (3, "rotated", f"secret {NAME}")


def test_rotation_that_does_not_end_is_told(cloud):
    """P26: exit code 75; Secrets Manager goes on by itself."""
    with pytest.raises(OutcomeUnknown, match="still being rotated") as caught:
        rotate(cloud)

    assert (caught.value.exit_code, "log of the secret's function" in caught.value.remedy) == (75, True)


def test_rotation_that_is_under_way_is_not_begun_again(cloud):
    """RotateSecret refuses while an earlier rotation is incomplete: exit code 75."""
    text = "A previous rotation isn't complete. That rotation will be reattempted."
    cloud._signed["RotateSecret"] = lambda _: Refusal("InvalidRequestException", text)

    with pytest.raises(RotationBusy, match="not complete"):
        rotate(cloud)


def test_denial_and_disturbance_are_told_apart(cloud):
    """77 where AWS refuses the caller, 75 where it does not answer."""
    cloud.fail("DescribeSecret", call=1, fault=Fault.THROTTLE, times=99)
    with pytest.raises(VaultUnavailable):
        rotate(cloud)
    cloud.deny("RotateSecret")
    with pytest.raises(RotationDenied, match="RotateSecret"):
        rotate(cloud)
