"""The commands of the Cognito Authoriser, as its README shows them, each doing what it says."""

import configparser
import json
import stat
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from tests.access.conftest import Machine
from tests.fakes.people_cloud import ACCOUNT, PeopleCloud

AUTH, ADMIN = "aws-cognito-auth", "aws-cognito-admin"


def credentials_of(machine: Machine, profile: str = "default") -> dict[str, str]:
    """Return a section of the AWS credentials file."""
    parser = configparser.RawConfigParser()
    parser.read(machine.home / ".aws/credentials")
    return dict(parser[profile])


def config_of(machine: Machine) -> configparser.RawConfigParser:
    """Return the AWS configuration file."""
    parser = configparser.RawConfigParser()
    parser.read(machine.home / ".aws/config")
    return parser


def lasts(keys: dict[str, str]) -> timedelta:
    """Return for how long credentials of a file last from now."""
    return datetime.fromisoformat(keys["aws_credential_expiration"]) - datetime.now(UTC)


def as_administrator(machine: Machine) -> Machine:
    """Give the machine an administrator's credentials."""
    machine.set(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")
    return machine


def test_configure_asks_four_questions_and_keeps_the_answers(machine: Machine):
    """The original crashed on its optional question."""
    pool, identity = "us-east-1_Abc123", "us-east-1:01234567-89ab-cdef-0123-456789abcdef"
    done = machine.run(AUTH, "configure", given=f"{pool}\nclient\n{identity}\n\n")
    path = machine.home / ".cognito-cli-config.json"

    assert done.code == 0, done.err
    assert json.loads(path.read_text()) == {"user_pool_id": pool, "client_id": "client", "identity_pool_id": identity}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for question in ("Cognito User Pool ID", "Cognito User Pool Client ID", "Cognito Identity Pool ID", "AWS Region"):
        assert question in done.out


def test_configure_refuses_what_cannot_be_an_id(machine: Machine):
    """A slip of the pen is found now, not at the first sign-in; nothing is written."""
    done = machine.run(AUTH, "configure", given="my pool\nclient\nus-east-1:x\n\n")

    assert done.code == 78
    assert "user_pool_id" in done.err
    assert not (machine.home / ".cognito-cli-config.json").exists()


def test_status_shows_each_value_and_where_it_is_from(machine: Machine):
    """Variables win over the file."""
    known = {
        "user_pool_id": "us-east-1_Abc123",
        "client_id": "fromfile",
        "identity_pool_id": "us-east-1:01234567-89ab-cdef-0123-456789abcdef",
    }
    (machine.home / ".cognito-cli-config.json").write_text(json.dumps(known))
    machine.set(COGNITO_CLIENT_ID="fromvariable")
    done = machine.run(AUTH, "status")

    assert done.code == 0, done.err
    assert "client_id         fromvariable (COGNITO_CLIENT_ID)" in done.out
    assert f"user_pool_id      us-east-1_Abc123 ({machine.home}/.cognito-cli-config.json)" in done.out


def test_status_names_what_is_missing(machine: Machine):
    """And how to set it."""
    done = machine.run(AUTH, "status")

    assert done.code == 78
    assert "Missing configuration: user_pool_id, client_id, identity_pool_id" in done.err
    assert "export COGNITO_USER_POOL_ID=" in done.err


@pytest.mark.parametrize("text", ["{", "[]", "\udcff", '{"user_pool_id": '])
def test_broken_configuration_file_is_told(machine: Machine, text: str):
    """The original ignored it, or dropped the variables too."""
    (machine.home / ".cognito-cli-config.json").write_bytes(text.encode(errors="surrogateescape"))
    done = machine.run(AUTH, "login", "-u", "ann")

    assert done.code == 78
    assert ".cognito-cli-config.json is not a JSON object" in done.err


def test_login_without_a_proxy_keeps_the_hour_and_ends_with_0(machine: Machine, pools: PeopleCloud):
    """It tries the proxy, warns, and writes the identity pool's credentials."""
    assert pools
    done = machine.log_in()
    keys = credentials_of(machine)

    assert done.code == 0, done.err
    assert "Successfully obtained Identity Pool credentials (expires at" in done.out
    assert "Lambda proxy failed: Lambda function 'cognito-credential-proxy' not found" in done.err
    assert timedelta(minutes=59) < lasts(keys) <= timedelta(hours=1)
    assert stat.S_IMODE((machine.home / ".aws/credentials").stat().st_mode) == 0o600
    assert config_of(machine)["default"]["region"] == "eu-west-1"


def test_login_into_another_profile(machine: Machine, pools: PeopleCloud):
    """--profile my-profile: a section of each file, and default is not touched."""
    assert pools
    done = machine.log_in("--profile", "my-profile", "--no-lambda-proxy")

    assert done.code == 0, done.err
    assert credentials_of(machine, "my-profile")["aws_access_key_id"].startswith("ASIA")
    assert config_of(machine).sections() == ["profile my-profile"]
    assert "Attempting to upgrade" not in done.out


def test_login_with_the_proxy_gives_up_to_twelve_hours(machine: Machine, pools: PeopleCloud):
    """Lambda deploy --create-user, then login: twelve hours, or what --duration says, by AWS's own word."""
    deployed = as_administrator(machine).run(ADMIN, "lambda", "deploy", "--create-user")
    assert deployed.code == 0, deployed.err
    twelve = machine.log_in()
    assert twelve.code == 0, twelve.err
    assert "Successfully upgraded to longer-lived credentials" in twelve.out, twelve.err
    assert timedelta(hours=11, minutes=59) < lasts(credentials_of(machine)) <= timedelta(hours=12)

    assert machine.log_in("--duration", "8").code == 0
    assert timedelta(hours=7, minutes=59) < lasts(credentials_of(machine)) <= timedelta(hours=8)
    assert f"arn:aws:sts::{ACCOUNT}:assumed-role/CognitoLongLivedRole/cognito-ann-" in twelve.out
    assert pools.calls.count("Invoke") >= 2


def test_deploying_again_harms_nothing_and_makes_no_second_key(machine: Machine, pools: PeopleCloud):
    """The third run of the original put a placeholder in the place of the working key."""
    for _ in range(3):
        done = as_administrator(machine).run(ADMIN, "lambda", "deploy", "--create-user")
        assert done.code == 0, done.err
    iam, functions = pools.client("iam"), pools.client("lambda")
    keys = iam.list_access_keys(UserName="CognitoCredentialProxyUser")["AccessKeyMetadata"]
    variables = functions.get_function_configuration(FunctionName="cognito-credential-proxy")["Environment"][
        "Variables"
    ]
    kept = json.loads(
        pools.client("secretsmanager").get_secret_value(SecretId="CognitoCredentialProxyKey")["SecretString"]
    )

    assert [key["AccessKeyId"] for key in keys] == [kept["aws_access_key_id"]]
    assert set(variables) == {"COGNITO_USER_POOL_ID", "COGNITO_CLIENT_ID", "DEFAULT_ROLE_ARN", "PROXY_SECRET_ID"}
    assert kept["aws_secret_access_key"] not in done.out + done.err + json.dumps(variables)
    assert not list(machine.home.glob("*.zip"))
    assert machine.log_in().code == 0


def test_deploy_with_a_users_own_key_finds_out_whose_it_is(machine: Machine, pools: PeopleCloud):
    """The original guessed the name of the user."""
    iam = pools.client("iam")
    iam.create_user(UserName="somebody")
    key = iam.create_access_key(UserName="somebody")["AccessKey"]
    options = ("--access-key-id", key["AccessKeyId"], "--secret-access-key", "-")
    done = as_administrator(machine).run(ADMIN, "lambda", "deploy", *options, given=f"{key['SecretAccessKey']}\n")
    trust = iam.get_role(RoleName="CognitoLongLivedRole")["Role"]["AssumeRolePolicyDocument"]

    assert done.code == 0, done.err
    assert trust["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:user/somebody"}
    assert trust["Statement"][0]["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert machine.log_in().code == 0
    assert timedelta(hours=11) < lasts(credentials_of(machine))
    again = as_administrator(machine).run(
        ADMIN, "lambda", "deploy", *options[:2], "--secret-access-key", key["SecretAccessKey"]
    )
    assert "seen by everybody" in again.err
    assert key["SecretAccessKey"] not in again.out + again.err


def test_deploy_without_a_user_says_what_to_do(machine: Machine, pools: PeopleCloud):
    """And changes nothing."""
    done = as_administrator(machine).run(ADMIN, "lambda", "deploy")

    assert done.code == 78
    assert "--create-user" in done.err
    assert [role["RoleName"] for role in pools.client("iam").list_roles()["Roles"]] == [pools.role_name]


def test_deploy_with_two_keys_there_names_them(machine: Machine, pools: PeopleCloud):
    """IAM keeps two keys a user; none of them is deleted for the caller."""
    iam = pools.client("iam")
    iam.create_user(UserName="CognitoCredentialProxyUser")
    for _ in range(2):
        iam.create_access_key(UserName="CognitoCredentialProxyUser")
    done = as_administrator(machine).run(ADMIN, "lambda", "deploy", "--create-user")

    assert done.code == 78
    assert "has two access keys already" in done.err
    assert "delete-access-key" in done.err


def test_setup_identity_pool_makes_a_pool_that_issues_credentials(machine: Machine, pools: PeopleCloud):
    """The original's could not: CreateIdentityPool makes no roles."""
    asked = as_administrator(machine).run(ADMIN, "setup-identity-pool", "--name", "another", "--json")
    made = json.loads(asked.out)
    trust = pools.client("iam").get_role(RoleName="Cognito_anotherAuth_Role")["Role"]["AssumeRolePolicyDocument"]
    again = json.loads(machine.run(ADMIN, "setup-identity-pool", "--name", "another", "--json").out)
    described = pools.client("cognito-identity").describe_identity_pool(IdentityPoolId=made["identity_pool_id"])

    condition = trust["Statement"][0]["Condition"]
    assert condition["StringEquals"] == {"cognito-identity.amazonaws.com:aud": made["identity_pool_id"]}
    assert condition["ForAnyValue:StringLike"] == {"cognito-identity.amazonaws.com:amr": "authenticated"}
    assert described["AllowUnauthenticatedIdentities"] is False
    assert made == again
    machine.set(COGNITO_IDENTITY_POOL_ID=made["identity_pool_id"])
    assert machine.log_in("--no-lambda-proxy").code == 0


def test_setup_identity_pool_without_a_terminal_says_what_is_missing(machine: Machine):
    """It asks only where somebody can answer."""
    done = machine.run(ADMIN, "setup-identity-pool")

    assert done.code == 2
    assert "Cognito User Pool ID" in done.err


def test_role_info_shows_the_role_and_its_policies(machine: Machine, pools: PeopleCloud):
    """The original asked an API that has no roles in its answer."""
    assert pools
    as_administrator(machine).run(ADMIN, "policy", "create-s3-policy", "--bucket-name", "my-bucket")
    done = machine.run(ADMIN, "role", "info", "--json")
    found = json.loads(done.out)

    assert found["name"].startswith("Cognito_")
    assert found["inline"]["S3AccessPolicy_my_bucket"]["Statement"][1]["Resource"] == "arn:aws:s3:::my-bucket"
    assert "Role ARN" in machine.run(ADMIN, "role", "info").out


def test_apply_policy_puts_a_file_on_the_role(machine: Machine, pools: PeopleCloud):
    """--policy-file custom-policy.json --policy-name MyPolicy."""
    assert pools
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}],
    }
    (machine.home / "custom-policy.json").write_text(json.dumps(document))
    options = ("--policy-file", "custom-policy.json", "--policy-name", "MyPolicy")
    done = as_administrator(machine).run(ADMIN, "role", "apply-policy", *options)

    assert done.code == 0, done.err
    assert json.loads(machine.run(ADMIN, "role", "info", "--json").out)["inline"]["MyPolicy"] == document


