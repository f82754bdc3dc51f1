"""Take the AWS side away again: exactly what was made for the pool and tagged, access first."""

from collections.abc import Iterator
from dataclasses import dataclass

from connector.provisioning.account.caller import Caller
from connector.provisioning.account.inventory import find_policy, find_profile, find_role, find_user
from connector.provisioning.account.missing_rights import find_lacking_rights
from connector.provisioning.account.seen import SeenPolicy, SeenProfile, SeenRole, SeenUser
from connector.provisioning.account.waiting import Consistency
from connector.provisioning.changes.carry_out import carry_out, refuse, send
from connector.provisioning.changes.plan import Action, IamCall, ObjectChange, Plan
from connector.provisioning.design.arns import PoolArn
from connector.provisioning.design.object_names import Names
from connector.provisioning.keys.vault import KeyVault
from connector.rotation.aws.errors import AwsCall


@dataclass(frozen=True, slots=True)
class TearDown:
    """One tear-down.

    Args:
        caller: who makes it.
        pool: what it was set up for.
        names: what things are called.
        vault: where the keys were kept.
        consistency: reports what is done, and waits after an unclear answer.
    """

    caller: Caller
    pool: PoolArn
    names: Names
    vault: KeyVault
    consistency: Consistency

    def plan(self) -> Plan:
        """Say what would go, in the order in which it can; writes nothing.

        Raises:
            SetUpDenied: something may not be looked at, so nothing can be said.
        """
        self.caller.check_account(self.pool)
        changes = (*self._users(), *self._profiles(), *self._roles(), *self._policies())
        rights = [(action, call.resource) for change in changes for call in change.calls for action in call.actions]
        lacking, unseen = find_lacking_rights(self.caller, rights) if rights else ((), "")
        notes = [note for note in (unseen, f"{self.vault.name}: stays; it names what is gone then.") if note]
        return Plan(changes, lacking, tuple(notes if changes else ()))

    def carry_out(self, agreed: Plan) -> Plan:
        """Remove what was agreed to, and return it.

        Raises:
            SetUpUnfit: something of others stands in the way.
            SetUpUnavailable: what was done stays; running again goes on.
        """
        refuse(agreed)
        return carry_out(agreed, self.plan, self._remove, self.consistency)

    def _remove(self, change: ObjectChange) -> None:
        for call in change.calls:
            send(self.caller, change, call, consistency=self.consistency)
            if call.operation == "DeleteAccessKey":
                self.vault.forget(call.parameters["AccessKeyId"])
        self.consistency.report(f"Removed {change.kind.replace('-', ' ')} {change.name}.")

    def _users(self) -> Iterator[ObjectChange]:
        user = find_user(self.caller, self.names.user)
        if user is None or not user.is_for(str(self.pool)):
            return
        name = self.names.user
        named = {"UserName": name}
        calls = [IamCall("DeleteAccessKey", {**named, "AccessKeyId": key.key_id}, user.arn) for key in user.keys]
        calls += [IamCall("DetachUserPolicy", {**named, "PolicyArn": arn}, user.arn) for arn in user.policies]
        calls += [IamCall("DeleteUserPolicy", {**named, "PolicyName": inline}, user.arn) for inline in user.inline]
        calls += [IamCall("RemoveUserFromGroup", {**named, "GroupName": group}, user.arn) for group in user.groups]
        calls += [IamCall("DeleteLoginProfile", named, user.arn), IamCall("DeleteUser", named, user.arn)]
        with_it = _with_it(user, [f"access key {key.key_id}" for key in user.keys])
        yield ObjectChange("user", name, Action.DELETE, f"Made for this pool{with_it}.", (), tuple(calls))

    def _profiles(self) -> Iterator[ObjectChange]:
        profile = find_profile(self.caller, self.names.host_role)
        if isinstance(profile, SeenProfile) and profile.is_for(str(self.pool)):
            named = {"InstanceProfileName": self.names.host_role}
            calls = [IamCall("DeleteInstanceProfile", named, profile.arn)]
            if profile.role:
                calls.insert(
                    0, IamCall("RemoveRoleFromInstanceProfile", {**named, "RoleName": profile.role}, profile.arn)
                )
            yield ObjectChange(
                "instance-profile", self.names.host_role, Action.DELETE, "Made for this pool.", (), tuple(calls)
            )

    def _roles(self) -> Iterator[ObjectChange]:
        for name in (self.names.role, self.names.rotation_role, self.names.host_role):
            role = find_role(self.caller, name)
            if role is None or not role.is_for(str(self.pool)):
                continue
            named = {"RoleName": name}
            calls = [IamCall("DetachRolePolicy", {**named, "PolicyArn": arn}, role.arn) for arn in role.policies]
            calls += [IamCall("DeleteRolePolicy", {**named, "PolicyName": inline}, role.arn) for inline in role.inline]
            calls.append(IamCall("DeleteRole", named, role.arn))
            yield ObjectChange(
                "role", name, Action.DELETE, f"Made for this pool{_with_it(role, [])}.", (), tuple(calls)
            )

    def _policies(self) -> Iterator[ObjectChange]:
        names = self.names
        ours = {self.pool.iam("user", names.path, names.user), *self._role_arns()}
        for name in (
            *(names.read_policy, names.assume_policy, names.feed_policy),
            *(names.rotation_policy, names.assume_rotation_policy),
        ):
            policy = find_policy(self.caller, self.pool.iam("policy", names.path, name))
            if policy is not None and policy.is_for(str(self.pool)):
                yield self._policy(name, policy, ours)

    def _policy(self, name: str, policy: SeenPolicy, ours: set[str]) -> ObjectChange:
        others = [holder for holder in self._holders(name, policy.arn) if holder not in ours]
        if others:
            blocker = (
                f"Policy {name} is also attached to {', '.join(others)}; detach it there first, so that nobody loses"
                " rights unasked."
            )
            return ObjectChange("policy", name, Action.NONE, "", blocker=blocker)
        named = {"PolicyArn": policy.arn}
        calls = [
            IamCall("DeletePolicyVersion", {**named, "VersionId": version}, policy.arn)
            for version in policy.other_versions
        ]
        calls.append(IamCall("DeletePolicy", named, policy.arn))
        return ObjectChange("policy", name, Action.DELETE, "Made for this pool.", (), tuple(calls))

    def _role_arns(self) -> list[str]:
        names = self.names
        return [self.pool.iam("role", names.path, name) for name in (names.role, names.rotation_role, names.host_role)]

    def _holders(self, name: str, arn: str) -> list[str]:
        """Return who a policy is attached to: ARNs of users and roles, which have the pool's path, and groups."""
        call = AwsCall("iam:ListEntitiesForPolicy", f"policy {name}")
        found = []
        for kind, key in (("User", "PolicyUsers"), ("Role", "PolicyRoles"), ("Group", "PolicyGroups")):
            entities = self.caller.pages(call, key, PolicyArn=arn, EntityFilter=kind)
            found += [self.pool.iam(kind.lower(), self.names.path, entity[f"{kind}Name"]) for entity in entities]
        return found


def _with_it(there: SeenUser | SeenRole, more: list[str]) -> str:
    parts = [*more, *(f"inline policy {name}" for name in there.inline)]
    return f"; with {', '.join(parts)}" if parts else ""
