"""Replace the service user's access key so that one that works is there at every instant (promise P26).

Make the second key → keep it as pending → prove it by assuming the role → promote it in one step → prove what is
configured now → deactivate the old one; it is deleted by the next rotation, or by `finish`. Each step is found again in
the account or in the vault, so a rotation that was interrupted anywhere is gone on with.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from connector.errors import KeyInUse, SetUpUnfit
from connector.provisioning.account.caller import Caller
from connector.provisioning.account.seen import SeenKey, SeenUser
from connector.provisioning.account.waiting import Consistency
from connector.provisioning.keys.access_key import KEYS_BEFORE, MOST_KEYS, UserKeys, describe_key
from connector.provisioning.keys.proof import prove
from connector.provisioning.keys.vault import AccessKey, KeptKeys, KeyVault
from connector.rotation.aws.errors import AwsCall

RETIRED = "cognito-scim-retired-key"
"""The tag that names the key which was replaced, and since when (IAM tells the last use of a key, not who used it)."""
A_DAY = timedelta(days=1)
_NOTICED_LATE = timedelta(minutes=15)
"""How late IAM may note the use of a key, so that our own last use before the switch is not taken for another's."""


class KeyRotationOutcome(StrEnum):
    """How it ended."""

    ROTATED = "rotated"
    FINISHED = "finished"
    """An earlier rotation was brought to its end."""
    NOTHING_PENDING = "nothing pending"


