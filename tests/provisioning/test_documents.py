"""The documents, judged by an evaluator of IAM policies: what is allowed, and that nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.provisioning.design import documents
from connector.provisioning.design.arns import PoolArn
from connector.provisioning.design.documents import READ_ACTIONS
from connector.provisioning.design.policy_statements import same_meaning
from tests.fakes.aws_account.evaluator import Request, allows, trusts

PARTITIONS = {
    "aws": "eu-west-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-cn": "cn-north-1",
    "aws-eusc": "eusc-de-east-1",
}
USER = "arn:aws:iam::123456789012:user/serviceAccountUser"
ROLE = "arn:aws:iam::123456789012:role/cognitoApiAccessRole"
EXTERNAL_ID = "k7Qm2cXw9d_exampleExampleExample"
OTHER_ACTIONS = (
    "cognito-idp:AdminDeleteUser",
    "cognito-idp:AdminSetUserPassword",
    "cognito-idp:DescribeUserPool",
    "cognito-idp:ListUserPools",
    "cognito-idp:AdminUpdateUserAttributes",
    "iam:CreateUser",
    "sts:AssumeRole",
    "s3:GetObject",
)


def pool(partition: str = "aws", account: str = "123456789012", name: str = "AbCdEf123") -> str:
    """Return the ARN of a pool."""
    region = PARTITIONS[partition]
    return str(PoolArn(partition, region, account, f"{region}_{name}"))


@pytest.mark.parametrize("partition", PARTITIONS)
@pytest.mark.parametrize("action", READ_ACTIONS)
def test_each_of_the_six_reads_is_allowed_on_this_pool_only(action: str, partition: str) -> None:
    """Not on another pool, another account's, nor on all of them."""
    policy = documents.read_policy(pool(partition))
    here = Request(action, pool(partition))
    elsewhere = [pool(partition, name="Other"), pool(partition, account="210987654321"), "*", pool(partition) + "x"]

    assert allows([policy], here)
    assert [arn for arn in elsewhere if allows([policy], Request(action, arn))] == []


@pytest.mark.parametrize("action", OTHER_ACTIONS)
def test_everything_else_is_denied(action: str) -> None:
    """Even on this pool; the six are six."""
    assert len(READ_ACTIONS) == 6
    assert not allows([documents.read_policy(pool())], Request(action, pool()))


@pytest.mark.parametrize(
    ("external_id", "let_in"),
    [(EXTERNAL_ID, True), (None, False), ("wrong", False), (EXTERNAL_ID.lower(), False), ("", False)],
)
def test_the_role_lets_its_principal_in_with_the_external_id_only(external_id, let_in) -> None:
    """With it, without, and with a wrong one."""
    context = {} if external_id is None else {"sts:externalid": external_id}
    request = Request("sts:AssumeRole", ROLE, context)
    trust = documents.external_id_trust(USER, EXTERNAL_ID)

    assert trusts(trust, USER, request, [documents.assume_policy(ROLE)]) is let_in


@pytest.mark.parametrize(
    "caller",
    [
        "arn:aws:iam::123456789012:user/other",
        "arn:aws:iam::123456789012:user/team/serviceAccountUser",
        "arn:aws:iam::210987654321:user/serviceAccountUser",
        "arn:aws:iam::123456789012:root",
    ],
)
def test_the_role_lets_nobody_else_in(caller: str) -> None:
    """Not even who knows the ExternalId and may assume any role."""
    request = Request("sts:AssumeRole", ROLE, {"sts:externalid": EXTERNAL_ID})
    mighty = documents.document(documents.allow("*", "*"))

    assert not trusts(documents.external_id_trust(USER, EXTERNAL_ID), caller, request, [mighty])


def test_a_principal_of_another_account_needs_its_own_policy_too() -> None:
    """IAM User Guide, "Cross-account policy evaluation": both sides have to allow it."""
    caller = "arn:aws:iam::210987654321:role/connector"
    request = Request("sts:AssumeRole", ROLE, {"sts:externalid": EXTERNAL_ID})
    trust = documents.external_id_trust(caller, EXTERNAL_ID)

    assert trusts(trust, caller, request, [documents.assume_policy(ROLE)])
    assert not trusts(trust, caller, request, [])


