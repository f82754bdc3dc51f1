"""Keeper SaaS plugin: rotate the console password of an IAM user, and say what of it could be verified."""

from typing import Any

from kdnrm.exceptions import SaasException
from kdnrm.saas_plugins import SaasPluginBase
from kdnrm.saas_type import ReturnCustomField, SaasConfigItem
from kdnrm.secret import Secret as KeeperSecret

from connector.rotation.model.allowed import EVERYONE
from connector.rotation.targets.iam_user import IamUser
from deploy.keeper.source.common import Change, find_region, open_door, read_passwords, read_text, told_to_keeper


class SaasPlugin(SaasPluginBase):
    """UpdateLoginProfile, after the account's password policy was looked up; IAM offers no sign-in to prove it with."""

    name = "AWS IAM User"
    summary = "Rotate the console password of an IAM user."
    readme = "README.md"
    author = "cognito-scim"
    email = "cognito-scim@example.com"

    def __init__(
        self,
        user: Any,
        config_record: Any,
        provider_config: Any = None,
        force_fail: bool = False,  # noqa: FBT001, FBT002 - the Gateway's signature
    ) -> None:
        super().__init__(user, config_record, provider_config, force_fail)
        self._change: Change | None = None

    @classmethod
    def requirements(cls) -> list[str]:
        """Return what the Gateway installs."""
        return ["boto3"]

    @classmethod
    def config_schema(cls) -> list[SaasConfigItem]:
        """Return the fields of the configuration record, with the labels of Keeper's own plugin."""
        return [
            SaasConfigItem(
                id="aws_access_key_id",
                label="AWS Access Key ID",
                desc="AWS Access Key ID.",
                is_secret=True,
                required=True,
            ),
            SaasConfigItem(
                id="aws_secret_access_key",
                label="AWS Secret Access Key",
                desc="AWS Secret Access Key.",
                is_secret=True,
                required=True,
            ),
            SaasConfigItem(
                id="cloud_region",
                label="Cloud Region",
                desc="Cloud Region.",
                required=True,
            ),
        ]

    @property
    def can_rollback(self) -> bool:
        """Whether the prior password is known and the account would take it again: it must not prevent reuse."""
        try:
            return self._password_change().can_be_undone()
        except SaasException:
            return False

    def change_password(self) -> None:
        """Set the Gateway's new password, for good."""
        change = self._password_change()
        with told_to_keeper():
            change.make()
            account = self._target().account()
        value = KeeperSecret(account.alias or account.number)
        self.add_return_field(ReturnCustomField(label="account_id_or_alias", type="secret", value=value))

    def rollback_password(self) -> None:
        """Make the prior password the password again; or say that nobody can tell which one is live."""
        change = self._password_change()
        with told_to_keeper():
            change.undo()

    def _password_change(self) -> Change:
        if self._change is None:
            new, prior = read_passwords(self.user)
            self._change = Change(self._target(), new=new, prior=prior)
        return self._change

    def _target(self) -> IamUser:
        region = find_region(self.get_config, self.provider_config)
        door = open_door(self.get_config, self.provider_config, region or "us-east-1")
        username = read_text(self.user.username)
        if username is None:
            raise SaasException("The login of the PAM User record is blank.")
        return IamUser(door.iam(), door.sts(), username=username, allowed=EVERYONE)
