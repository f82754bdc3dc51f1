"""Deploy the credential proxy: a user whose key nobody sees, two roles, the function; again without harm.

The key is made once and goes from IAM straight to Secrets Manager. A second run finds it there and uses it; a run
that was interrupted between the two leaves none behind.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from connector.errors import ProvisioningError, SetUpUnfit
from connector.provisioning.account.caller import Caller
from connector.provisioning.account.errors import is_refusal, provisioning_faults
from connector.provisioning.account.waiting import Consistency
from connector.provisioning.authoriser.administrator import NOT_THERE, Administrator, asking, unless
from connector.provisioning.authoriser.roles import TWELVE_HOURS, put_policy, put_role
from connector.provisioning.authoriser.templates import fill
from connector.provisioning.function_zip import PROXY, make_zip
from connector.provisioning.keys.access_key import KEYS_BEFORE, UserKeys
from connector.provisioning.keys.vault import AccessKey, KeptKeys
from connector.rotation.aws.errors import AwsCall
from connector.rotation.model.secret import Secret

FUNCTION = "cognito-credential-proxy"
LONG_LIVED_ROLE = "CognitoLongLivedRole"
_USER, _EXECUTION_ROLE = "CognitoCredentialProxyUser", "CognitoCredentialProxyRole"
_SECRET = "CognitoCredentialProxyKey"  # noqa: S105 - the name of a secret
_HANDLER = "connector.provisioning.credential_proxy.handler"
_RUNTIME = "python3.12"
_TIMEOUT = 30


@dataclass(frozen=True, slots=True)
class Key:
    """An access key of the proxy's user."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProxyPlan:
    """What is deployed.

    Args:
        pool_id: whose tokens are taken.
        client_id: for which app client.
        create_user: whether the proxy's user is made where it is not there.
        key: of a user that is there already; None finds the one in the secret, or makes one.
        code: the zip; our own when left out.
        identity_pool_role: who may invoke the function; empty names nobody.
    """

    pool_id: str
    client_id: str
    create_user: bool
    key: Key | None = None
    code: bytes = b""
    identity_pool_role: str = ""


@dataclass(frozen=True, slots=True)
class Deployed:
    """What is there now: ARNs."""

    function: str
    role: str
    user: str
    secret: str


def deploy_proxy(admin: Administrator, plan: ProxyPlan) -> Deployed:
    """Bring the proxy and what it needs to what they shall be.

    Raises:
        ProvisioningError: AWS says no; run again, it goes on from there.
    """
    kept = _read_key(admin)
    user_arn = _user(admin, plan, kept)
    role = put_role(
        admin,
        LONG_LIVED_ROLE,
        fill("long-lived-role-trust", user_arn=user_arn),
        longest_session=TWELVE_HOURS,
        description="Sessions of people, opened by the credential proxy",
    )
    _allow_user(admin, user_arn, role)
    secret = _keep_key(admin, plan, kept, user_arn)
    execution = put_role(
        admin, _EXECUTION_ROLE, fill("lambda-trust"), description="The function of the credential proxy"
    )
    place = {"partition": admin.partition, "region": admin.region, "account_id": admin.account}
    document = fill("lambda-execution", function_name=FUNCTION, secret_arn=secret, **place)
    put_policy(admin, _EXECUTION_ROLE, "CognitoCredentialProxy", document)
    function = _put_function(admin, plan, execution, role, secret)
    if plan.identity_pool_role:
        invoke, invokers = (
            fill("lambda-invoke", function_name=FUNCTION, **place),
            plan.identity_pool_role.rpartition("/")[2],
        )
        put_policy(admin, invokers, "CognitoCredentialProxyInvoke", invoke)
        admin.report(f"Role {invokers} may invoke the function.")
    return Deployed(function, role, user_arn, secret)


def _user(admin: Administrator, plan: ProxyPlan, kept: Key | None) -> str:
    """Return whom the long-lived role shall trust: the bearer of the key, found out by the key itself."""
    if plan.key:
        arn = admin.arn_of_key(plan.key.id, plan.key.secret)
        if ":user/" not in arn:
            raise SetUpUnfit(
                f"The key is not an IAM user's but belongs to {arn}.",
                remedy="A role's session may open others for an hour only; give a user's key, or say --create-user.",
            )
        return arn
    if not plan.create_user and kept:
        return admin.arn_of_key(kept.id, kept.secret)
    if not plan.create_user:
        raise SetUpUnfit(
            "The proxy needs a user of its own.",
            remedy="Say --create-user, or give a user's key with --access-key-id and --secret-access-key -.",
        )
    return _create_user(admin)


def _create_user(admin: Administrator) -> str:
    found = unless(NOT_THERE, "iam:GetUser", f"user {_USER}", lambda: admin.iam.get_user(UserName=_USER))
    if found:
        return str(found["User"]["Arn"])
    with asking("iam:CreateUser", f"user {_USER}"):
        tags: Any = [{"Key": "managed-by", "Value": "cognito-scim"}]
        arn = str(admin.iam.create_user(UserName=_USER, Tags=tags)["User"]["Arn"])
    admin.report(f"Created user {_USER}.")
    return arn


def _allow_user(admin: Administrator, user_arn: str, role_arn: str) -> None:
    name = user_arn.rpartition("/")[2]
    with asking("iam:PutUserPolicy", f"user {name}"):
        admin.iam.put_user_policy(
            UserName=name,
            PolicyName="CognitoCredentialProxy",
            PolicyDocument=json.dumps(fill("lambda-user", role_arn=role_arn)),
        )
    admin.report(f"User {name} may assume role {role_arn.rpartition('/')[2]}, and nothing else by this policy.")


