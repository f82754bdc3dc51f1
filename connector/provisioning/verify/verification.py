"""Look at the AWS side as the administrator does, and say what is not as it should be.

It needs reads of IAM that the connector's own role must not have.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connector.errors import ProvisioningError, SetUpDenied
from connector.provisioning.account.caller import Caller
from connector.provisioning.account.inventory import find_policy, find_role, find_user
from connector.provisioning.account.missing_rights import simulate
from connector.provisioning.account.seen import SeenRole, SeenUser
from connector.provisioning.design.arns import PoolArn, parse_iam_arn
from connector.provisioning.design.documents import FEED_ACTIONS, READ_ACTIONS, Document
from connector.provisioning.design.object_names import MANAGED_BY, THIS_PROGRAM
from connector.provisioning.design.policy_statements import read_statements
from connector.provisioning.verify.findings import APPLY, APPLY_ROTATION, Finding, Severity, in_order
from connector.provisioning.verify.rights import Needed, judge_rights
from connector.provisioning.verify.rotation_rights import rotation_needs
from connector.provisioning.verify.trust import judge_trust
from connector.provisioning.verify.user_keys import judge_user
from connector.rotation.aws.errors import AwsCall


@dataclass(frozen=True, slots=True)
class Expected:
    """How it should be.

    Args:
        pool: the pool that is read.
        role_arn: the role that reads it.
        principal_arn: who should be trusted; empty where the trust policy alone says it.
        external_id: what the role should ask for; empty where it is not known here.
        key_id: the key that the connector signs with; empty where it has none, or it is not known here.
        session_seconds: how long a session is asked for.
        queue_arn: the queue of the change feed, if there is one.
        rotation_role_arn: the role that rotates, if there is one.
        rotation_external_id: what that should ask for.
    """

    pool: PoolArn
    role_arn: str
    principal_arn: str = ""
    external_id: str = field(default="", repr=False)
    key_id: str = ""
    session_seconds: int = 3600
    queue_arn: str = ""
    rotation_role_arn: str = ""
    rotation_external_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SetUpVerification:
    """One look.

    Args:
        caller: who looks.
        expected: how it should be.
        now: the time.
    """

    caller: Caller
    expected: Expected
    now: datetime

    def findings(self) -> tuple[Finding, ...]:
        """Return what is not as it should be, the worst first; what may not be looked at is a finding too.

        Raises:
            SetUpUnfit: the caller is in another account.
            SetUpUnavailable: AWS cannot be reached.
        """
        self.caller.check_account(self.expected.pool)
        found: list[Finding] = []
        for look in (self._role, self._rotation_role, self._user, self._root, self._effect):
            found += self._tolerant(look())
        return in_order(found)

    def _tolerant(self, looked: Iterator[Finding]) -> Iterator[Finding]:
        try:
            yield from looked
        except SetUpDenied as denied:
            yield Finding("not_seen", Severity.WARNING, denied.message, denied.remedy)

    def _role(self) -> Iterator[Finding]:
        arn = parse_iam_arn(self.expected.role_arn)
        name = arn.name if arn else self.expected.role_arn.rpartition("/")[2]
        role = find_role(self.caller, name)
        if role is None or role.arn != self.expected.role_arn:
            yield Finding("role_missing", Severity.ERROR, f"There is no role {self.expected.role_arn}.", APPLY)
            return
        what = f"Role {name}"
        expected = self.expected
        yield from judge_trust(role, name=what, principal_arn=self._principal(), external_id=expected.external_id)
        documents = self._documents("role", name, role)
        yield from judge_rights(what, self._needs_of_role(), documents)
        yield from _boundary(what, role.boundary)
        if role.session_seconds < expected.session_seconds:
            detail = (
                f"Sessions of {name} last {role.session_seconds} seconds, and aws.session_duration asks for"
                f" {expected.session_seconds}."
            )
            yield Finding("session_too_short", Severity.ERROR, detail, APPLY)
        if role.tags.get(MANAGED_BY) != THIS_PROGRAM:
            detail = f"{what} was not made by this program, so apply does not change it."
            yield Finding("not_ours", Severity.NOTE, detail, f"{APPLY} --adopt")

    def _rotation_role(self) -> Iterator[Finding]:
        """Look who may assume the role that rotates, and what it may do."""
        expected = self.expected
        if not expected.rotation_role_arn:
            return
        name = expected.rotation_role_arn.rpartition("/")[2]
        role = find_role(self.caller, name)
        if role is None or role.arn != expected.rotation_role_arn:
            detail = f"There is no role {expected.rotation_role_arn}."
            yield Finding("role_missing", Severity.ERROR, detail, APPLY_ROTATION)
            return
        yield from judge_trust(
            role,
            name=f"Role {name}",
            principal_arn=self._principal(),
            external_id=expected.rotation_external_id,
            remedy=APPLY_ROTATION,
        )
        documents = self._documents("role", name, role, APPLY_ROTATION)
        needed = rotation_needs(documents.values(), str(expected.pool))
        yield from judge_rights(f"Role {name}", needed, documents, APPLY_ROTATION)
        yield from _boundary(f"Role {name}", role.boundary)

    def _principal(self) -> str:
        """Return who should be trusted: whoever owns the configured key, if there is one."""
        user = self._key_owner()
        if not user or self.expected.principal_arn:
            return self.expected.principal_arn
        there = find_user(self.caller, user)
        return there.arn if there else ""

    def _needs_of_role(self) -> tuple[Needed, ...]:
        expected = self.expected
        reads = Needed(READ_ACTIONS, str(expected.pool))
        return (reads, Needed(FEED_ACTIONS, expected.queue_arn)) if expected.queue_arn else (reads,)

    def _user(self) -> Iterator[Finding]:
        principal = parse_iam_arn(self.expected.principal_arn)
        name = self._key_owner() or (principal.name if principal and principal.kind == "user" else "")
        if not name:
            return
        user = find_user(self.caller, name)
        if user is None:
            yield Finding("user_missing", Severity.ERROR, f"There is no user {name}.", APPLY)
            return
        profile = self.caller.find(
            AwsCall("iam:GetLoginProfile", f"user {name}"),
            lambda: self.caller.iam.get_login_profile(UserName=name),
        )
        yield from judge_user(
            user, name=name, key_id=self.expected.key_id, has_password=profile is not None, now=self.now
        )
        needed = (Needed(("sts:AssumeRole",), self.expected.role_arn), *self._other_roles(user))
        yield from judge_rights(f"User {name}", needed, self._documents("user", name, user))
        yield from _boundary(f"User {name}", user.boundary)

    def _key_owner(self) -> str:
        """Return whose key the configuration holds, empty if it holds none or AWS knows it not."""
        key_id = self.expected.key_id
        if not key_id:
            return ""
        call = AwsCall("iam:GetAccessKeyLastUsed", f"access key {key_id}")
        try:
            answer = self.caller.find(call, lambda: self.caller.iam.get_access_key_last_used(AccessKeyId=key_id))
        except SetUpDenied:
            return ""
        return str(answer.get("UserName", "")) if answer else ""

    def _other_roles(self, user: SeenUser) -> Iterator[Needed]:
        """Yield the role that rotates, where a policy that this program made lets the user assume it."""
        for arn in user.policies:
            policy = find_policy(self.caller, arn)
            if policy is not None and policy.is_for(str(self.expected.pool)):
                for statement in read_statements(policy.document):
                    for resource in statement.resources - {self.expected.role_arn}:
                        if statement.actions == {"sts:assumerole"} and ":role/" in resource and "*" not in resource:
                            yield Needed(("sts:AssumeRole",), resource)

    def _root(self) -> Iterator[Finding]:
        call = AwsCall("iam:GetAccountSummary", "the account")
        summary = self.caller.ask(call, self.caller.iam.get_account_summary)["SummaryMap"]
        if summary.get("AccountAccessKeysPresent"):
            detail = "The root user of the account has an access key, which no policy limits."
            remedy = "Sign in as root and delete it (My security credentials, Access keys)."
            yield Finding("root_key", Severity.ERROR, detail, remedy)

    def _effect(self) -> Iterator[Finding]:
        """Ask IAM what it makes of all policies together, boundaries and those of the organisation included."""
        expected = self.expected
        try:
            results = list(simulate(self.caller, expected.role_arn, READ_ACTIONS, str(expected.pool)))
        except ProvisioningError as error:
            detail = f"Whether a boundary or the organisation forbids something was not seen: {error.message}"
            yield Finding("effect_not_seen", Severity.NOTE, detail, error.remedy)
            return
        for result in results:
            if not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True):
                detail = f"A service control policy of the organisation forbids {result['EvalActionName']} to the role."
                remedy = "Have it allowed by whoever keeps the policies of the organisation."
                yield Finding("forbidden_by_organisation", Severity.ERROR, detail, remedy)
            elif not result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary", True):
                detail = f"The permissions boundary of the role does not allow {result['EvalActionName']}."
                name = expected.role_arn.rpartition("/")[2]
                remedy = f"aws iam delete-role-permissions-boundary --role-name {name}, or widen it"
                yield Finding("forbidden_by_boundary", Severity.ERROR, detail, remedy)

    def _documents(self, kind: str, name: str, holder: SeenRole | SeenUser, mend: str = APPLY) -> dict[str, Document]:
        """Return the policies of a user or role, by the command that takes each away, or mends our own."""
        documents: dict[str, Document] = {}
        for arn in holder.policies:
            policy = find_policy(self.caller, arn)
            if policy is None:
                continue
            detach = f"aws iam detach-{kind}-policy --{kind}-name {name} --policy-arn {arn}"
            ours = policy.is_for(str(self.expected.pool))
            documents[f"{mend} (policy {arn.rpartition('/')[2]})" if ours else detach] = policy.document
        for inline in holder.inline:
            delete = f"aws iam delete-{kind}-policy --{kind}-name {name} --policy-name {inline}"
            documents[delete] = self._inline(kind, name, inline)
        return documents

    def _inline(self, kind: str, name: str, inline: str) -> Document:
        iam, action = self.caller.iam, f"iam:Get{kind.capitalize()}Policy"
        call = AwsCall(action, f"{kind} {name}")
        if kind == "role":
            told: Any = self.caller.ask(call, lambda: iam.get_role_policy(RoleName=name, PolicyName=inline))
        else:
            told = self.caller.ask(call, lambda: iam.get_user_policy(UserName=name, PolicyName=inline))
        document: Any = told["PolicyDocument"]
        return document if isinstance(document, dict) else {}


def _boundary(what: str, boundary: str) -> Iterator[Finding]:
    if boundary:
        detail = f"{what} has a permissions boundary, {boundary}, which limits what its policies allow."
        yield Finding("boundary", Severity.NOTE, detail, "See that it allows what the policies do.")