@pytest.mark.parametrize("text", [None, "{", "[]", '{"Version": "2012-10-17"}'])
def test_policy_file_that_is_none_ends_with_an_error(machine: Machine, pools: PeopleCloud, text: str | None):
    """The original ended with 0."""
    assert pools
    if text is not None:
        (machine.home / "p.json").write_text(text)
    done = as_administrator(machine).run(ADMIN, "role", "apply-policy", "--policy-file", "p.json", "--policy-name", "P")

    assert done.code == 78
    assert "p.json" in done.err


VARIABLES = {
    "identity-pool": "${cognito-identity.amazonaws.com:sub}",
    "lambda": "${aws:PrincipalTag/CognitoSubject}",
    "web-identity": "${cognito-idp.eu-west-1.amazonaws.com/POOL:sub}",
}


def policies_by_way(cloud: PeopleCloud, name: str) -> dict[str, str]:
    """Return a policy's text on the role of each way."""
    iam, found = cloud.client("iam"), {}
    roles = {
        "lambda": "CognitoLongLivedRole",
        "web-identity": "CognitoWebIdentityRole",
        "identity-pool": cloud.role_name,
    }
    for way, role in roles.items():
        found[way] = json.dumps(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
    return found


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("create-s3-policy", "--bucket-name", "my-bucket", "--user-specific"), "S3UserIsolationPolicy_my_bucket"),
        (("create-dynamodb-policy", "--table-name", "my-table"), "DynamoDBUserIsolationPolicy_my_table"),
    ],
)
def test_users_stay_apart_in_every_way_of_federation(machine: Machine, pools: PeopleCloud, command, name):
    """Each role gets the variable that its sessions really carry; the original's isolation went away on upgrade."""
    as_administrator(machine)
    machine.run(ADMIN, "lambda", "deploy", "--create-user")
    machine.run(ADMIN, "setup-web-identity")
    assert machine.run(ADMIN, "policy", *command).code == 0
    found = policies_by_way(pools, name)

    for way, variable in VARIABLES.items():
        others = {text for other, text in VARIABLES.items() if other != way}
        assert variable.replace("POOL", pools.pool_id) in found[way]
        assert not any(other.replace("POOL", pools.pool_id) in found[way] for other in others)