def _read_key(admin: Administrator) -> Key | None:
    what = "secretsmanager:GetSecretValue", f"secret {_SECRET}"
    answer = unless(NOT_THERE, *what, lambda: admin.secrets.get_secret_value(SecretId=_SECRET))
    try:
        found = json.loads(answer["SecretString"]) if answer else {}
        key = Key(str(found["aws_access_key_id"]), str(found["aws_secret_access_key"]))
    except (ValueError, LookupError, TypeError):
        return None
    return key if key.id and key.secret else None


def _keep_key(admin: Administrator, plan: ProxyPlan, kept: Key | None, user_arn: str) -> str:
    """See that the secret holds a key of the user, and return the secret's ARN; a key that fits is left alone."""
    if plan.key:
        return _store(admin, plan.key) if plan.key.id != (kept.id if kept else "") else _secret_arn(admin)
    keys = UserKeys(Caller(admin.session, admin.region), user_arn.rpartition("/")[2], _SecretKeeper(admin))
    if kept and _belongs_to(admin, kept, user_arn):
        if KEYS_BEFORE in keys.without_orphans().tags:
            keys.untag(KEYS_BEFORE)
        admin.report(f"The key in secret {_SECRET} goes on being used.")
        return _secret_arn(admin)
    keys.make()
    return _secret_arn(admin)


def _belongs_to(admin: Administrator, key: Key, user_arn: str) -> bool:
    try:
        return admin.arn_of_key(key.id, key.secret) == user_arn
    except ProvisioningError:
        return False


@dataclass(frozen=True, slots=True)
class _SecretKeeper:
    """Keeps the key in the secret that the function reads: it has no other, so none is ever pending."""

    admin: Administrator

    def read(self) -> KeptKeys:
        key = _read_key(self.admin)
        return KeptKeys(current=AccessKey(key.id, Secret(key.secret)) if key else None)

    def stage(self, key: AccessKey) -> None:
        _store(self.admin, Key(key.key_id, key.secret.reveal()))

    def discard_pending(self) -> None:
        """Do nothing."""


def _store(admin: Administrator, key: Key) -> str:
    text = json.dumps({"aws_access_key_id": key.id, "aws_secret_access_key": key.secret})
    about = "Access key of the credential proxy's user"
    made = unless(
        frozenset({"ResourceExistsException"}),
        "secretsmanager:CreateSecret",
        f"secret {_SECRET}",
        lambda: admin.secrets.create_secret(Name=_SECRET, SecretString=text, Description=about)["ARN"],
    )
    if made is None:
        with asking("secretsmanager:PutSecretValue", f"secret {_SECRET}"):
            made = admin.secrets.put_secret_value(SecretId=_SECRET, SecretString=text)["ARN"]
    admin.report(f"The key is in secret {_SECRET}, and nowhere else.")
    return made


def _secret_arn(admin: Administrator) -> str:
    with asking("secretsmanager:DescribeSecret", f"secret {_SECRET}"):
        return str(admin.secrets.describe_secret(SecretId=_SECRET)["ARN"])


def _put_function(admin: Administrator, plan: ProxyPlan, execution: str, role: str, secret: str) -> str:
    there = unless(
        NOT_THERE,
        "lambda:GetFunctionConfiguration",
        f"function {FUNCTION}",
        lambda: admin.functions.get_function_configuration(FunctionName=FUNCTION),
    )
    code = plan.code or make_zip(PROXY)
    settings: Any = {
        "FunctionName": FUNCTION,
        "Role": execution,
        "Runtime": _RUNTIME,
        "Handler": _HANDLER,
        "Timeout": _TIMEOUT,
        "Environment": {"Variables": _variables(there or {}, plan, role, secret)},
    }
    if there is None:
        made = _when_role_is_known(
            admin, "lambda:CreateFunction", lambda: admin.functions.create_function(Code={"ZipFile": code}, **settings)
        )
        admin.report(f"Created function {FUNCTION}.")
        return str(made["FunctionArn"])
    with asking("lambda:UpdateFunctionCode", f"function {FUNCTION}"):
        admin.functions.update_function_code(FunctionName=FUNCTION, ZipFile=code)
        admin.functions.get_waiter("function_updated_v2").wait(FunctionName=FUNCTION)
    changed = _when_role_is_known(
        admin, "lambda:UpdateFunctionConfiguration", lambda: admin.functions.update_function_configuration(**settings)
    )
    admin.report(f"Updated function {FUNCTION}.")
    return str(changed["FunctionArn"])


def _variables(there: Any, plan: ProxyPlan, role: str, secret: str) -> dict[str, str]:
    """Return the function's environment; what an administrator has added stays."""
    kept = there.get("Environment", {}).get("Variables", {})
    ours = {
        "COGNITO_USER_POOL_ID": plan.pool_id,
        "COGNITO_CLIENT_ID": plan.client_id,
        "DEFAULT_ROLE_ARN": role,
        "PROXY_SECRET_ID": secret,
    }
    return {name: value for name, value in kept.items() if not name.startswith("IAM_USER_")} | ours


def _when_role_is_known(admin: Administrator, action: str, do: Any) -> Any:
    """Make a call that names a new role, which Lambda may not be able to assume yet."""
    for last in Consistency(admin.report, seconds=60).attempts("Lambda can assume the function's role"):
        with provisioning_faults(AwsCall(action, f"function {FUNCTION}", changes=True)):
            try:
                return do()
            except ClientError as error:
                if last or not is_refusal(error, "InvalidParameterValueException", "cannot be assumed"):
                    raise
    raise AssertionError("unreachable")