def test_the_service_user_may_assume_that_role_and_nothing_else() -> None:
    """No other role, no other action."""
    policy = documents.assume_policy(ROLE)

    assert allows([policy], Request("sts:AssumeRole", ROLE))
    assert not allows([policy], Request("sts:AssumeRole", ROLE + "2"))
    assert not allows([policy], Request("sts:TagSession", ROLE))
    assert [action for action in READ_ACTIONS if allows([policy], Request(action, pool()))] == []


def test_rotation_names_its_iam_users_and_secrets_one_by_one() -> None:
    """Cognito knows no resource below the pool; IAM users and secrets are named exactly."""
    bo, secret = "arn:aws:iam::123456789012:user/bo", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:bo-Ab1"
    policy = documents.rotation_policy(pool(), iam_user_arns=[bo], secret_arns=[secret])

    assert allows([policy], Request("cognito-idp:AdminSetUserPassword", pool()))
    assert allows([policy], Request("iam:UpdateLoginProfile", bo))
    assert allows([policy], Request("secretsmanager:PutSecretValue", secret))
    assert not allows([policy], Request("iam:UpdateLoginProfile", bo + "b"))
    assert not allows([policy], Request("secretsmanager:GetSecretValue", secret[:-1]))
    assert not allows([policy], Request("cognito-idp:AdminDeleteUser", pool()))


def test_the_change_feed_takes_three_actions_on_one_queue() -> None:
    """It can read and remove messages, and cannot send or purge."""
    queue = "arn:aws:sqs:eu-west-1:123456789012:feed"
    policy = documents.feed_policy(queue)

    assert [action for action in documents.FEED_ACTIONS if not allows([policy], Request(action, queue))] == []
    assert not allows([policy], Request("sqs:SendMessage", queue))
    assert not allows([policy], Request("sqs:ReceiveMessage", queue + "2"))


def test_a_pod_is_trusted_by_its_own_account_alone() -> None:
    """IRSA and Pod Identity both name one service account of one cluster."""
    provider = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC"
    irsa = documents.irsa_trust(provider, "sync", "connector")
    cluster = "arn:aws:eks:eu-west-1:123456789012:cluster/main"
    identity = documents.pod_identity_trust(cluster, "sync", "connector")

    issuer = "oidc.eks.eu-west-1.amazonaws.com/id/ABC"
    assert irsa["Statement"][0]["Condition"]["StringEquals"] == {
        f"{issuer}:aud": "sts.amazonaws.com",
        f"{issuer}:sub": "system:serviceaccount:sync:connector",
    }
    assert identity["Statement"][0]["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert (
        identity["Statement"][0]["Condition"]["StringEquals"]["aws:RequestTag/kubernetes-service-account"]
        == "connector"
    )


@given(order=st.permutations(READ_ACTIONS), upper=st.booleans(), in_list=st.booleans())
def test_order_and_spelling_of_a_document_say_nothing(order, upper, in_list) -> None:
    """What IAM reads the same is the same, so that nothing is changed for its looks."""
    actions = [action.upper() if upper else action for action in order]
    resource = [pool()] if in_list else pool()
    written = documents.document({"Sid": "x", **documents.allow(actions, resource)})

    assert same_meaning(written, documents.read_policy(pool()))


def test_a_document_that_allows_more_is_another() -> None:
    """One more action, resource or statement, one condition less."""
    policy = documents.read_policy(pool())
    more = documents.document(documents.allow([*READ_ACTIONS, "cognito-idp:AdminDeleteUser"], pool()))
    wider = documents.document(documents.allow(READ_ACTIONS, "*"))
    loose = documents.trust({"AWS": USER})

    assert not same_meaning(policy, more)
    assert not same_meaning(policy, wider)
    assert not same_meaning(documents.external_id_trust(USER, EXTERNAL_ID), loose)
