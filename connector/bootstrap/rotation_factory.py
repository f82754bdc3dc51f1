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
from connector.cognito.session import Session
from connector.config import Settings
from connector.errors import ConfigError, VaultUnfit
from connector.journal.handed_over import HandedOver
from connector.journal.journal import Entry, Journal
from connector.journal.seal import Sealer
from connector.logs import register_secret
from connector.rotation.aws.clients import AwsDoor
from connector.rotation.engine.engine import Options, Rotation
from connector.rotation.model.allowed import Allowed
from connector.rotation.model.generator import Recipe
from connector.rotation.model.ports import SignsOut, Target, Vault
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.authenticator import Authenticator
from connector.rotation.sign_in.sign_in import AppClient, Flow, SignIn
from connector.rotation.targets.cognito_user import AdministeredUser, PoolUser, SelfServedUser, identify
from connector.rotation.targets.iam_user import IamUser
from connector.rotation.targets.secret_target import read_seed
from connector.rotation.vaults.secret_document import Mode, SecretDocument
from connector.rotation.vaults.secret_versions import Owner
from connector.rotation.vaults.secrets_manager import SecretsManagerVault

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

STDOUT = "stdout"
IN_SECRETS_MANAGER = "secretsmanager:"
_IAM_REGION = "us-east-1"
_log = logging.getLogger(__name__)


class Kind(StrEnum):
    """What an account is."""

    COGNITO_USER = "cognito-user"
    IAM_USER = "iam-user"


class HandOver(Protocol):
    """Gives a password to who asked for it."""

    def __call__(self, account: str, password: Secret) -> None:
        """Give it; what this raises keeps the password in the journal."""


@dataclass(frozen=True, slots=True)
class Wish:
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

    kind: Kind
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


