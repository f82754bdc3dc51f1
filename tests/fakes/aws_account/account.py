"""An AWS account on loopback: moto behind a gate that judges what moto lets pass.

    with Account() as account:
        account.pool_arn                                  # a pool with a few people in it
        account.deny("iam:CreateRole")                    # AccessDenied until further notice
        account.slow_principals, account.slow_keys = 2, 3 # so many times not known yet, after they were made
        account.script.fail("CreateRole", call=1, fault=Fault.RESET)
        account.asked                                     # each service with the Region that a call was signed for
        account.iam, account.state()                      # what is there

What the gate adds, each with its source:

- a trust policy with a principal that does not exist, or not yet: MalformedPolicyDocument "Invalid principal in policy"
  (hashicorp/terraform#4709, terraform-provider-aws PR #12436)
- a new key that STS does not know yet: InvalidClientTokenId (terraform-provider-aws, resource aws_iam_access_key)
- AssumeRole by the trust policy, ExternalId, MaxSessionDuration and the caller's policies (STS API reference)
- a deleted user in a trust policy turns into its unique id (IAM User Guide, "AWS JSON policy elements: Principal")
- Cognito's reads by the policies of the role's session; actions that are denied (Service Authorization Reference)
- DeleteUser with keys, and an inactive key: DeleteConflict, InvalidClientTokenId (IAM API reference)
- SimulatePrincipalPolicy, by the same denials
"""

import json
import re
import secrets
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Self
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import boto3
from moto.cloudformation.models import cloudformation_backends
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.secretsmanager.models import secretsmanager_backends
from moto.sts.models import sts_backends
from werkzeug.test import Client

from tests.fakes.aws_account.evaluator import Request as Asked
from tests.fakes.aws_account.evaluator import allows, trusts
from tests.fakes.faults import Script
from tests.fakes.refusals import REQUEST_ID, XML, Refusal
from tests.fakes.wire import Answer, Request, WireServer

REGION = "eu-west-1"
ADMINISTRATOR = "administrator"
_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_SIGNED = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_HOP = {"connection", "content-length", "host"}