def test_long_lived_role_may_do_nothing_until_a_policy_says_so(machine: Machine, pools: PeopleCloud):
    """The original gave it a whole bucket."""
    as_administrator(machine).run(ADMIN, "lambda", "deploy", "--create-user")
    iam = pools.client("iam")
    names = iam.list_role_policies(RoleName="CognitoLongLivedRole")["PolicyNames"]

    assert names == []
    assert iam.list_attached_role_policies(RoleName="CognitoLongLivedRole")["AttachedPolicies"] == []


@pytest.mark.parametrize("bucket", ["*", "my bucket", "a/b", "${aws:username}", "My-Bucket", 'x"]'])
def test_name_that_is_no_bucket_reaches_no_policy(machine: Machine, pools: PeopleCloud, bucket: str):
    """A wildcard would be every bucket."""
    assert pools
    done = as_administrator(machine).run(ADMIN, "policy", "create-s3-policy", "--bucket-name", bucket)

    assert done.code == 78
    assert "is not the name of a bucket" in done.err


def test_revoke_sessions_denies_by_token_issue_time(machine: Machine, pools: PeopleCloud):
    """Disabling a user at the pool ends no session of AWS."""
    as_administrator(machine).run(ADMIN, "lambda", "deploy", "--create-user")
    before = datetime.now(UTC).replace(microsecond=0)
    done = as_administrator(machine).run(ADMIN, "role", "revoke-sessions", "--role-name", "CognitoLongLivedRole")
    policy = pools.client("iam").get_role_policy(RoleName="CognitoLongLivedRole", PolicyName="AWSRevokeOlderSessions")
    statement = policy["PolicyDocument"]["Statement"][0]

    assert done.code == 0, done.err
    assert (statement["Effect"], statement["Action"], statement["Resource"]) == ("Deny", "*", "*")
    assert before <= datetime.fromisoformat(statement["Condition"]["DateLessThan"]["aws:TokenIssueTime"])


