"""Make an access key so that none is ever left over: its secret part is answered once, and an answer can be lost.

Before a key is made, the user is tagged with the keys that it has. A key that is not among them, nor in the vault, nor
was ever used, is then what an interrupted call made, and is deleted by the next.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError

from connector.errors import KeyInUse, ProvisioningError, SetUpUnfit
from connector.provisioning.account.caller import Caller
from connector.provisioning.account.errors import is_refusal, provisioning_faults
from connector.provisioning.account.inventory import find_user
from connector.provisioning.account.seen import SeenKey, SeenUser
from connector.provisioning.keys.vault import AccessKey, KeptKeys
from connector.rotation.aws.errors import AwsCall
from connector.rotation.model.secret import Secret

KEYS_BEFORE = "cognito-scim-keys-before"
"""The tag that lists the keys of the user while one is being made."""
NO_KEY = "none"
MOST_KEYS = 2
"""Of a user (IAM User Guide, "IAM and STS quotas")."""
_log = logging.getLogger(__name__)


class KeyKeeper(Protocol):
    """What a key is made into: a vault, or whatever else keeps one durably."""

    def read(self) -> KeptKeys:
        """Return what is kept."""

    def stage(self, key: AccessKey) -> None:
        """Keep a new key."""

    def discard_pending(self) -> None:
        """Forget a key that was kept and is not in use yet."""


@dataclass(frozen=True, slots=True)
class UserKeys:
    """The access keys of one user.

    Args:
        caller: who makes and deletes them.
        user: the name of the user.
        vault: where the secret parts are kept.
    """

    caller: Caller
    user: str
    vault: KeyKeeper

    def make(self) -> AccessKey:
        """Return a new key, pending in the vault; one that is pending already is returned instead.

        Raises:
            SetUpUnfit: the user is gone, or has two keys already.
        """
        kept, user = self.vault.read(), self.look()
        if kept.pending is not None:
            if user.key(kept.pending.key_id):
                if KEYS_BEFORE in user.tags:
                    self.untag(KEYS_BEFORE)
                return kept.pending
            self.vault.discard_pending()
        user = self.without_orphans()
        if len(user.keys) >= MOST_KEYS:
            raise _two_keys(self.user, user.keys)
        self.tag({KEYS_BEFORE: " ".join(key.key_id for key in user.keys) or NO_KEY})
        key = self._create()
        try:
            self.vault.stage(key)
        except ProvisioningError:
            self._take_back(key)
            raise
        self.untag(KEYS_BEFORE)
        return key

    def look(self) -> SeenUser:
        """Return the user with its keys.

        Raises:
            SetUpUnfit: there is none.
        """
        user = find_user(self.caller, self.user)
        if user is None:
            raise SetUpUnfit(f"There is no user {self.user}.", remedy="Make it with: cognito-scim aws apply")
        return user

    def deactivate(self, key_id: str) -> None:
        """Let a key sign nothing any more; it can be let in again."""
        self._send("UpdateAccessKey", AccessKeyId=key_id, Status="Inactive")

    def delete(self, key_id: str) -> None:
        """Delete a key; it is not a fault if it is gone already."""
        self._send("DeleteAccessKey", AccessKeyId=key_id)

    def tag(self, tags: Mapping[str, str]) -> None:
        """Tag the user."""
        self._send("TagUser", Tags=[{"Key": key, "Value": value} for key, value in tags.items()])

    def untag(self, *keys: str) -> None:
        """Take tags from the user."""
        self._send("UntagUser", TagKeys=list(keys))

    def without_orphans(self) -> SeenUser:
        """Delete the key that an interrupted call made, and return the user without it.

        Raises:
            KeyInUse: somebody uses it.
        """
        kept, user = self.vault.read(), self.look()
        before = user.tags.get(KEYS_BEFORE)
        if before is None:
            return user
        orphans = [key for key in user.keys if key.key_id not in {*before.split(), *kept.key_ids}]
        for key in orphans:
            if key.used is not None:
                raise KeyInUse(
                    f"Access key {key.key_id} of user {self.user} was made while a set-up was interrupted, and was used"
                    f" since ({key.service}, {key.region}).",
                    remedy="Find out what uses it, then delete the key.",
                )
            _log.info("deleting access key %s, whose secret part never arrived", key.key_id)
            self.delete(key.key_id)
        return self.look() if orphans else user

    def _create(self) -> AccessKey:
        with provisioning_faults(self._call("CreateAccessKey")):
            try:
                made = self.caller.iam.create_access_key(UserName=self.user)["AccessKey"]
            except ClientError as error:
                if is_refusal(error, "LimitExceeded"):
                    raise _two_keys(self.user, self.look().keys) from None
                raise
            return AccessKey(made["AccessKeyId"], Secret(made["SecretAccessKey"]))

    def _take_back(self, key: AccessKey) -> None:
        """Delete a key that could not be kept; where that fails too, the tag tells the next set-up of it."""
        try:
            self.delete(key.key_id)
            self.untag(KEYS_BEFORE)
        except ProvisioningError as error:
            _log.warning("access key %s could not be deleted again: %s", key.key_id, error)

    def _send(self, operation: str, **parameters: Any) -> None:
        with provisioning_faults(self._call(operation)):
            try:
                getattr(self.caller.iam, _METHODS[operation])(UserName=self.user, **parameters)
            except ClientError as error:
                if operation != "DeleteAccessKey" or not is_refusal(error, "NoSuchEntity"):
                    raise

    def _call(self, operation: str) -> AwsCall:
        return AwsCall(f"iam:{operation}", f"user {self.user}", changes=True)


_METHODS = {
    "DeleteAccessKey": "delete_access_key",
    "TagUser": "tag_user",
    "UntagUser": "untag_user",
    "UpdateAccessKey": "update_access_key",
}


def _two_keys(user: str, keys: tuple[SeenKey, ...]) -> SetUpUnfit:
    told = "; ".join(describe_key(key) for key in keys)
    return SetUpUnfit(
        f"User {user} has two access keys already, and IAM allows no third: {told}.",
        remedy="Delete the one that nothing uses: aws iam delete-access-key --user-name "
        f"{user} --access-key-id ID. Then run the command again.",
    )


def describe_key(key: SeenKey) -> str:
    """Say of a key whether it is active and when it was last used."""
    state = "active" if key.active else "inactive"
    if key.used is None:
        return f"{key.key_id} ({state}, never used)"
    return f"{key.key_id} ({state}, last used {key.used:%Y-%m-%d %H:%M} by {key.service} in {key.region})"