class Account:
    """The account; see the module."""

    number = DEFAULT_ACCOUNT_ID

    def __init__(self, partition: str = "aws", region: str = REGION) -> None:
        self.partition, self.region = partition, region
        self.script = Script()
        self.denied: set[str] = set()
        self.denied_by = ""
        self.slow_principals = self.slow_keys = 0
        self.asked: set[tuple[str, str]] = set()
        self._unknown: dict[str, int] = {}
        self._moto = Client(DomainDispatcherApplication(create_backend_app))
        self._server = WireServer(self._answer)
        self._simulates = True

    def __enter__(self) -> Self:
        self._server.__enter__()
        self._found()
        self.script = Script()
        return self

    def _found(self) -> None:
        """Make the administrator and the pool."""
        self._moto.post("/moto-api/reset", headers={"Host": "motoapi.amazonaws.com"})
        self.backend.create_user(self.region, ADMINISTRATOR)
        self.backend.put_user_policy(ADMINISTRATOR, "everything", json.dumps(_EVERYTHING))
        self.key = self.backend.create_access_key(ADMINISTRATOR)
        cognito = self.client("cognito-idp")
        pool = cognito.create_user_pool(PoolName="people")["UserPool"]
        self.pool_id, self.pool_arn = pool["Id"], pool["Arn"]
        for name in ("ann", "bo", "cy"):
            cognito.admin_create_user(UserPoolId=self.pool_id, Username=name)
        cognito.create_group(UserPoolId=self.pool_id, GroupName="admins")
        cognito.admin_add_user_to_group(UserPoolId=self.pool_id, Username="ann", GroupName="admins")

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    @property
    def endpoint_url(self) -> str:
        """Where every service answers."""
        return self._server.url

    @property
    def backend(self) -> Any:
        """What moto keeps of IAM."""
        return iam_backends[self.number][self.partition]

    def client(self, service: str) -> Any:
        """Return a client of the administrator."""
        session = boto3.Session(self.key.access_key_id, self.key.secret_access_key, region_name=self.region)
        return session.client(service, endpoint_url=self.endpoint_url)  # type: ignore[call-overload]

    @property
    def environment(self) -> dict[str, str]:
        """The variables of an administrator's shell."""
        return {
            "AWS_ACCESS_KEY_ID": self.key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.key.secret_access_key,
            "AWS_ENDPOINT_URL": self.endpoint_url,
        }

    def deny(self, *actions: str, by: str = "") -> None:
        """Take rights from the administrator, such as `iam:CreateRole`; `by` is said in the refusal."""
        self.denied.update(actions)
        self.denied_by = by

    def forbid_simulation(self) -> None:
        """Let nobody ask for rights."""
        self._simulates = False

    def begin_anew(self) -> None:
        """Be as at the beginning: nothing but the pool and an administrator who may do everything.

        moto keeps its accounts in the process: whoever else resets it takes this one away with the rest.
        """
        if ADMINISTRATOR not in self.backend.users:
            self._found()
        self.script, self.denied, self.denied_by = Script(), set(), ""
        self.slow_principals = self.slow_keys = 0
        self.asked.clear()
        self._unknown.clear()
        self._simulates = True
        self.empty()
        self.backend.put_user_policy(ADMINISTRATOR, "everything", json.dumps(_EVERYTHING))
        secretsmanager_backends[self.number][self.region].secrets.clear()
        cloudformation_backends[self.number][self.region].stacks.clear()

    def empty(self) -> None:
        """Take away all of IAM but the administrator."""
        iam = self.backend
        iam.groups.clear()
        for store in (iam.roles, iam.instance_profiles):
            store.clear()
        for name in [name for name in iam.users if name != ADMINISTRATOR]:
            for key in iam.users.pop(name).access_keys:
                iam.access_keys.pop(key.access_key_id, None)
        for arn in [arn for arn in iam.managed_policies if f"::{self.number}:" in arn]:
            del iam.managed_policies[arn]
        iam.tagger.tags.clear()

    def snapshot(self) -> Any:
        """Return what is there of IAM, to be put back with `restore`: making it anew takes fifty calls."""
        iam = self.backend
        ours = {arn: policy for arn, policy in iam.managed_policies.items() if f"::{self.number}:" in arn}
        return deepcopy((iam.users, iam.roles, iam.access_keys, ours, iam.instance_profiles, iam.tagger.tags))

    def restore(self, snapshot: Any) -> None:
        """Let there be of IAM what there was."""
        self.empty()
        iam = self.backend
        places = (iam.users, iam.roles, iam.access_keys, iam.managed_policies, iam.instance_profiles, iam.tagger.tags)
        for place, kept in zip(places, deepcopy(snapshot), strict=True):
            place.update(kept)

    def state(self) -> dict[str, Any]:
        """Return everything that is in the account but ids, dates and the administrator."""
        iam = self.backend
        return {
            "policies": {
                policy.name: (policy.path, json.loads(_document(policy)), _tags(policy.tags))
                for policy in iam.managed_policies.values()
                if policy.arn.startswith(f"arn:{self.partition}:iam::{self.number}:")
            },
            "roles": {
                role.name: {
                    "path": role.path,
                    "trust": json.loads(role.assume_role_policy_document),
                    "policies": sorted(role.managed_policies),
                    "inline": sorted(role.policies),
                    "session": role.max_session_duration,
                    "tags": _tags(role.tags),
                }
                for role in iam.roles.values()
            },
            "users": {
                user.name: {
                    "path": user.path,
                    "policies": sorted(user.managed_policies),
                    "inline": sorted(user.policies),
                    "keys": [key.status for key in user.access_keys],
                    "tags": _tags(iam.tagger.list_tags_for_resource(user.arn)["Tags"]),
                }
                for user in iam.users.values()
                if user.name != ADMINISTRATOR
            },
            "profiles": {
                profile.name: [role.name for role in profile.roles] for profile in iam.instance_profiles.values()
            },
        }

    def lets_in(self, key_id: str, role_arn: str, external_id: str | None = None) -> bool:
        """Tell, without a trace, whether a key may assume a role."""
        key = self.backend.access_keys.get(key_id)
        if key is None or key.status != "Active":
            return False
        return self._refuse_assumption(key_id, {"RoleArn": role_arn, "ExternalId": external_id}) is None

    def _answer(self, request: Request) -> Answer:
        operation, asked = _operation(request)
        fault = self.script.next_fault(operation, counts_as_any=True)
        in_json = "X-Amz-Target" in request.headers

        def good() -> Answer:
            return self._judge(request, operation, asked) or self._forward(request, operation, asked)

        say_no = Refusal.in_json if in_json else Refusal.in_xml
        return fault.spoil(good, say_no) if fault else good()

    def _judge(self, request: Request, operation: str, asked: Mapping[str, Any]) -> Answer | None:
        signed = _SIGNED.search(request.headers.get("Authorization", ""))
        if signed is None:
            return None  # Cognito's calls without signature
        key_id, region, service = signed.groups()
        self.asked.add((service, region))
        say_no = Refusal.in_json if "X-Amz-Target" in request.headers else Refusal.in_xml
        refusal = self._refuse_key(key_id) or self._refuse_right(key_id, service, operation, asked)
        if refusal is None and service == "sts" and operation == "AssumeRole":
            refusal = self._refuse_assumption(key_id, asked)
        if refusal is None and operation in {"CreateRole", "UpdateAssumeRolePolicy"}:
            refusal = self._refuse_principal(asked)
        if refusal is None and operation == "DeleteUser" and self.backend.get_user(asked["UserName"]).access_keys:
            refusal = Refusal("DeleteConflict", "Cannot delete entity, must delete access keys first.", 409)
        if refusal is not None:
            return say_no(refusal)
        if operation == "SimulatePrincipalPolicy":
            return self._simulate(asked)
        return None

    def _refuse_key(self, key_id: str) -> Refusal | None:
        if self._unknown.get(key_id, 0) > 0:
            self._unknown[key_id] -= 1
            return _UNKNOWN_KEY
        key = self.backend.access_keys.get(key_id)
        if key is None and not key_id.startswith("ASIA"):
            return _UNKNOWN_KEY
        return _UNKNOWN_KEY if key is not None and key.status != "Active" else None

    def _refuse_right(self, key_id: str, service: str, operation: str, asked: Mapping[str, Any]) -> Refusal | None:
        action = f"{service}:{operation}"
        arn, documents = self._caller(key_id)
        if operation == "GetCallerIdentity" or (service == "sts" and operation == "AssumeRole"):
            return None
        if arn.endswith(f"/{ADMINISTRATOR}"):
            return self._access_denied(arn, action) if action in self.denied else None
        pool = asked.get("UserPoolId", "")
        resource = f"arn:{self.partition}:cognito-idp:{self.region}:{self.number}:userpool/{pool}"
        return None if allows(documents, Asked(action, resource)) else self._access_denied(arn, action)

    def _access_denied(self, arn: str, action: str) -> Refusal:
        by = f" with an explicit deny in {self.denied_by}" if self.denied_by else ""
        text = f"User: {arn} is not authorized to perform: {action}{by}"
        return Refusal("AccessDeniedException", text, query_code="AccessDenied")

    def _refuse_assumption(self, key_id: str, asked: Mapping[str, Any]) -> Refusal | None:
        arn, documents = self._caller(key_id)
        context = {"sts:externalid": asked["ExternalId"]} if asked.get("ExternalId") else {}
        wanted = Asked("sts:AssumeRole", asked["RoleArn"], context)
        role = next((role for role in self.backend.roles.values() if role.arn == asked["RoleArn"]), None)
        if role is None or not trusts(json.loads(role.assume_role_policy_document), arn, wanted, documents):
            text = f"User: {arn} is not authorized to perform: sts:AssumeRole on resource: {asked['RoleArn']}"
            return Refusal("AccessDenied", text, 403)
        if int(asked.get("DurationSeconds", 3600)) > role.max_session_duration:
            text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            return Refusal("ValidationError", text)
        return None

    def _refuse_principal(self, asked: Mapping[str, Any]) -> Refusal | None:
        document = json.loads(asked.get("AssumeRolePolicyDocument") or asked["PolicyDocument"])
        for statement in document["Statement"]:
            principals = statement["Principal"].get("AWS", [])
            for arn in [principals] if isinstance(principals, str) else principals:
                if f":{self.number}:" in arn and not self._knows(arn):
                    text = f'Invalid principal in policy: "AWS":"{arn}"'
                    return Refusal("MalformedPolicyDocument", text)
        return None

    def _knows(self, arn: str) -> bool:
        if self._unknown.get(arn, 0) > 0:
            self._unknown[arn] -= 1
            return False
        known = {one.arn for one in [*self.backend.users.values(), *self.backend.roles.values()]}
        return arn in known or arn.endswith(":root")

    def _caller(self, key_id: str) -> tuple[str, list[dict[str, Any]]]:
        """Return who has a key, a role for its session, and the policies."""
        key = self.backend.access_keys.get(key_id)
        if key is not None and key.user_name:
            holder = self.backend.get_user(key.user_name)
        elif key is not None:
            holder = self.backend.get_role_by_arn(key.role_arn)
        else:
            session: Any = sts_backends[self.number][self.partition].get_assumed_role_from_access_key(key_id)
            holder = self.backend.get_role_by_arn(session.role_arn)
        inline = holder.policies.values()
        documents = [json.loads(text) for text in [*inline, *map(_document, holder.managed_policies.values())]]
        return holder.arn, documents

    def _forward(self, request: Request, operation: str, asked: Mapping[str, Any]) -> Answer:
        gone = self.backend.users.get(asked.get("UserName", "")) if operation == "DeleteUser" else None
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _HOP]
        service = _SIGNED.search(request.headers.get("Authorization", ""))
        host = f"{service[3] if service else 'cognito-idp'}.{self.region}.amazonaws.com"
        got = self._moto.post(request.path, data=request.body, headers=[*headers, ("Host", host)])
        if got.status_code < 300:
            self._note(operation, got.get_data(), gone)
        error_type = got.headers.get("x-amzn-errortype", "").rstrip(":")
        return Answer(got.status_code, got.get_data(), got.headers["Content-Type"], error_type)

    def _note(self, operation: str, body: bytes, gone: Any) -> None:
        if operation in {"CreateUser", "CreateRole"}:
            found = re.search(rb"<Arn>(arn:[^<]+)</Arn>", body)
            if found:
                self._unknown[found[1].decode()] = self.slow_principals
        if operation == "CreateAccessKey":
            found = re.search(rb"<AccessKeyId>([^<]+)<", body)
            if found:
                self._unknown[found[1].decode()] = self.slow_keys
        if gone is not None:
            for role in self.backend.roles.values():
                text = role.assume_role_policy_document
                role.assume_role_policy_document = text.replace(gone.arn, f"AIDA{secrets.token_hex(8).upper()}")

    def _simulate(self, asked: Mapping[str, Any]) -> Answer:
        if not self._simulates:
            return Refusal("AccessDenied", "not authorized to perform: iam:SimulatePrincipalPolicy", 403).in_xml()
        results = "".join(
            f"<member><EvalActionName>{escape(value)}</EvalActionName>"
            f"<EvalResourceName>{escape(asked.get('ResourceArns.member.1', '*'))}</EvalResourceName>"
            f"<EvalDecision>{'implicitDeny' if value in self.denied else 'allowed'}</EvalDecision>"
            f"<OrganizationsDecisionDetail><AllowedByOrganizations>"
            f"{str(not (value in self.denied and 'service control' in self.denied_by)).lower()}"
            "</AllowedByOrganizations></OrganizationsDecisionDetail></member>"
            for name, value in asked.items()
            if name.startswith("ActionNames.member.")
        )
        body = (
            '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
            f"<SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>{results}"
            "</EvaluationResults></SimulatePrincipalPolicyResult>"
            f"<ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata></SimulatePrincipalPolicyResponse>"
        )
        return Answer(200, body.encode(), XML)


_UNKNOWN_KEY = Refusal(
    "UnrecognizedClientException",
    "The security token included in the request is invalid.",
    query_code="InvalidClientTokenId",
)


def _operation(request: Request) -> tuple[str, Mapping[str, Any]]:
    target = request.headers.get("X-Amz-Target")
    if target:
        return target.rpartition(".")[2], json.loads(request.body or b"{}")
    form = {name: values[0] for name, values in parse_qs(request.body.decode(), keep_blank_values=True).items()}
    return form.get("Action", ""), form


def _document(policy: Any) -> str:
    """Return the text of the version in force."""
    return next(str(v.document) for v in policy.versions if v.version_id == policy.default_version_id)


def _tags(tags: Any) -> dict[str, str]:
    listed = tags.values() if isinstance(tags, dict) else tags or []
    return dict(sorted((tag["Key"], tag["Value"]) for tag in listed))