@dataclass(frozen=True, slots=True)
class KeyRotation:
    """What became of the keys.

    Args:
        user: whose they are.
        key_id: the key that is in use.
        deactivated: the key that it replaced, empty if that is still active.
        deleted: a key that is gone.
        notes: what a person should know besides.
    """

    user: str
    outcome: KeyRotationOutcome
    key_id: str
    deactivated: str = ""
    deleted: str = ""
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as one document."""
        told: dict[str, Any] = {"user": self.user, "outcome": self.outcome.value, "key": self.key_id}
        return {
            **told,
            "deactivated": self.deactivated or None,
            "deleted": self.deleted or None,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class RotateKey:
    """The rotation of one key.

    Args:
        caller: who makes and deletes keys.
        vault: where they are kept.
        role_arn: the role that the key assumes.
        region: whose STS is asked.
        consistency: how long IAM is waited for.
        now: the time.
        adopt: whether the user may be one that this program did not make.
    """

    caller: Caller
    vault: KeyVault
    role_arn: str
    region: str
    consistency: Consistency
    now: datetime
    adopt: bool = False

    def rotate(self) -> KeyRotation:
        """Give the user a new key; a rotation that was interrupted is brought to its end instead.

        Raises:
            KeyInUse: the second key is used by something else, so there is no room for a new one.
            SetUpUnfit: no key is configured, the user is not ours, or has two keys that nobody knows.
            SetUpDenied, SetUpUnavailable: what was done stays; running again goes on.
        """
        with self.vault.hold():
            kept, keys = self._begin()
            if kept.pending is None and not self._is_switched(keys.look(), kept):
                deleted = self._make_room(keys)
                keys.make()
                return self._complete(keys, KeyRotationOutcome.ROTATED, deleted)
            return self._complete(keys, KeyRotationOutcome.FINISHED)

    def finish(self) -> KeyRotation:
        """Bring to its end what was begun, and delete the key that was replaced; begin nothing.

        Raises:
            KeyInUse: the replaced key is still used by something else.
        """
        with self.vault.hold():
            kept, keys = self._begin()
            user = keys.look()
            if kept.pending is not None or self._is_switched(user, kept):
                return self._complete(keys, KeyRotationOutcome.FINISHED)
            if KEYS_BEFORE in user.tags:
                keys.without_orphans()
                keys.untag(KEYS_BEFORE)
            deleted = self._delete_retired(keys, keys.look())
            outcome = KeyRotationOutcome.FINISHED if deleted else KeyRotationOutcome.NOTHING_PENDING
            return KeyRotation(keys.user, outcome, _current(kept).key_id, deleted=deleted)

    def _begin(self) -> tuple[KeptKeys, UserKeys]:
        kept = self.vault.read()
        key_id = _current(kept).key_id
        call = AwsCall("iam:GetAccessKeyLastUsed", f"access key {key_id}")
        answer = self.caller.find(call, lambda: self.caller.iam.get_access_key_last_used(AccessKeyId=key_id))
        if answer is None or not answer.get("UserName"):
            raise SetUpUnfit(
                f"Access key {key_id} of {self.vault.name} is of no user in this account.",
                remedy="Sign in to the account of the key, or make another one with: cognito-scim aws apply",
            )
        keys = UserKeys(self.caller, str(answer["UserName"]), self.vault)
        if not keys.look().is_ours and not self.adopt:
            raise SetUpUnfit(
                f"User {keys.user} was not made by this program.", remedy="Have its key rotated with --adopt."
            )
        return kept, keys

    def _is_switched(self, user: SeenUser, kept: KeptKeys) -> bool:
        """Tell whether the key that was replaced is active still: the rotation did not come to its end."""
        retired = user.key(_retired(user)[0])
        return retired is not None and retired.active and retired.key_id != _current(kept).key_id

    def _complete(self, keys: UserKeys, outcome: KeyRotationOutcome, deleted: str = "") -> KeyRotation:
        """Prove what is pending, switch to it, prove it again, and deactivate the old key."""
        kept = self.vault.read()
        if kept.pending is not None:
            self._prove(kept.pending, kept)
            old = _current(kept).key_id
            if old != kept.pending.key_id:
                keys.tag({RETIRED: f"{old} {self.now:%Y-%m-%dT%H:%M:%SZ}"})
            self.vault.promote()
            self.consistency.report(f"Access key {kept.pending.key_id} is in use now.")
        kept = self.vault.read()
        current = _current(kept)
        self._prove(current, kept)
        user = keys.look()
        retired = user.key(_retired(user)[0])
        if retired is None or retired.key_id == current.key_id:
            return KeyRotation(keys.user, outcome, current.key_id, deleted=deleted)
        in_use = self._used_by_others(retired, user)
        if in_use:
            note = (
                f"The old key stays active, for {in_use}. Give that a key of its own, then run"
                " `cognito-scim aws rotate-key --finish`."
            )
            return KeyRotation(keys.user, outcome, current.key_id, deleted=deleted, notes=(note,))
        if retired.active:
            keys.deactivate(retired.key_id)
        note = "It is deleted by the next rotation, or by `cognito-scim aws rotate-key --finish`."
        return KeyRotation(keys.user, outcome, current.key_id, retired.key_id, deleted, (note,))

    def _make_room(self, keys: UserKeys) -> str:
        """Delete the key that the last rotation replaced, if the user has two."""
        user = keys.look()
        if KEYS_BEFORE in user.tags or len(user.keys) < MOST_KEYS:
            return ""
        return self._delete_retired(keys, user)

    def _delete_retired(self, keys: UserKeys, user: SeenUser) -> str:
        retired = user.key(_retired(user)[0])
        if retired is None:
            if RETIRED in user.tags:
                keys.untag(RETIRED)
            return ""
        in_use = self._used_by_others(retired, user)
        if in_use:
            raise KeyInUse(
                f"The old key of user {keys.user} is not removed, for {in_use}.",
                remedy="Give that a key of its own, and run the command again a day after its last use.",
            )
        if retired.active:
            keys.deactivate(retired.key_id)
        keys.delete(retired.key_id)
        self.vault.forget(retired.key_id)
        keys.untag(RETIRED)
        return retired.key_id

    def _used_by_others(self, key: SeenKey, user: SeenUser) -> str:
        """Say what else used a key within a day; we ourselves only ever ask STS of this Region, up to the switch."""
        if key.used is None or self.now - key.used > A_DAY:
            return ""
        switched = _retired(user)[1]
        is_ours = key.service == "sts" and key.region == self.region
        if is_ours and (switched is None or key.used <= switched + _NOTICED_LATE):
            return ""
        return f"something else used it within a day: {describe_key(key)}"

    def _prove(self, key: AccessKey, kept: KeptKeys) -> None:
        self.consistency.report(f"Proving access key {key.key_id} by assuming the role …")
        prove(key, self.role_arn, kept.external_ids.read, region=self.region, consistency=self.consistency)


def _current(kept: KeptKeys) -> AccessKey:
    if kept.current is None:
        raise SetUpUnfit(
            "No access key is configured, so there is none to rotate.", remedy="Make one with: cognito-scim aws apply"
        )
    return kept.current


def _retired(user: SeenUser) -> tuple[str, datetime | None]:
    """Return which key was replaced, and when."""
    key_id, _, at = user.tags.get(RETIRED, "").partition(" ")
    try:
        return key_id, datetime.fromisoformat(at)
    except ValueError:
        return key_id, None
