"""What can be asked of a rotation: a new password, the end of an interrupted one, proof of what is kept."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from connector.bootstrap.rotation_factory import (
    IN_SECRETS_MANAGER,
    AccountKind,
    HandOver,
    RotationFactory,
    RotationRequest,
    journal_of,
)
from connector.config import Settings
from connector.errors import ConfigError, ConnectorError, NothingKept
from connector.journal.journal import Stage, Survey
from connector.journal.journal_vault import JournalVault
from connector.logs import register_secret
from connector.rotation.engine.backoff import Backoff
from connector.rotation.engine.engine import Options
from connector.rotation.model.results import RotationOutcome, RotationResult, Verification
from connector.rotation.vaults.managed import rotate_managed
from connector.rotation.vaults.secret_document import Mode, SecretDocument
from connector.rotation.vaults.secrets_manager import SecretsManagerVault


def rotate_account(settings: Settings, request: RotationRequest, hand_over: HandOver) -> RotationResult:
    """Give an account a new password.

    Raises:
        ConfigError: the configuration does not say how.
        RotationError: see `Rotation`.
    """
    return RotationFactory(settings).begin(request, hand_over).rotate()


def recover_account(settings: Settings, request: RotationRequest, hand_over: HandOver) -> RotationResult:
    """Bring to its end what a rotation of an account began; errors are those of `rotate_account`.

    Where it has come to its end onto standard output, the copy of what was handed over is handed over again.

    Raises:
        NothingKept: nothing is pending, and there is no copy either.
    """
    result = RotationFactory(settings).rotation(request, hand_over).recover()
    if (result.vault, result.outcome) == (JournalVault.name, RotationOutcome.NOTHING_PENDING):
        given = journal_of(settings).find(result.account, Stage.GIVEN)
        if given is None:
            raise NothingKept(
                f"The journal keeps no password of {result.account}: nothing is pending, and there is no copy of one"
                " that was handed over.",
                remedy="Check the name and rotation.journal; `cognito-scim rotate` makes a new one.",
            )
        register_secret(given.new.reveal())
        hand_over(result.account, given.new)
    return result


def survey_handed_over(settings: Settings) -> Survey:
    """Return the copies that the journal keeps of what was handed over."""
    return journal_of(settings).survey(Stage.GIVEN)


def forget_handed_over(settings: Settings, accounts: Iterable[str]) -> None:
    """Forget the copies of what was handed over of some accounts, because it arrived."""
    journal = journal_of(settings)
    for account in accounts:
        journal.remove(account, Stage.GIVEN)


def verify_account(settings: Settings, request: RotationRequest, hand_over: HandOver) -> Verification:
    """Tell which of the kept values signs in; errors are those of `rotate_account`."""
    return RotationFactory(settings).rotation(request, hand_over).verify()


def recover_journal(
    settings: Settings, options: Options, hand_over: HandOver
) -> Iterator[RotationResult | ConnectorError]:
    """Bring every rotation to its end that the journal knows of; one that fails stops no other.

    Where somebody has changed a password since, the journal's is not set: that takes the account's name.
    """
    factory, options = RotationFactory(settings), replace(options, overrule=False)
    survey = journal_of(settings).survey()
    yield from survey.faults
    for entry in survey.entries:
        try:
            yield factory.resume(entry, options, hand_over).recover()
        except ConnectorError as error:
            yield error


@dataclass(frozen=True, slots=True)
class SecretRequest:
    """What a command asks about a secret.

    Args:
        secret_id: name or ARN of the secret.
        mode: which way the password is set in place; None leaves it to the secret.
        options: of a rotation in place.
        wait: how long the end of the secret's own function is waited for.
    """

    secret_id: str
    mode: Mode | None
    options: Options
    wait: Backoff


def rotate_secret(settings: Settings, request: SecretRequest, hand_over: HandOver) -> RotationResult:
    """Rotate the account that a secret is about: by the secret's own function if it has one, else in place.

    Raises:
        ConfigError, RotationError: see `rotate_account`.
    """
    factory = RotationFactory(settings)
    client = factory.door.secrets_manager()
    vault = SecretsManagerVault(client, request.secret_id)
    if vault.labels().rotation_enabled:
        if request.mode is not None:
            raise ConfigError(
                f"The {vault.name} is rotated by its own function, which goes its own way.",
                remedy="Leave --mode out; `mode` in the secret tells the function.",
            )
        return rotate_managed(client, request.secret_id, backoff=request.wait)
    document = _current(vault)
    place = f"{IN_SECRETS_MANAGER}{request.secret_id}"
    return factory.begin(
        RotationRequest(AccountKind.COGNITO_USER, document.username, place, request.mode, request.options), hand_over
    ).rotate()


def _current(vault: SecretsManagerVault) -> SecretDocument:
    document = vault.document()
    if document is None:
        raise ConfigError(
            f"The {vault.name} has no current version.", remedy="Store clientid, username and password in it."
        )
    return document
