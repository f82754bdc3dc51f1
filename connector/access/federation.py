"""Exchange an id token of the user pool for AWS credentials, each of the three ways.

What is shown as the end of the credentials is AWS's own word, never what was asked for.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from connector.access.aws_doors import AwsDoors
from connector.access.aws_faults import aws_answers, explain_identity, explain_web_identity
from connector.access.model import AwsCredentials, Federation, LoginPlan, Tokens
from connector.directory.pool_names import provider_name
from connector.errors import CredentialsDenied, LoginError, LoginUnavailable, LoginUnfit, NotSignedIn
from connector.rotation.aws.errors import aws_error_code
from connector.rotation.model.secret import Secret

_NOT_IN_NAMES = re.compile(r"[^\w+=,.@-]", re.ASCII)
_SHORTEST_NAME = 2
_LONGEST_NAME = 64
_REFUSED = {400: LoginUnfit, 401: NotSignedIn, 403: CredentialsDenied, 503: LoginUnavailable}
Now = Callable[[], datetime]


def exchange(doors: AwsDoors, plan: LoginPlan, tokens: Tokens, *, now: Now) -> AwsCredentials:
    """Return the credentials that a person's token is worth.

    Raises:
        LoginError: AWS gives none, or the plan says too little.
    """
    match plan.federation:
        case Federation.IDENTITY_POOL:
            given = by_identity_pool(doors, plan, tokens, now=now)
        case Federation.WEB_IDENTITY:
            given = by_web_identity(doors, plan, tokens, now=now)
        case Federation.LAMBDA:
            given = by_proxy(doors, plan, tokens, by_identity_pool(doors, plan, tokens, now=now), now=now)
    return given


def by_identity_pool(doors: AwsDoors, plan: LoginPlan, tokens: Tokens, *, now: Now) -> AwsCredentials:
    """Exchange it at the identity pool, in its enhanced flow, for an hour (developer guide, "Authentication flow")."""
    pool = plan.identity_pool_id
    if not pool:
        raise LoginUnfit(
            "No identity pool is named.", remedy="Set login.identity_pool_id, or another login.federation."
        )
    client = doors.identity_pool(pool.partition(":")[0])
    logins = {provider_name(plan.pool_id): tokens.id_token.reveal()}
    with aws_answers(f"GetId for identity pool {pool}", explain=explain_identity):
        identity = client.get_id(IdentityPoolId=pool, Logins=logins)["IdentityId"]
    with aws_answers(f"GetCredentialsForIdentity for identity pool {pool}", explain=explain_identity):
        answer = client.get_credentials_for_identity(IdentityId=identity, Logins=logins)
        given = answer["Credentials"]
        return AwsCredentials(
            given["AccessKeyId"],
            Secret(given["SecretKey"]),
            Secret(given["SessionToken"]),
            expires=_zoned(given["Expiration"]),
            issued=now(),
            federation=Federation.IDENTITY_POOL,
        )


def by_web_identity(doors: AwsDoors, plan: LoginPlan, tokens: Tokens, *, now: Now) -> AwsCredentials:
    """Show it to STS, which knows the pool as an OIDC provider (IAM user guide, "OIDC federation")."""
    if not plan.role_arn:
        raise LoginUnfit("No role is named.", remedy="Set login.role_arn to the role for people of this pool.")
    with aws_answers(f"AssumeRoleWithWebIdentity for role {plan.role_arn}", explain=explain_web_identity):
        answer = doors.unsigned_sts().assume_role_with_web_identity(
            RoleArn=plan.role_arn,
            RoleSessionName=session_name(tokens.username),
            WebIdentityToken=tokens.id_token.reveal(),
            DurationSeconds=plan.seconds,
        )
        given = answer["Credentials"]
        return AwsCredentials(
            given["AccessKeyId"],
            Secret(given["SecretAccessKey"]),
            Secret(given["SessionToken"]),
            expires=_zoned(given["Expiration"]),
            issued=now(),
            federation=Federation.WEB_IDENTITY,
        )


def by_proxy(doors: AwsDoors, plan: LoginPlan, tokens: Tokens, first: AwsCredentials, *, now: Now) -> AwsCredentials:
    """Show it to the credential proxy, which an identity pool's credentials may invoke."""
    event: dict[str, Any] = {"id_token": tokens.id_token.reveal(), "duration_seconds": plan.seconds}
    if plan.role_arn:
        event["role_arn"] = plan.role_arn
    with aws_answers(f"Invoke of function {plan.function}", explain=lambda error: _explain_invocation(error, plan)):
        answer = doors.functions(plan.region, first).invoke(
            FunctionName=plan.function, Payload=json.dumps(event).encode()
        )
        content = answer["Payload"].read()
        if answer.get("FunctionError"):
            raise LoginUnfit(f"The function {plan.function} failed.", remedy=f"Look into its log: {_log_of(plan)}")
        return _read_proxy_answer(content, plan, now=now)


def _read_proxy_answer(content: bytes, plan: LoginPlan, *, now: Now) -> AwsCredentials:
    try:
        answer = json.loads(content)
        body = json.loads(answer["body"])
        status = int(answer["statusCode"])
        if status != 200:  # noqa: PLR2004 - HTTP's OK
            raise _explain_proxy(status, body, plan)
        return AwsCredentials(
            body["access_key_id"],
            Secret(body["secret_access_key"]),
            Secret(body["session_token"]),
            expires=_zoned(datetime.fromisoformat(body["expiration"])),
            issued=now(),
            federation=Federation.LAMBDA,
        )
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise LoginUnfit(
            f"The answer of function {plan.function} is not a credential proxy's ({type(error).__name__}).",
            remedy="Deploy the proxy: cognito-scim admin lambda deploy",
        ) from None


def _explain_proxy(status: int, body: Mapping[str, Any], plan: LoginPlan) -> LoginError:
    says = str(body.get("error", ""))[:200]
    kind = _REFUSED.get(status, LoginUnfit)
    return kind(
        f"The credential proxy {plan.function} refuses ({status}): {says}",
        remedy=f"Its log has the reason: {_log_of(plan)}",
    )


def _explain_invocation(error: ClientError, plan: LoginPlan) -> LoginError | None:
    code = aws_error_code(error)
    if code == "ResourceNotFoundException":
        return LoginUnfit(
            f"Lambda function '{plan.function}' not found in {plan.region}.",
            remedy="Please deploy it first: cognito-scim admin lambda deploy",
        )
    if code in {"AccessDenied", "AccessDeniedException"}:
        return CredentialsDenied(
            f"People of this identity pool may not invoke {plan.function}.",
            remedy="Allow lambda:InvokeFunction to the pool's role: cognito-scim admin lambda deploy does.",
        )
    return None


def _log_of(plan: LoginPlan) -> str:
    name = plan.function.rpartition(":")[2]
    return f"aws logs tail /aws/lambda/{name}"


def session_name(username: str) -> str:
    """Return a name for the session that CloudTrail can be searched by (STS: roleSessionNameType)."""
    return _NOT_IN_NAMES.sub("_", username)[:_LONGEST_NAME].ljust(_SHORTEST_NAME, "_")


def identify(doors: AwsDoors, credentials: AwsCredentials) -> tuple[str, str]:
    """Return the account and the name that AWS knows the bearer by; this needs no permission.

    Raises:
        LoginError: AWS does not answer, or does not take the credentials.
    """
    with aws_answers("GetCallerIdentity"):
        answer = doors.sts(credentials).get_caller_identity()
        return answer["Account"], answer["Arn"]


def _zoned(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
