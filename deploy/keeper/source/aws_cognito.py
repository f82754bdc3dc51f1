"""Keeper SaaS plugin: rotate the password of an Amazon Cognito user, prove it, take it back where that is possible."""

from typing import Any

from kdnrm.exceptions import SaasException
from kdnrm.saas_plugins import SaasPluginBase
from kdnrm.saas_type import ReturnCustomField, SaasConfigEnum, SaasConfigItem

from connector.rotation.model.allowed import EVERYONE
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.flows import AppClient, read_flows
from connector.rotation.sign_in.sign_in import SignIn
from connector.rotation.targets.cognito_user import AdministeredUser, PoolUser
from deploy.keeper.source.common import Change, find_region, open_door, read_passwords, read_text, told_to_keeper


class SaasPlugin(SaasPluginBase):
    """The administrator's way: AdminSetUserPassword, permanent, after the pool's policy was looked up."""

    name = "AWS Cognito"
    summary = "Rotate the password of an Amazon Cognito user, and prove by signing in that it works."
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
        """Return the fields of the configuration record, with the labels of both generations of Keeper's own plugin."""
        return [
            SaasConfigItem(
                id="aws_access_key_id",
                label="AWS Access Key ID",
                desc="AWS Access Key ID.",
                is_secret=True,
                required=False,
            ),
            SaasConfigItem(
                id="aws_secret_access_key",
                label="AWS Secret Access Key",
                desc="AWS Secret Access Key.",
                is_secret=True,
                required=False,
            ),
            SaasConfigItem(
                id="user_pool_id",
                label="User Pool ID",
                desc="User Pool ID.",
                is_secret=True,
                required=True,
            ),
            SaasConfigItem(
                id="cloud_region",
                label="Cloud Region",
                desc="Cloud Region.",
                required=False,
            ),
            SaasConfigItem(
                id="aws_region",
                label="AWS Region",
                desc="AWS Region, the later name of Cloud Region; one of the two is enough.",
                required=False,
            ),
            SaasConfigItem(
                id="client_id",
                label="App Client ID",
                desc="App client to prove the new password with; without it nothing is proved.",
                required=False,
            ),
            SaasConfigItem(
                id="client_secret",
                label="App Client Secret",
                desc="Secret of the app client, if it has one.",
                is_secret=True,
                required=False,
            ),
            SaasConfigItem(
                id="auth_flow",
                label="App Client Flow",
                desc="How the app client lets users sign in.",
                type="enum",
                default_value="auto",
                enum_values=[
                    SaasConfigEnum(value="auto", desc="The first of the others that the app client allows"),
                    SaasConfigEnum(value="USER_SRP_AUTH", desc="ALLOW_USER_SRP_AUTH"),
                    SaasConfigEnum(value="USER_PASSWORD_AUTH", desc="ALLOW_USER_PASSWORD_AUTH"),
                    SaasConfigEnum(value="ADMIN_USER_PASSWORD_AUTH", desc="ALLOW_ADMIN_USER_PASSWORD_AUTH"),
                ],
                required=False,
            ),
        ]

    @property
    def can_rollback(self) -> bool:
        """Whether the prior password is known and the pool would take it again: it must keep no password history."""
        try:
            return self._password_change().can_be_undone()
        except SaasException:
            return False

    def change_password(self) -> None:
        """Set the Gateway's new password, permanently, and sign in with it."""
        change = self._password_change()
        with told_to_keeper():
            change.make()
        self.add_return_field(ReturnCustomField(label="cloud_region", type="text", value=self._region()))

    def rollback_password(self) -> None:
        """Make the prior password the password again, proved; or say which one is live."""
        change = self._password_change()
        with told_to_keeper():
            change.undo()

    def _password_change(self) -> Change:
        if self._change is None:
            new, prior = read_passwords(self.user)
            self._change = Change(self._target(), new=new, prior=prior)
        return self._change

    def _target(self) -> AdministeredUser:
        cognito = open_door(self.get_config, self.provider_config, self._region()).cognito()
        username = read_text(self.user.username)
        if username is None:
            raise SaasException("The login of the PAM User record is blank.")
        user = PoolUser(self._pool(), username, EVERYONE)
        return AdministeredUser(cognito, user, sign_in=self._sign_in(cognito, username))

    def _sign_in(self, cognito: Any, username: str) -> SignIn | None:
        client_id, secret = read_text(self.get_config("client_id")), read_text(self.get_config("client_secret"))
        if client_id is None:
            return None
        secrets = (Secret(secret),) if secret is not None else ()
        app = AppClient(self._pool(), client_id, secrets, read_flows(self.get_config("auth_flow") or "auto"))
        return SignIn(cognito, app, username=username)

    def _pool(self) -> str:
        return read_text(self.get_config("user_pool_id")) or ""

    def _region(self) -> str:
        region = find_region(self.get_config, self.provider_config) or self._pool().rpartition("_")[0]
        if not region:
            raise SaasException("The AWS Region is blank. Set Cloud Region in the SaaS configuration record.")
        return region