def test_wrong_name_and_wrong_password_hear_the_same(machine: Machine, pools: PeopleCloud):
    """No enumeration: who is disabled, who does not exist, who mistyped (the original told them apart)."""
    pools.add_user("off")
    pools.client("cognito-idp").admin_disable_user(UserPoolId=pools.pool_id, Username="off")
    tries = [("ann", "wrong"), ("nobody", "P4ssw0rd-of-Ann!"), ("off", "P4ssw0rd-of-Ann!")]
    found = {
        (done.code, done.err)
        for user, password in tries
        for done in [machine.run(AUTH, "login", "-u", user, "--password-file", "-", given=f"{password}\n")]
    }

    assert len(found) == 1
    code, err = found.pop()
    assert code == 77
    assert "Wrong user name or password" in err
    assert not (machine.home / ".aws").exists()


def test_long_term_key_is_not_replaced_unasked(machine: Machine, pools: PeopleCloud):
    """Looked at before a password is asked for; --overwrite keeps the old lines as comments."""
    path = machine.home / ".aws/credentials"
    path.parent.mkdir()
    path.write_text("# mine\n[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = keep%me\n")
    before = path.read_text()
    signed_in = pools.calls.count("InitiateAuth USER_PASSWORD_AUTH")
    refused = machine.log_in("--no-lambda-proxy")
    assert (refused.code, path.read_text()) == (78, before)
    assert pools.calls.count("InitiateAuth USER_PASSWORD_AUTH") == signed_in

    assert machine.log_in("--no-lambda-proxy", "--overwrite").code == 0
    text = path.read_text()
    assert "# mine\n[default]\n" in text
    assert "# aws_access_key_id = AKIAIOSFODNN7EXAMPLE\n# aws_secret_access_key = keep%me\n" in text
    assert credentials_of(machine)["aws_access_key_id"].startswith("ASIA")


def test_boto_debug_shows_the_calls_and_no_secret(machine: Machine, pools: PeopleCloud):
    """BOTO_DEBUG=1 as before; botocore's own lines would show the password (P27)."""
    assert pools
    machine.set(BOTO_DEBUG="1")
    done = machine.log_in("--no-lambda-proxy")
    keys = credentials_of(machine)

    assert "cognito-idp InitiateAuth" in done.err
    assert "sts GetCallerIdentity" in done.err
    for secret in ("P4ssw0rd-of-Ann!", keys["aws_secret_access_key"], keys["aws_session_token"]):
        assert secret not in done.err + done.out


def test_credentials_of_the_profile_work(machine: Machine, pools: PeopleCloud, monkeypatch):
    """Aws sts get-caller-identity, with nothing but the profile."""
    assert machine.log_in("--no-lambda-proxy", "--profile", "works").code == 0
    monkeypatch.setenv("AWS_PROFILE", "works")
    arn = boto3.Session().client("sts", endpoint_url=pools.url).get_caller_identity()["Arn"]

    assert arn.endswith("/CognitoIdentityCredentials")
