"""Set up the AWS side: look, say what would change, change it, and go on from wherever it was interrupted.

Whatever is done is found in the account by the next look, so nothing is remembered; an unclear answer leads to another
look, never to a second call of the same kind.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from connector.errors import SetUpDenied, SetUpUnfit
from connector.provisioning.account.caller import Caller
from connector.provisioning.account.inventory import Inventory, find_role, find_user, take_inventory
from connector.provisioning.account.missing_rights import find_lacking_rights
from connector.provisioning.account.seen import SeenUser
from connector.provisioning.account.waiting import Consistency
from connector.provisioning.changes.carry_out import carry_out, refuse, send
from connector.provisioning.changes.plan import Action, IamCall, ObjectChange, Plan, compare
from connector.provisioning.design.documents import Document
from connector.provisioning.design.object_names import POOL_TAG, tags_for
from connector.provisioning.design.objects import ExternalIds, SetUpRequest, draw
from connector.provisioning.design.policy_statements import read_statements
from connector.provisioning.design.principals import Existing, ServiceUser
from connector.provisioning.keys.access_key import KEYS_BEFORE, MOST_KEYS, UserKeys, describe_key
from connector.provisioning.keys.proof import prove
from connector.provisioning.keys.vault import KeptKeys, KeyVault, Value

_NOT_MADE_YET = "made-when-it-is-applied"
_RANDOM_BYTES = 24
"""Of an ExternalId: 192 bits."""
_TRUSTING = {"CreateRole", "UpdateAssumeRolePolicy"}


@dataclass(frozen=True)
class SetUp:
    """One set-up.

    Args:
        caller: who makes it.
        wishes: what is to be.
        vault: where key and ExternalIds go.
        consistency: how long IAM is waited for.
        adopt: whether objects may be changed that this program did not make.
        sts_region: the Region whose STS proves the key; empty means the pool's.
    """

    caller: Caller
    wishes: SetUpRequest
    vault: KeyVault
    consistency: Consistency
    adopt: bool = False
    sts_region: str = ""

    @cached_property
    def tags(self) -> Mapping[str, str]:
        """The tags of everything that is made."""
        return tags_for(str(self.wishes.pool))

    def plan(self) -> Plan:
        """Say what would change; writes nothing.

        Raises:
            SetUpUnfit: another account, no such pool, a principal that does not exist.
            SetUpUnavailable, SetUpDenied: nothing can be said.
        """
        pool_unseen = self.caller.check_pool(self.wishes.pool)
        self._check_principal()
        kept = self.vault.read()
        external_ids = self._external_ids(kept)
        wanted = draw(self.wishes, external_ids)
        inventory = take_inventory(self.caller, wanted)
        hidden = (external_ids.read, external_ids.rotation)
        changes = [*compare(wanted, inventory, self.tags, adopt=self.adopt, secrets=hidden)]
        changes += [*self._key_change(kept, inventory), *self._configuration_change(kept)]
        rights = [(action, call.resource) for change in changes for call in change.calls for action in call.actions]
        unreadable = [str(denied) for denied in inventory.unread.values()]
        lacking, rights_unseen = find_lacking_rights(self.caller, rights) if rights else ((), "")
        notes = [note for note in (pool_unseen, rights_unseen, self._note_for_others()) if note]
        return Plan(tuple(changes), lacking, (*notes, *unreadable))

    def carry_out(self, agreed: Plan) -> Plan:
        """Make the changes that were agreed to, and return them.

        Raises:
            SetUpDenied: the caller lacks rights; nothing was changed, unless they ended in the middle.
            SetUpUnfit: something stands in the way.
            SetUpUnavailable: what was done stays; running again goes on.
        """
        refuse(agreed)
        with self.vault.hold():
            self.vault.keep_external_ids(self._make_external_ids())
            return carry_out(agreed, self.plan, self._make, self.consistency)

    def _make(self, change: ObjectChange) -> None:
        if change.kind == "access-key":
            UserKeys(self.caller, self.wishes.names.user, self.vault).make()
        elif change.kind == "configuration":
            self._configure()
        else:
            for call in change.calls:
                waits = call.operation in _TRUSTING and not isinstance(self.wishes.principal, Existing)
                principal = self.wishes.principal_arn if waits else ""
                send(self.caller, change, call, consistency=self.consistency, principal=principal)
        done = {Action.CREATE: "made", Action.UPDATE: "changed"}[change.action]
        self.consistency.report(f"{done.capitalize()} {change.kind.replace('-', ' ')} {change.name}.")

    def _configure(self) -> None:
        """Configure the connector; the key comes last, when the role can be assumed with it."""
        self.vault.configure(self._configuration(self.vault.read()))
        kept = self.vault.read()
        if isinstance(self.wishes.principal, ServiceUser) and kept.pending is not None:
            self.consistency.report("Proving the access key by assuming the role …")
            self._prove(kept)
            self.vault.promote()

    def _prove(self, kept: KeptKeys) -> None:
        key = kept.pending or kept.current
        if key is not None:
            region = self.sts_region or self.wishes.pool.region
            role, external_id = self.wishes.role_arn, kept.external_ids.read
            prove(key, role, external_id, region=region, consistency=self.consistency)

    def _external_ids(self, kept: KeptKeys) -> ExternalIds:
        """Return those that are kept, else those that our roles ask for, else what stands for new ones."""
        return ExternalIds(
            self._external_id(kept.external_ids.read, self.wishes.names.role) or _NOT_MADE_YET,
            (self._external_id(kept.external_ids.rotation, self.wishes.names.rotation_role) or _NOT_MADE_YET)
            if self.wishes.rotation
            else "",
        )

    def _make_external_ids(self) -> ExternalIds:
        known = self._external_ids(self.vault.read())
        read, rotation = (
            secrets.token_urlsafe(_RANDOM_BYTES) if external_id == _NOT_MADE_YET else external_id
            for external_id in (known.read, known.rotation)
        )
        return ExternalIds(read, rotation)

    def _external_id(self, kept: str, role_name: str) -> str:
        if kept:
            return kept
        try:
            role = find_role(self.caller, role_name)
        except SetUpDenied:
            return ""
        fits = role is not None and (self.adopt or role.is_for(self.tags[POOL_TAG]))
        return external_id_of(role.trust) if role is not None and fits else ""

    def _key_change(self, kept: KeptKeys, inventory: Inventory) -> Iterator[ObjectChange]:
        if not isinstance(self.wishes.principal, ServiceUser):
            return
        name, arn = self.wishes.names.user, self.wishes.principal_arn
        user = inventory.found.get(arn)
        there = user if isinstance(user, SeenUser) else None
        held = there.key(kept.current.key_id) if there and kept.current else None
        if held and held.active:
            yield ObjectChange("access-key", name, Action.NONE, f"{held.key_id} is in {self.vault.name}.")
        elif held:
            blocker = (
                f"Access key {held.key_id}, which {self.vault.name} holds, is inactive; activate it"
                f" (aws iam update-access-key --user-name {name} --access-key-id {held.key_id} --status Active),"
                " or take it out there."
            )
            yield ObjectChange("access-key", name, Action.NONE, "", blocker=blocker)
        else:
            yield self._new_key(kept, there)

    def _new_key(self, kept: KeptKeys, there: SeenUser | None) -> ObjectChange:
        name, arn = self.wishes.names.user, self.wishes.principal_arn
        detail = f"For user {name}; it goes into {self.vault.name}."
        calls = (
            IamCall("TagUser", {}, arn),
            IamCall("CreateAccessKey", {}, arn),
            IamCall("UntagUser", {}, arn),
        )
        blocker = ""
        if there is not None and not there.is_for(self.tags[POOL_TAG]) and not self.adopt:
            blocker = f"User {name} is there, and this program did not make it; with --adopt it is given a key."
        elif there is not None and len(there.keys) >= MOST_KEYS and not _is_under_way(there, kept):
            told = "; ".join(describe_key(key) for key in there.keys)
            blocker = (
                f"User {name} has two access keys already, and {self.vault.name} holds neither: {told}. Delete the one"
                f" that nothing uses: aws iam delete-access-key --user-name {name} --access-key-id ID."
            )
        return ObjectChange("access-key", name, Action.NONE if blocker else Action.CREATE, detail, (), calls, blocker)

    def _configuration(self, kept: KeptKeys) -> dict[str, Value]:
        """Return what the connector is to be configured with; nobody is taken from the list of who may be rotated."""
        pool, wishes, rotation = self.wishes.pool, self.wishes, self.wishes.rotation
        values: dict[str, Value] = {
            "cognito.region": pool.region,
            "cognito.user_pool_id": pool.pool_id,
            "aws.role_arn": wishes.role_arn,
        }
        if not rotation:
            return values
        allowed = kept.configuration.get("rotation.allow", [])
        names = dict.fromkeys([*allowed, *rotation.pool_accounts, *rotation.iam_users])
        return {**values, "rotation.role_arn": wishes.rotation_role_arn, "rotation.allow": list(names)}

    def _configuration_change(self, kept: KeptKeys) -> Iterator[ObjectChange]:
        wanted = self._configuration(kept)
        differing = [key for key, value in wanted.items() if kept.configuration.get(key, "") != value]
        has_key = not isinstance(self.wishes.principal, ServiceUser) or (kept.current and not kept.pending)
        if not differing and has_key and kept.external_ids.read:
            yield ObjectChange("configuration", self.vault.name, Action.NONE, "It says so already.")
            return
        detail = f"Sets {', '.join(differing)}." if differing else "Names the access key and the ExternalId."
        made = Action.UPDATE if kept.configuration else Action.CREATE
        yield ObjectChange("configuration", self.vault.name, made, detail)

    def _check_principal(self) -> None:
        """See that an existing principal is really there; else IAM would answer "Invalid principal" for ever."""
        match self.wishes.principal:
            case Existing(arn) if arn.account == self.wishes.pool.account:
                try:
                    look = find_user if arn.kind == "user" else find_role
                    there = look(self.caller, arn.name)
                except SetUpDenied:
                    return
                if there is None or there.arn != str(arn):
                    raise SetUpUnfit(
                        f"There is no {arn.kind} {arn}, which is to be trusted.",
                        remedy="Check the ARN; it may have been deleted, or have another path.",
                    )

    def _note_for_others(self) -> str:
        match self.wishes.principal:
            case Existing(arn) if arn.account != self.wishes.pool.account:
                return (
                    f"{arn} is of another account: its administrator has to allow it sts:AssumeRole on"
                    f" {self.wishes.role_arn}."
                )
        return ""


def _is_under_way(user: SeenUser, kept: KeptKeys) -> bool:
    """Tell whether one of the user's keys is what an interrupted set-up made."""
    return KEYS_BEFORE in user.tags or bool(kept.pending and user.key(kept.pending.key_id))


def external_id_of(trust: Document) -> str:
    """Return the one ExternalId that a trust policy asks for, empty if it asks for none or several."""
    asked = {
        value
        for statement in read_statements(trust)
        for condition in statement.conditions
        if condition.key.lower() == "sts:externalid" and condition.operator == "StringEquals"
        for value in condition.values
    }
    return asked.pop() if len(asked) == 1 else ""
