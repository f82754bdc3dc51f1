"""moto, made as strict as AWS where people's credentials depend on it; one server, for every kind of client.

What moto does not do or not check, with the source of the rule beside each:

- app clients allow only the flows they name (Cognito API reference, ExplicitAuthFlows);
- identity pools have roles, take only tokens of their providers, and give a role's session for an hour (Cognito
  developer guide, "Enhanced flow"; the texts are those of public reports of NotAuthorizedException);
- STS reads trust policies: principal, sts:TagSession where tags come, audience and provider of a web identity; no
  session longer than the role allows, and an hour at most from another role's session (IAM user guide, "Role chaining",
  "Pass session tags"; STS API reference);
- a function that is invoked runs, in a process of its own, as its zip and its environment say.
"""

import base64
import gzip
import io
import json
import logging
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Self

import boto3
import moto
import pytest
import requests
from moto.awslambda.models import LambdaBackend, lambda_backends
from moto.cognitoidentity.models import cognitoidentity_backends
from moto.cognitoidentity.responses import CognitoIdentityResponse
from moto.cognitoidp.models import CognitoIdpBackend, cognitoidp_backends
from moto.cognitoidp.responses import CognitoIdpResponse
from moto.core.exceptions import JsonRESTError
from moto.iam.models import iam_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.server import ThreadedMotoServer
from moto.sts.exceptions import STSClientError, STSValidationError
from moto.sts.models import sts_backends
from moto.sts.responses import TokenResponse

from connector.provisioning.proxy.id_token import IdTokens, TokenRefused
from connector.provisioning.proxy.signing_keys import SigningKeys

ACCOUNT, REGION = "123456789012", "eu-west-1"
PASSWORD, TEMPORARY = "P4ssw0rd-of-Ann!", "T3mporary-of-New!"
HOUR = 3600
_JWKS = Path(moto.__file__).parent / "cognitoidp/resources/jwks-public.json.gz"
_DRIVE = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from importlib import import_module
module, _, name = sys.argv[2].rpartition(".")
class Context:
    aws_request_id = "6b1e4f0a-0000-4000-8000-000000000000"
