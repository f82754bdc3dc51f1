"""Compare what should be with what is there, and say what would change: pure, and each call to IAM as plain data.

What this program did not make is left alone unless it is adopted: an object without its tag, or with that of another
pool.
"""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from connector.provisioning.account.inventory import Inventory
from connector.provisioning.account.seen import Seen, SeenPolicy, SeenProfile, SeenRole, SeenUser
from connector.provisioning.design.documents import Document, in_json
from connector.provisioning.design.object_names import MANAGED_BY, POOL_TAG
from connector.provisioning.design.objects import InstanceProfile, Policy, Role, User, Wanted
from connector.provisioning.design.policy_statements import same_meaning

MOST_VERSIONS = 5
"""Of a managed policy (IAM User Guide, "IAM and STS quotas")."""


class Action(StrEnum):
    """What happens to an object."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class IamCall:
    """One call to IAM.

    Args:
        operation: as the API names it.
        parameters: as boto3 takes them; a trust policy among them holds the ExternalId.
        resource: the ARN that IAM asks the right for.
        tags: whether it also needs the right to tag (iam:TagRole and the like).
    """

    operation: str
    parameters: Mapping[str, Any] = field(repr=False)
    resource: str
    tags: str = ""

    @property
    def actions(self) -> tuple[str, ...]:
        """The rights that it needs."""
        return (f"iam:{self.operation}", *((f"iam:{self.tags}",) if self.tags else ()))


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """What becomes of one object.

    Args:
        kind: `policy`, `role`, `user`, `instance-profile`, `access-key`, …
        name: of the object.
        detail: why, in a sentence or two.
        difference: lines of documents that go (-) and come (+).
        calls: what is asked of IAM, in order.
        blocker: why it cannot be done, empty if it can.
    """

    kind: str
    name: str
    action: Action
    detail: str
    difference: tuple[str, ...] = ()
    calls: tuple[IamCall, ...] = ()
    blocker: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as the contract says."""
        told: dict[str, Any] = {
            "kind": self.kind,
            "name": self.name,
            "action": self.action.value,
            "detail": self.blocker or self.detail,
        }
        return {**told, "difference": list(self.difference)} if self.difference else told


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes, in the order in which they are made.

    Args:
        lacking: rights that the caller needs and does not have.
        notes: what a person should know besides, a sentence each.
    """

    changes: tuple[ObjectChange, ...]
    lacking: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def pending(self) -> tuple[ObjectChange, ...]:
        """The changes that change something."""
        return tuple(change for change in self.changes if change.action is not Action.NONE)

    @property
    def blockers(self) -> tuple[str, ...]:
        """Why the plan cannot be carried out."""
        return tuple(change.blocker for change in self.changes if change.blocker)

    def as_json(self) -> dict[str, Any]:
        """Return it as the contract says."""
        return {
            "changes": [change.as_json() for change in self.changes],
            "lacking": list(self.lacking),
            "notes": list(self.notes),
        }


def compare(
    wanted: Iterable[Wanted], inventory: Inventory, tags: Mapping[str, str], *, adopt: bool, secrets: Sequence[str] = ()
) -> Iterator[ObjectChange]:
    """Yield what becomes of each wanted object.

    Args:
        wanted: in the order in which they can be made.
        inventory: what is there.
        tags: of everything that is made.
        adopt: whether to change what others made, and to tag it as ours.
        secrets: ExternalIds, which no difference shows.
    """
    mask = _Mask(secrets)
    for one in wanted:
        denied = inventory.unread.get(one.arn)
        if denied is not None:
            kind = _KINDS[type(one)]
            blocker = f"{_title(kind, one.name)} could not be looked at: {denied.message}"
            yield ObjectChange(kind, one.name, Action.NONE, "", blocker=blocker)
            continue
        there = inventory.found.get(one.arn)
        yield _create(one, tags, mask) if there is None else _update(one, there, tags, mask, adopt=adopt)


class _Mask:
    """Hides ExternalIds in the text of documents; one that only AWS knows is hidden by its key."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = [secret for secret in secrets if secret]

    def lines(self, document: Document) -> list[str]:
        return json.dumps(self._hidden(document), indent=2, sort_keys=True).splitlines()

    def _hidden(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: self._hidden(part, name) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return [self._hidden(part, key) for part in value]
        if key.lower() == "sts:externalid":
            return "<the ExternalId>" if value in self._secrets else "<another ExternalId>"
        return value


def _create(one: Wanted, tags: Mapping[str, str], mask: _Mask) -> ObjectChange:
    kind, tagged = _KINDS[type(one)], [{"Key": key, "Value": value} for key, value in tags.items()]
    path = _path(one.arn)
    match one:
        case Policy(name, arn, document, purpose):
            content = {"PolicyName": name, "Path": path, "PolicyDocument": in_json(document), "Description": purpose}
            calls = [IamCall("CreatePolicy", {**content, "Tags": tagged}, arn, tags="TagPolicy")]
            return ObjectChange(kind, name, Action.CREATE, f"{purpose}.", _added(mask.lines(document)), tuple(calls))
        case User(name, arn, policies):
            calls = [IamCall("CreateUser", {"UserName": name, "Path": path, "Tags": tagged}, arn, tags="TagUser")]
            calls += _attach_to_user(one, policies)
            return ObjectChange(kind, name, Action.CREATE, _holding("No password.", policies), (), tuple(calls))
        case Role(name, arn, trust, policies, purpose, seconds):
            made = {
                "RoleName": name,
                "Path": path,
                "AssumeRolePolicyDocument": in_json(trust),
                "Description": purpose,
                "MaxSessionDuration": seconds,
                "Tags": tagged,
            }
            calls = [IamCall("CreateRole", made, arn, tags="TagRole"), *_attach_to_role(one, policies)]
            detail = _holding(f"{purpose}.", policies)
            return ObjectChange(kind, name, Action.CREATE, detail, _added(mask.lines(trust)), tuple(calls))
        case InstanceProfile(name, arn):
            profile = {"InstanceProfileName": name, "Path": path, "Tags": tagged}
            calls = [IamCall("CreateInstanceProfile", profile, arn, tags="TagInstanceProfile"), _fill(one)]
            return ObjectChange(kind, name, Action.CREATE, "Gives EC2 instances the role.", (), tuple(calls))


def _update(one: Wanted, there: Seen, tags: Mapping[str, str], mask: _Mask, *, adopt: bool) -> ObjectChange:
    kind = _KINDS[type(one)]
    if there.arn != one.arn:
        blocker = f"{_title(kind, one.name)} is there under another path, {there.arn}; say so with --path."
        return ObjectChange(kind, one.name, Action.NONE, "", blocker=blocker)
    edits = list(_edits(one, there, mask))
    is_ours = there.is_for(tags[POOL_TAG])
    if not is_ours and adopt:
        edits.append(_Edit("It is adopted: tagged as ours.", (), (_tag(one, tags),)))
    detail = " ".join(edit.detail for edit in edits) or ("It is as it should be." if is_ours else _FITS)
    difference = tuple(line for edit in edits for line in edit.difference)
    if edits and not is_ours and not adopt:
        return ObjectChange(
            kind, one.name, Action.NONE, detail, difference, blocker=_not_ours(kind, one, there, detail)
        )
    calls = tuple(call for edit in edits for call in edit.calls)
    return ObjectChange(kind, one.name, Action.UPDATE if calls else Action.NONE, detail, difference, calls)


_FITS = "It is as it should be, though this program did not make it."


def _not_ours(kind: str, one: Wanted, there: Seen, detail: str) -> str:
    what = _title(kind, one.name)
    if there.is_ours:
        return (
            f"{what} was made for another pool ({there.tags.get(POOL_TAG, 'which its tags do not name')});"
            " take other names with --prefix."
        )
    made_by = there.tags.get(MANAGED_BY)
    by = f" (it is tagged {MANAGED_BY}={made_by})" if made_by else ""
    return (
        f"{what} is there, and this program did not make it{by}. It would be changed: {detail}"
        " Take other names with --prefix, or have it changed with --adopt."
    )


@dataclass(frozen=True, slots=True)
class _Edit:
    detail: str
    difference: tuple[str, ...]
    calls: tuple[IamCall, ...]


def _edits(one: Wanted, there: Seen, mask: _Mask) -> Iterator[_Edit]:
    match one, there:
        case Policy(), SeenPolicy():
            yield from _policy_edits(one, there, mask)
        case Role(), SeenRole():
            yield from _role_edits(one, there, mask)
        case User(), SeenUser():
            missing = [arn for arn in one.policies if arn not in there.policies]
            if missing:
                yield _Edit(f"It lacks {_names(missing)}.", (), tuple(_attach_to_user(one, missing)))
        case InstanceProfile(), SeenProfile():
            if not there.role:
                yield _Edit("It gives no role.", (), (_fill(one),))


def _policy_edits(one: Policy, there: SeenPolicy, mask: _Mask) -> Iterator[_Edit]:
    if same_meaning(one.document, there.document):
        return
    calls = []
    if len(there.other_versions) >= MOST_VERSIONS - 1:  # one more is refused, so the oldest goes
        oldest = {"PolicyArn": one.arn, "VersionId": there.other_versions[0]}
        calls.append(IamCall("DeletePolicyVersion", oldest, one.arn))
    version = {"PolicyArn": one.arn, "PolicyDocument": in_json(one.document), "SetAsDefault": True}
    calls.append(IamCall("CreatePolicyVersion", version, one.arn))
    difference = _difference(mask.lines(there.document), mask.lines(one.document))
    yield _Edit("It allows something else than it should.", difference, tuple(calls))


def _role_edits(one: Role, there: SeenRole, mask: _Mask) -> Iterator[_Edit]:
    if not same_meaning(one.trust, there.trust):
        update = {"RoleName": one.name, "PolicyDocument": in_json(one.trust)}
        difference = _difference(mask.lines(there.trust), mask.lines(one.trust))
        calls = (IamCall("UpdateAssumeRolePolicy", update, one.arn),)
        yield _Edit("It trusts others, or on other conditions, than it should.", difference, calls)
    missing = [arn for arn in one.policies if arn not in there.policies]
    if missing:
        yield _Edit(f"It lacks {_names(missing)}.", (), tuple(_attach_to_role(one, missing)))
    if there.session_seconds < one.session_seconds:
        longer = {"RoleName": one.name, "MaxSessionDuration": one.session_seconds}
        detail = f"Its sessions end after {there.session_seconds} seconds, {one.session_seconds} are asked for."
        yield _Edit(detail, (), (IamCall("UpdateRole", longer, one.arn),))


def _attach_to_user(user: User, policies: Iterable[str]) -> list[IamCall]:
    return [IamCall("AttachUserPolicy", {"UserName": user.name, "PolicyArn": arn}, user.arn) for arn in policies]


def _attach_to_role(role: Role, policies: Iterable[str]) -> list[IamCall]:
    return [IamCall("AttachRolePolicy", {"RoleName": role.name, "PolicyArn": arn}, role.arn) for arn in policies]


def _fill(profile: InstanceProfile) -> IamCall:
    filled = {"InstanceProfileName": profile.name, "RoleName": profile.name}
    return IamCall("AddRoleToInstanceProfile", filled, profile.arn)


def _tag(one: Wanted, tags: Mapping[str, str]) -> IamCall:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    match one:
        case Policy(_, arn):
            return IamCall("TagPolicy", {"PolicyArn": arn, "Tags": listed}, arn)
        case User(name, arn):
            return IamCall("TagUser", {"UserName": name, "Tags": listed}, arn)
        case Role(name, arn):
            return IamCall("TagRole", {"RoleName": name, "Tags": listed}, arn)
        case InstanceProfile(name, arn):
            return IamCall("TagInstanceProfile", {"InstanceProfileName": name, "Tags": listed}, arn)


def _path(arn: str) -> str:
    middle = arn.rpartition(":")[2].split("/")[1:-1]
    return "/" + "".join(f"{part}/" for part in middle)


def _added(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"+ {line}" for line in lines)


def _difference(before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    return tuple(line for line in difflib.ndiff(before, after) if not line.startswith("?"))


def _names(arns: Iterable[str]) -> str:
    return ", ".join(arn.rpartition("/")[2] for arn in arns)


def _holding(detail: str, policies: Sequence[str]) -> str:
    return f"{detail} Holds {_names(policies)}." if policies else detail


def _title(kind: str, name: str) -> str:
    return f"{kind.replace('-', ' ').capitalize()} {name}"


_KINDS: Mapping[type, str] = {Policy: "policy", Role: "role", User: "user", InstanceProfile: "instance-profile"}