class Workshop:
    """Makes the parts of rotations."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.door = AwsDoor(_session(settings), settings.cognito.region or os.environ.get("AWS_REGION") or _IAM_REGION)

    @cached_property
    def cognito(self) -> "CognitoIdentityProviderClient":
        """The client of the user pool, one for all accounts."""
        return self.door.cognito()

    def rotation(self, wish: Wish, hand_over: HandOver) -> Rotation:
        """Return the rotation that is wished for.

        Raises:
            ConfigError: the configuration does not say how, or the wish, or the secret with it, contradicts itself.
        """
        place = (wish.vault or self._settings.rotation.vault).replace("{username}", wish.name)
        if not place:
            raise ConfigError("No vault is named.", remedy="Say --vault secretsmanager:NAME, or set rotation.vault.")
        secret = self._secret(wish, place) if place != STDOUT else None
        document = secret.document() if secret and wish.kind is Kind.COGNITO_USER else None
        wish = replace(wish, mode=wish.mode or (document.mode if document else self._begun(wish, place)) or Mode.ADMIN)
        target = self._target(wish, document)
        if wish.options.sign_out and not isinstance(target, SignsOut):
            raise ConfigError(
                f"{target.identity}: sessions can be ended the administrator's way only.",
                remedy="Leave --sign-out out, or say --mode admin.",
            )
        vault: Vault = secret or self._handed_over(wish, target, hand_over)
        return Rotation(target, vault, recipe=self._recipe(), options=wish.options)

    def begin(self, wish: Wish, hand_over: HandOver) -> Rotation:
        """Return the rotation that is wished for, unless the journal has one of the account to finish first.

        Raises:
            VaultUnfit: it has; its candidate would overrule what another vault keeps.
        """
        rotation = self.rotation(wish, hand_over)
        elsewhere = (wish.vault or self._settings.rotation.vault) != STDOUT
        if elsewhere and self._settings.rotation.journal_key.get_secret_value():
            account = rotation.account
            if journal_of(self._settings).find(account):
                raise left_to_the_journal(account)
        return rotation

    def resume(self, entry: Entry, options: Options, hand_over: HandOver) -> Rotation:
        """Return the rotation that an entry of the journal is about.

        Raises:
            VaultUnfit: it is about another pool or AWS account than the configuration.
        """
        kind, _, place = entry.account.partition(" ")
        rotation = self.rotation(
            Wish(Kind(kind), place.partition("/")[2], STDOUT, Mode(entry.mode), options), hand_over
        )
        if rotation.account != entry.account:
            raise VaultUnfit(
                f"The journal keeps a password of {entry.account}, which is not of the configured pool or account.",
                remedy="Run `cognito-scim rotate recover` with the configuration that it was begun with.",
            )
        return rotation

    def _begun(self, wish: Wish, place: str) -> Mode | None:
        """Return which way the journal says that a rotation of the account was begun, if it keeps one."""
        is_sealed = bool(self._settings.rotation.journal_key.get_secret_value())
        if not is_sealed or place != STDOUT or wish.kind is not Kind.COGNITO_USER:
            return None
        entry = journal_of(self._settings).find(identify(self._settings.cognito.user_pool_id, wish.name))
        return Mode(entry.mode) if entry else None

    def _secret(self, wish: Wish, place: str) -> SecretsManagerVault:
        pool = self._settings.cognito.user_pool_id if wish.kind is Kind.COGNITO_USER else None
        secret_id = place.removeprefix(IN_SECRETS_MANAGER)
        return SecretsManagerVault(self.door.secrets_manager(), secret_id, owner=Owner(wish.name, pool))

    def _handed_over(self, wish: Wish, target: Target, hand_over: HandOver) -> HandedOver:
        account = target.identity

        def register_and_hand_over(password: Secret) -> None:
            register_secret(password.reveal())
            hand_over(account, password)

        return HandedOver(
            journal_of(self._settings),
            account,
            hand_over=register_and_hand_over,
            mode=wish.mode or Mode.ADMIN,
            current=wish.current,
        )

    def _recipe(self) -> Recipe:
        rotation = self._settings.rotation
        return Recipe(rotation.length, rotation.characters) if rotation.characters else Recipe(rotation.length)

    def _target(self, wish: Wish, document: SecretDocument | None) -> Target:
        allowed = Allowed.only(self._settings.rotation.allow)
        if wish.kind is Kind.IAM_USER:
            if wish.mode is Mode.SELF:
                raise ConfigError("An IAM user has no own way to a new password.", remedy="Leave --mode self out.")
            return IamUser(self.door.iam(), self.door.sts(), username=wish.name, allowed=allowed)
        pool_id = self._settings.cognito.user_pool_id
        if not pool_id:
            raise ConfigError("No user pool is named.", remedy="Set cognito.user_pool_id.")
        user, sign_in = PoolUser(pool_id, wish.name, allowed), self._sign_in(wish, pool_id, document)
        if wish.mode is not Mode.SELF:
            return AdministeredUser(self.cognito, user, sign_in=sign_in)
        if sign_in is None:
            raise ConfigError("The user's own way needs an app client.", remedy=_NAME_A_CLIENT)
        return SelfServedUser(self.cognito, user, sign_in=sign_in)

    def _sign_in(self, wish: Wish, pool_id: str, document: SecretDocument | None) -> SignIn | None:
        """Return how passwords are proved: at the configured app client, else at the one that the secret names."""
        rotation = self._settings.rotation
        if rotation.client_id:
            given = rotation.client_secret.get_secret_value()
            keys = (Secret(given),) if given else ()
            app = AppClient(pool_id, rotation.client_id, keys, Flow(rotation.auth_flow))
        elif document and document.client_id:
            keys = (document.client_secret,) if document.client_secret else ()
            app = AppClient(pool_id, document.client_id, keys, document.auth_flow or Flow(rotation.auth_flow))
        elif wish.options.verify:
            raise ConfigError(
                "No app client is named, at which the new password could be proved.", remedy=_NAME_A_CLIENT
            )
        else:
            return None
        seed = read_seed(self.door, document.totp_secret_id) if document and document.totp_secret_id else None
        authenticator = Authenticator(seed) if seed else None
        return SignIn(self.cognito, app, username=wish.name, authenticator=authenticator)


_NAME_A_CLIENT = (
    "Set rotation.client_id, or name the client in the secret (clientid); --no-verify rotates without proof."
)


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
    return Session(access, run=f"rotate-{uuid.uuid4().hex[:8]}", meter=Meter()).signed()
