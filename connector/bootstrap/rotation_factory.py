"""The parts of a rotation, made from Settings: account, vault, proof, journal, and who signs the requests."""

import logging
import os
import uuid
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import boto3

from connector.bootstrap.from_settings import access_of
from connector.cognito.meter import Meter
from connector.cognito.session import AwsSession
from connector.config import Settings
from connector.errors import ConfigError, VaultUnfit
from connector.journal.journal import Entry, Journal
from connector.journal.journal_vault import JournalVault
from connector.journal.seal import Sealer
from connector.logs import register_secret
from connector.rotation.aws.aws_clients import AwsDoor
from connector.rotation.engine.engine import AccountRotation, Options
from connector.rotation.model.allowed import Allowed
from connector.rotation.model.generator import Recipe
from connector.rotation.model.ports import SignsOut, Target, Vault
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.flows import AppClient, read_flows
from connector.rotation.targets.cognito_user import identify
from connector.rotation.targets.iam_user import IamUser
from connector.rotation.targets.secret_target import Deployment, open_user
from connector.rotation.vaults.secret_document import Mode, SecretDocument
from connector.rotation.vaults.secret_versions import Owner
from connector.rotation.vaults.secrets_manager import SecretsManagerVault

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

STDOUT = "stdout"
IN_SECRETS_MANAGER = "secretsmanager:"
_IAM_REGION = "us-east-1"
_log = logging.getLogger(__name__)


class AccountKind(StrEnum):
    """What an account is."""

    COGNITO_USER = "cognito-user"
    IAM_USER = "iam-user"


class HandOver(Protocol):
    """Gives a password to the person who asked for it."""

    def __call__(self, account: str, password: Secret) -> None:
        """Give it; what this raises keeps the password in the journal."""


@dataclass(frozen=True, slots=True)
class RotationRequest:
    """What a command asks.

    Args:
        kind: what the account is.
        name: its name.
        vault: where its password is kept; empty takes the configured one.
        mode: which way the password is set; None leaves it to the secret, or the rotation that the journal has to
            finish, and where they are silent it is the administrator's.
        options: of the rotation.
        current: the password until now, where nothing else keeps it.
    """

    kind: AccountKind
    name: str
    vault: str = ""
    mode: Mode | None = None
    options: Options = Options()
    current: Secret | None = None


def journal_of(settings: Settings) -> Journal:
    """Return the journal.

    Raises:
        ConfigError: nothing seals it.
    """
    rotation = settings.rotation
    key = rotation.journal_key.get_secret_value()
    if not key:
        raise ConfigError(
            "Handing a password over needs the journal, and nothing seals it.",
            remedy="Set rotation.journal_key_file; make a key with: openssl rand -base64 48",
        )
    return Journal(Path(rotation.journal), Sealer(key.encode()))


def left_to_the_journal(account: str) -> VaultUnfit:
    """Return the error for an account whose live password may be one that only the journal keeps."""
    return VaultUnfit(
        f"The journal keeps a rotation of {account} onto standard output that has not come to its end.",
        remedy="Run `cognito-scim rotate recover`, which prints the password; keep each account in one vault.",
    )


