"""What is asked for is read exactly, and what cannot be is said in a sentence."""

import pytest

from connector.errors import SetUpUnfit
from connector.provisioning.design.arns import parse_pool_arn
from connector.provisioning.design.object_names import parse_names
from connector.provisioning.design.objects import ExternalIds, Role, RotationWish, SetUpRequest, User, draw
from connector.provisioning.design.principals import Existing, HostRole, ServiceUser, parse_principal

POOL = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_AbCdEf123"
POD = "sync/connector"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC"
CLUSTER = "arn:aws:eks:eu-west-1:123456789012:cluster/main"


@pytest.mark.parametrize(
    "arn",
    [
        POOL,
        "arn:aws-us-gov:cognito-idp:us-gov-west-1:123456789012:userpool/us-gov-west-1_Ab1",
        "arn:aws-cn:cognito-idp:cn-north-1:123456789012:userpool/cn-north-1_Ab1",
        "arn:aws-eusc:cognito-idp:eusc-de-east-1:123456789012:userpool/eusc-de-east-1_Ab1",
    ],
)
def test_a_pool_of_any_partition_is_read(arn: str) -> None:
    """And its IAM objects are in the same partition and account."""
    pool = parse_pool_arn(arn)

    assert str(pool) == arn
    assert pool.iam("role", "/x/", "r") == f"arn:{arn.split(':')[1]}:iam::123456789012:role/x/r"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("eu-west-1_AbCdEf123", "is not the ARN of a user pool"),
        (POOL + "/", "is not the ARN"),
        (POOL.replace("123456789012", "1234"), "is not the ARN"),
        (
            POOL.replace("cognito-idp:eu-west-1", "cognito-idp:eu-west-2"),
            "is in eu-west-2, and the pool's id eu-west-1",
        ),
        ("arn:aws:iam::123456789012:role/x", "is not the ARN"),
        ("", "is not the ARN"),
    ],
)
def test_what_is_not_a_pool_is_said(text: str, said: str) -> None:
    """With an example of one."""
    with pytest.raises(SetUpUnfit, match=said):
        parse_pool_arn(text)


def test_principals_are_read() -> None:
    """A user made here, an instance, pods, and whoever is there already."""
    pool = parse_pool_arn(POOL)

    assert parse_principal("service-user", pool) == ServiceUser()
    assert parse_principal("arn:aws:iam::210987654321:role/team/app", pool) == Existing(
        parse_principal("arn:aws:iam::210987654321:role/team/app", pool).arn  # type: ignore[union-attr]
    )
    for text in ("instance", f"irsa:{PROVIDER}={POD}", f"pod-identity:{CLUSTER}={POD}"):
        assert isinstance(parse_principal(text, pool), HostRole), text


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "arn:aws:iam::123456789012:root",
        "123456789012",
        "arn:aws:iam::123456789012:role/*",
        "arn:aws:iam::123456789012:group/g",
        "arn:aws:sts::123456789012:assumed-role/r/session",
        "AIDAIOSFODNN7EXAMPLE",
        "arn:aws-cn:iam::123456789012:user/u",
        f"irsa:{CLUSTER}={POD}",
        f"irsa:{PROVIDER}=*/connector",
        f"pod-identity:{CLUSTER}=sync",
        "",
    ],
)
def test_more_than_one_exact_principal_is_refused(text: str) -> None:
    """A role is trusted for one user or role, never for an account, a pattern or a session."""
    with pytest.raises(SetUpUnfit):
        parse_principal(text, parse_pool_arn(POOL))


@pytest.mark.parametrize(("prefix", "path"), [("a b", "/"), ("x" * 33, "/"), ("", "x"), ("", "/x"), ("", "//")])
def test_names_that_iam_refuses_are_said(prefix: str, path: str) -> None:
    """Before anything is asked of AWS."""
    with pytest.raises(SetUpUnfit):
        parse_names(prefix, path)


def test_names_are_those_of_the_guide() -> None:
    """OCI IAM's page "Amazon Web Services Cognito"; a prefix and a path go before them."""
    drawn = draw(SetUpRequest(parse_pool_arn(POOL)), ExternalIds("x" * 32))
    behind = draw(SetUpRequest(parse_pool_arn(POOL), names=parse_names("acme-", "/scim/")), ExternalIds("x" * 32))

    assert [one.name for one in drawn] == [
        *("cognitoAPIAccessPolicy", "assumeRolePolicy", "serviceAccountUser", "cognitoApiAccessRole")
    ]
    assert behind[-1].arn == "arn:aws:iam::123456789012:role/scim/acme-cognitoApiAccessRole"


def test_rotation_has_a_role_and_an_external_id_of_its_own() -> None:
    """The role that reads holds no right of the one that rotates."""
    wishes = SetUpRequest(parse_pool_arn(POOL), rotation=RotationWish(pool_accounts=("ann",)))
    roles = {one.name: one for one in draw(wishes, ExternalIds("r" * 32, "w" * 32)) if isinstance(one, Role)}
    user = next(one for one in draw(wishes, ExternalIds("r" * 32, "w" * 32)) if isinstance(one, User))

    assert set(roles) == {"cognitoApiAccessRole", "cognitoRotationRole"}
    assert set(roles["cognitoApiAccessRole"].policies) & set(roles["cognitoRotationRole"].policies) == set()
    assert "w" * 32 in str(roles["cognitoRotationRole"].trust)
    assert len(user.policies) == 2


def test_nothing_is_made_that_was_not_asked_for() -> None:
    """No rotation, no queue, no instance profile by default; no user beside a principal that is there."""
    existing = SetUpRequest(
        parse_pool_arn(POOL), parse_principal("arn:aws:iam::210987654321:user/u", parse_pool_arn(POOL))
    )

    assert [one.name for one in draw(existing, ExternalIds("x" * 32))] == [
        *("cognitoAPIAccessPolicy", "cognitoApiAccessRole")
    ]


def test_an_external_id_is_in_no_repr() -> None:
    """P27: nor is a trust policy, which holds it."""
    drawn = draw(SetUpRequest(parse_pool_arn(POOL)), ExternalIds("canary-external-id"))

    assert "canary" not in repr(drawn) + repr(ExternalIds("canary-external-id"))