sys.stdout, out = sys.stderr, sys.stdout
print(json.dumps(getattr(import_module(module), name)(json.loads(sys.stdin.read()), Context())), file=out)
"""


class PeopleCloud:
    """An account with a user pool of people, and nothing set up for them yet."""

    def __init__(self, patches: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.logs: list[str] = []
        self.revoked: list[str] = []
        self._roles: dict[str, dict[str, str]] = {}
        self._identities: dict[str, str] = {}
        self._clients: dict[str, Any] = {}
        self._server = ThreadedMotoServer(port=0, verbose=False)
        self._patch(patches)

    def __enter__(self) -> Self:
        logging.getLogger("werkzeug").setLevel(logging.CRITICAL)  # its lines are not those of the program under test
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def begin_anew(self) -> None:
        """Forget everything, and make the user pool with its people."""
        requests.post(f"{self.url}/moto-api/reset", timeout=10)
        for kept in (self.calls, self.logs, self.revoked, self._roles, self._identities):
            kept.clear()
        self.pool_id = self.client("cognito-idp").create_user_pool(PoolName="people")["UserPool"]["Id"]
        self.client_id = self.add_client(["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])
        idp = self.client("cognito-idp")
        idp.admin_create_user(UserPoolId=self.pool_id, Username="new", TemporaryPassword=TEMPORARY)
        self.add_user("ann")

    def forget_deployments(self) -> None:
        """Take away all of IAM, secrets and functions; the pools stay."""
        iam = iam_backends[ACCOUNT]["aws"]
        for kept in (iam.users, iam.roles, iam.access_keys, iam.tagger.tags):
            kept.clear()
        secretsmanager_backends[ACCOUNT][REGION].secrets.clear()
        lambda_backends[ACCOUNT][REGION].reset()

    @property
    def url(self) -> str:
        """Where every service answers."""
        host, port = self._server.get_host_and_port()
        return f"http://{host}:{port}"

    @property
    def role_name(self) -> str:
        """The role that setup-identity-pool makes when it is told no name."""
        return f"Cognito_{self.pool_id}_peopleAuth_Role"[:64]

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to reach it; no credentials."""
        return {"AWS_ENDPOINT_URL": self.url, "AWS_EC2_METADATA_DISABLED": "true"}

    def client(self, service: str) -> Any:
        """Return an administrator's client."""
        if service not in self._clients:
            make: Any = boto3.client
            keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
            self._clients[service] = make(service, region_name=REGION, endpoint_url=self.url, **keys)
        return self._clients[service]

    def add_client(self, flows: list[str], **about: Any) -> str:
        """Add an app client, and return its id."""
        made = self.client("cognito-idp").create_user_pool_client(
            UserPoolId=self.pool_id, ClientName="people", ExplicitAuthFlows=flows, **about
        )
        return str(made["UserPoolClient"]["ClientId"])

    def add_user(self, name: str, password: str = PASSWORD) -> None:
        """Add a user whose password is permanent."""
        idp = self.client("cognito-idp")
        idp.admin_create_user(UserPoolId=self.pool_id, Username=name)
        idp.admin_set_user_password(UserPoolId=self.pool_id, Username=name, Password=password, Permanent=True)

    def _patch(self, patches: pytest.MonkeyPatch) -> None:
        cloud, initiate = self, CognitoIdpBackend.initiate_auth
        assume, assume_by_token = TokenResponse.assume_role, TokenResponse.assume_role_with_web_identity

        def initiate_auth(backend: Any, client_id: str, auth_flow: str, auth_parameters: dict[str, str]) -> Any:
            clients = [pool.clients[client_id] for pool in backend.user_pools.values() if client_id in pool.clients]
            allowed = clients[0].extended_config.get("ExplicitAuthFlows", []) if clients else []
            cloud.calls.append(f"InitiateAuth {auth_flow}")
            if clients and f"ALLOW_{auth_flow}" not in allowed:
                raise JsonRESTError("InvalidParameterException", f"{auth_flow} is not enabled for the client.")
            return initiate(backend, client_id, auth_flow, auth_parameters)

        def assume_role(response: Any) -> Any:
            cloud.calls.append("AssumeRole")
            cloud._check_assumption(response)
            return assume(response)

        def assume_role_with_web_identity(response: Any) -> Any:
            cloud.calls.append("AssumeRoleWithWebIdentity")
            cloud._check_web_identity(response)
            return assume_by_token(response)

        def cloud_revoke(response: Any) -> str:
            return cloud._revoke(response)

        patches.setattr(CognitoIdpBackend, "initiate_auth", initiate_auth)
        patches.setattr(CognitoIdpResponse, "revoke_token", cloud_revoke, raising=False)
        patches.setattr(TokenResponse, "assume_role", assume_role)
        patches.setattr(TokenResponse, "assume_role_with_web_identity", assume_role_with_web_identity)
        patches.setattr(LambdaBackend, "invoke", lambda _backend, name, _q, body, _h, _r: cloud._invoke(name, body))
        for name in ("get_identity_pool_roles", "set_identity_pool_roles", "get_id", "get_credentials_for_identity"):
            method = getattr(self, f"_{name}")
            patches.setattr(
                CognitoIdentityResponse,
                name,
                lambda response, method=method: json.dumps(method(response)),
                raising=False,
            )

    def _revoke(self, response: Any) -> str:
        token = response._get_param("Token")
        self.revoked.append(token)
        cognitoidp_backends[ACCOUNT][REGION].user_pools[self.pool_id].refresh_tokens.pop(token, None)
        return "{}"

    def _get_identity_pool_roles(self, response: Any) -> dict[str, Any]:
        pool = response._get_param("IdentityPoolId")
        return {"IdentityPoolId": pool, "Roles": self._roles.get(pool, {})}

    def _set_identity_pool_roles(self, response: Any) -> dict[str, Any]:
        self._roles[response._get_param("IdentityPoolId")] = response._get_param("Roles")
        return {}

    def _get_id(self, response: Any) -> dict[str, str]:
        pool = response._get_param("IdentityPoolId")
        if pool not in cognitoidentity_backends[ACCOUNT][pool.partition(":")[0]].identity_pools:
            raise JsonRESTError("ResourceNotFoundException", f"IdentityPool '{pool}' not found.")
        self._check_logins(pool, response._get_param("Logins"))
        identity = f"{REGION}:{len(self._identities):08x}-89ab-cdef-0123-456789abcdef"
        self._identities[identity] = pool
        return {"IdentityId": identity}

    def _get_credentials_for_identity(self, response: Any) -> dict[str, Any]:
        identity = response._get_param("IdentityId")
        pool = self._identities[identity]
        self.calls.append("GetCredentialsForIdentity")
        self._check_logins(pool, response._get_param("Logins"))
        arn = self._roles.get(pool, {}).get("authenticated")
        trust = json.loads(self._role(arn).assume_role_policy_document) if arn else {"Statement": []}
        wanted = {"cognito-identity.amazonaws.com:aud": pool}
        if not any(part.get("Condition", {}).get("StringEquals") == wanted for part in trust["Statement"]):
            text = "Invalid identity pool configuration. Check assigned IAM roles for this pool."
            raise JsonRESTError("InvalidIdentityPoolConfigurationException", text)
        backend = sts_backends[ACCOUNT]["aws"]
        session = backend.assume_role(REGION, "CognitoIdentityCredentials", str(arn), "", HOUR, "")
        keys = {
            "AccessKeyId": session.access_key_id,
            "SecretKey": session.secret_access_key,
            "SessionToken": session.session_token,
            "Expiration": session.expiration.timestamp(),
        }
        return {"IdentityId": identity, "Credentials": keys}

    def _check_logins(self, pool: str, logins: dict[str, str]) -> None:
        known = cognitoidentity_backends[ACCOUNT][REGION].identity_pools[pool].cognito_identity_providers or []
        for name, token in logins.items():
            clients = [entry["ClientId"] for entry in known if entry["ProviderName"] == name]
            if not clients:
                text = "Token is not from a supported provider of this identity pool."
                raise JsonRESTError("NotAuthorizedException", text)
            try:
                self.tokens(clients).verify(token)
            except TokenRefused as error:
                raise JsonRESTError("NotAuthorizedException", f"Invalid login token. {error}") from None

    def tokens(self, clients: list[str]) -> IdTokens:
        """Return what believes the tokens of the pool."""
        issuer = f"https://cognito-idp.{REGION}.amazonaws.com/{self.pool_id}"
        return IdTokens(issuer, frozenset(clients), SigningKeys(lambda: gzip.decompress(_JWKS.read_bytes())))

    def _role(self, arn: str) -> Any:
        try:
            return iam_backends[ACCOUNT]["aws"].get_role_by_arn(arn)
        except Exception:  # noqa: BLE001 - whichever way it is not there
            raise STSClientError("AccessDenied", f"not authorized to perform: sts:AssumeRole on {arn}") from None

    def _check_assumption(self, response: Any) -> None:
        arn, seconds = response._get_param("RoleArn"), response._get_int_param("DurationSeconds", HOUR)
        role, key = self._role(arn), response.access_key
        if sts_backends[ACCOUNT]["aws"].get_assumed_role_from_access_key(key) and seconds > HOUR:
            text = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
            raise STSValidationError(text)
        if seconds > int(role.max_session_duration or HOUR):
            raise STSValidationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
        user = iam_backends[ACCOUNT]["aws"].get_user_from_access_key_id(key)
        tags = {tag["Key"]: tag["Value"] for tag in response._get_param("Tags") or []}
        for part in json.loads(role.assume_role_policy_document)["Statement"]:
            needed = {"sts:AssumeRole"} | ({"sts:TagSession"} if tags else set())
            actions = set(part["Action"]) if isinstance(part["Action"], list) else {part["Action"]}
            condition = part.get("Condition", {})
            allowed_keys = condition.get("ForAllValues:StringEquals", {}).get("aws:TagKeys", list(tags))
            asked = [name.partition("/")[2] for name in condition.get("StringLike", {})]
            if (
                user
                and part["Principal"].get("AWS") == user.arn
                and needed <= actions
                and set(tags) <= set(allowed_keys)
                and set(asked) <= set(tags)
            ):
                return
        raise STSClientError("AccessDenied", f"not authorized to perform: sts:AssumeRole or sts:TagSession on {arn}")

    def _check_web_identity(self, response: Any) -> None:
        arn, token = response._get_param("RoleArn"), response._get_param("WebIdentityToken")
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==="))
        provider = str(claims["iss"]).removeprefix("https://")
        provider_arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{provider}"
        known = iam_backends[ACCOUNT]["aws"].open_id_providers.get(provider_arn)
        if known is None:
            raise STSClientError(
                "InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {provider}"
            )
        try:
            self.tokens(list(known.client_id_list)).verify(token)
        except TokenRefused as error:
            code = "ExpiredTokenException" if str(error) == "expired" else "InvalidIdentityToken"
            raise STSClientError(code, "Couldn't verify the token.") from None
        role = self._role(arn)
        trusts = [
            part
            for part in json.loads(role.assume_role_policy_document)["Statement"]
            if part["Principal"].get("Federated") == provider_arn
            and part["Condition"]["StringEquals"].get(f"{provider}:aud") == claims["aud"]
        ]
        if not trusts:
            raise STSClientError("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
        if response._get_int_param("DurationSeconds", HOUR) > int(role.max_session_duration or HOUR):
            raise STSValidationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")

    def _invoke(self, name: str, body: Any) -> bytes:
        backend = lambda_backends[ACCOUNT][REGION]
        function = backend.get_function(name.rpartition(":")[2])
        self.calls.append("Invoke")
        with tempfile.TemporaryDirectory() as folder:
            with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as archive:
                archive.extractall(folder)
            done = subprocess.run(
                [sys.executable, "-c", _DRIVE, folder, str(function.handler)],
                input=body if isinstance(body, str) else body.decode(),
                env={
                    **self._function_environment(),
                    **{name: str(value) for name, value in function.environment_vars.items()},
                },
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
        self.logs.append(done.stderr)
        assert done.returncode == 0, done.stderr
        return bytes(done.stdout, "utf-8")

    def _function_environment(self) -> dict[str, str]:
        keys = {"AWS_ACCESS_KEY_ID": "function", "AWS_SECRET_ACCESS_KEY": "function"}
        return {
            "PATH": os.environ["PATH"],
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            **keys,
            **self.environment,
        }