class RotationFactory:
    """Makes the parts of rotations."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.door = AwsDoor(_session(settings), settings.cognito.region or os.environ.get("AWS_REGION") or _IAM_REGION)

    @cached_property
    def cognito(self) -> "CognitoIdentityProviderClient":
        """The client of the user pool, one for all accounts."""
        return self.door.cognito()

    def rotation(self, request: RotationRequest, hand_over: HandOver) -> AccountRotation:
        """Return the rotation that is wished for.

        Raises:
            ConfigError: the configuration does not say how, or the request, or the secret with it, contradicts itself.
        """
        place = (request.vault or self._settings.rotation.vault).replace("{username}", request.name)
        if not place:
            raise ConfigError("No vault is named.", remedy="Say --vault secretsmanager:NAME, or set rotation.vault.")
        secret = self._secret(request, place) if place != STDOUT else None
        document = secret.document() if secret and request.kind is AccountKind.COGNITO_USER else None
        request = replace(
            request, mode=request.mode or (document.mode if document else self._begun(request, place)) or Mode.ADMIN
        )
        target = self._target(request, document)
        if request.options.sign_out and not isinstance(target, SignsOut):
            raise ConfigError(
                f"{target.identity}: sessions can be ended the administrator's way only.",
                remedy="Leave --sign-out out, or say --mode admin.",
            )
        vault: Vault = secret or self._handed_over(request, target, hand_over)
        return AccountRotation(target, vault, recipe=self._recipe(), options=request.options)

    def begin(self, request: RotationRequest, hand_over: HandOver) -> AccountRotation:
        """Return the rotation that is wished for, unless the journal has one of the account to finish first.

        Raises:
            VaultUnfit: it has; its candidate would overrule what another vault keeps.
        """
        rotation = self.rotation(request, hand_over)
        elsewhere = (request.vault or self._settings.rotation.vault) != STDOUT
        if elsewhere and self._settings.rotation.journal_key.get_secret_value():
            account = rotation.account
            if journal_of(self._settings).find(account):
                raise left_to_the_journal(account)
        return rotation

    def resume(self, entry: Entry, options: Options, hand_over: HandOver) -> AccountRotation:
        """Return the rotation that an entry of the journal is about.

        Raises:
            VaultUnfit: it is about another pool or AWS account than the configuration.
        """
        kind, _, place = entry.account.partition(" ")
        rotation = self.rotation(
            RotationRequest(AccountKind(kind), place.partition("/")[2], STDOUT, Mode(entry.mode), options), hand_over
        )
        if rotation.account != entry.account:
            raise VaultUnfit(
                f"The journal keeps a password of {entry.account}, which is not of the configured pool or account.",
                remedy="Run `cognito-scim rotate recover` with the configuration that it was begun with.",
            )
        return rotation

    def _begun(self, request: RotationRequest, place: str) -> Mode | None:
        """Return which way the journal says that a rotation of the account was begun, if it keeps one."""
        is_sealed = bool(self._settings.rotation.journal_key.get_secret_value())
        if not is_sealed or place != STDOUT or request.kind is not AccountKind.COGNITO_USER:
            return None
        entry = journal_of(self._settings).find(identify(self._settings.cognito.user_pool_id, request.name))
        return Mode(entry.mode) if entry else None

    def _secret(self, request: RotationRequest, place: str) -> SecretsManagerVault:
        pool = self._settings.cognito.user_pool_id if request.kind is AccountKind.COGNITO_USER else None
        secret_id = place.removeprefix(IN_SECRETS_MANAGER)
        return SecretsManagerVault(self.door.secrets_manager(), secret_id, owner=Owner(request.name, pool))

    def _handed_over(self, request: RotationRequest, target: Target, hand_over: HandOver) -> JournalVault:
        account = target.identity

        def register_and_hand_over(password: Secret) -> None:
            register_secret(password.reveal())
            hand_over(account, password)

        return JournalVault(
            journal_of(self._settings),
            account,
            hand_over=register_and_hand_over,
            mode=request.mode or Mode.ADMIN,
            current=request.current,
        )

    def _recipe(self) -> Recipe:
        rotation = self._settings.rotation
        return Recipe(rotation.length, rotation.characters) if rotation.characters else Recipe(rotation.length)

    def _target(self, request: RotationRequest, document: SecretDocument | None) -> Target:
        allowed = Allowed.only(self._settings.rotation.allow)
        if request.kind is AccountKind.IAM_USER:
            if request.mode is Mode.SELF:
                raise ConfigError("An IAM user has no own way to a new password.", remedy="Leave --mode self out.")
            return IamUser(self.door.iam(), self.door.sts(), username=request.name, allowed=allowed)
        pool_id, rotation = self._settings.cognito.user_pool_id, self._settings.rotation
        if not pool_id:
            raise ConfigError("No user pool is named.", remedy="Set cognito.user_pool_id.")
        flows, secret = read_flows(rotation.auth_flow), rotation.client_secret.get_secret_value()
        client = AppClient(pool_id, rotation.client_id, (Secret(secret),) if secret else (), flows)
        deployment = Deployment(
            pool_id=pool_id,
            mode=request.mode or Mode.ADMIN,
            flows=flows,
            client=client if rotation.client_id else None,
            administered=allowed,
            self_served=allowed,
            unproved=not request.options.verify,
        )
        # --mode, or what the journal says, goes before the secret's own choice.
        chosen = replace(document, mode=deployment.mode) if document else None
        return open_user(self.door, request.name, chosen, deployment)


def _session(settings: Settings) -> boto3.Session:
    """Return what signs the rotation's requests: its own role, else the source credentials."""
    rotation = settings.rotation
    if not rotation.role_arn:
        _log.warning("rotation.role_arn is not set; the source credentials rotate passwords as they are.")
    access = replace(
        access_of(settings),
        region=settings.cognito.region or _IAM_REGION,
        role_arn=rotation.role_arn,
        external_id=rotation.external_id.get_secret_value(),
    )
    return AwsSession(access, run=f"rotate-{uuid.uuid4().hex[:8]}", meter=Meter()).signed()
