"""The parts of a set-up of the AWS side: what is wished, who makes it, and where the configuration and secrets are."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from connector.bootstrap.runs import store_of
from connector.config import Settings, find_config, load_settings, variable
from connector.config.file import render, set_values, write_private
from connector.errors import ConfigError, SetUpUnfit
from connector.logs import register_secret
from connector.provisioning.account.caller import Caller, open_caller
from connector.provisioning.account.waiting import Consistency
from connector.provisioning.changes.set_up import SetUp
from connector.provisioning.changes.tear_down import TearDown
from connector.provisioning.design.arns import PoolArn, is_queue_arn, parse_pool_arn
from connector.provisioning.design.object_names import Names, parse_names, tags_for
from connector.provisioning.design.objects import ExternalIds, RotationWish, SetUpRequest
from connector.provisioning.design.principals import SERVICE_USER, parse_principal
from connector.provisioning.keys.file_vault import FileKeyVault
from connector.provisioning.keys.rotate_key import RotateKey
from connector.provisioning.keys.secrets_manager_vault import SecretsManagerKeyVault
from connector.provisioning.keys.vault import AccessKey, KeptKeys, KeyVault, Value
from connector.provisioning.verify.findings import Finding
from connector.provisioning.verify.verification import Expected, SetUpVerification
from connector.rotation.model.secret import Secret
from connector.store.aws_verification import record_verification

IN_SECRETS_MANAGER = "secretsmanager:"
_WRITTEN = (
    "aws.access_key_id",
    "aws.secret_access_key",
    "aws.external_id",
    "aws.role_arn",
    "cognito.user_pool_id",
    "cognito.region",
)
"""What a set-up writes into the configuration file."""


@dataclass(frozen=True, slots=True)
class AwsOptions:
    """What a command of the AWS side was asked; empty means the default, or what the configuration says."""

    pool_arn: str = ""
    profile: str = ""
    prefix: str = ""
    path: str = "/"
    principal: str = SERVICE_USER
    rotate: tuple[str, ...] = ()
    rotate_iam_user: tuple[str, ...] = ()
    rotate_secret: tuple[str, ...] = ()
    queue: str = ""
    vault: str = ""
    adopt: bool = False


@dataclass(frozen=True, slots=True)
class ConfigPlace:
    """Where the configuration is, or will be.

    Args:
        named: the file that was named.
        environment: the environment variables.
    """

    named: Path | None
    environment: Mapping[str, str]

    @property
    def path(self) -> Path:
        """The file."""
        return (find_config(self.named, self.environment) or Path("config.yaml")).absolute()

    def settings(self) -> Settings | None:
        """Return the configuration, None where there is no file yet.

        Raises:
            ConfigError: something is wrong with it.
        """
        if not self.path.exists():
            return None
        settings = load_settings(self.path, self.environment, reads_pool=False)
        for secret in settings.secrets():
            register_secret(secret)
        return settings

    def change(self, values: Mapping[str, Value | None]) -> None:
        """Set keys of the file, or remove those whose value is None; make it where it is not there."""
        there = self.path.read_text(encoding="utf-8") if self.path.exists() else render([], self.path.absolute().parent)
        changed = set_values(there, values)
        if changed != there:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_private(self.path, changed)

    def read(self) -> KeptKeys:
        """Return what the file says of the AWS side."""
        settings = self.settings()
        if settings is None:
            return KeptKeys()
        aws, rotation = settings.aws, settings.rotation
        secret = aws.secret_access_key.get_secret_value()
        values: dict[str, Value] = {
            "cognito.region": settings.cognito.region,
            "cognito.user_pool_id": settings.cognito.user_pool_id,
            "aws.role_arn": aws.role_arn,
            "rotation.role_arn": rotation.role_arn,
            "rotation.allow": list(rotation.allow),
        }
        return KeptKeys(
            ExternalIds(aws.external_id.get_secret_value(), rotation.external_id.get_secret_value()),
            AccessKey(aws.access_key_id, Secret(secret)) if aws.access_key_id and secret else None,
            configuration={key: value for key, value in values.items() if value},
        )


def set_up_of(asked: AwsOptions, place: ConfigPlace, consistency: Consistency) -> SetUp:
    """Return the set-up that is asked for.

    Raises:
        SetUpUnfit: what is asked cannot be.
        ConfigError: the configuration is wrong, or would not take effect.
    """
    _check_environment(asked, place)
    caller, pool = caller_of(asked, place)
    wishes, vault = wishes_of(asked, pool, place), vault_of(asked, pool, caller, place)
    return SetUp(caller, wishes, vault, consistency, asked.adopt, _sts_region(place, pool))


def tear_down_of(asked: AwsOptions, place: ConfigPlace, consistency: Consistency) -> TearDown:
    """Return the tear-down that is asked for.

    Raises:
        SetUpUnfit, ConfigError: what is asked cannot be.
    """
    caller, pool = caller_of(asked, place)
    return TearDown(caller, pool, names_of(asked), vault_of(asked, pool, caller, place), consistency)


def verification_of(asked: AwsOptions, place: ConfigPlace) -> SetUpVerification:
    """Return the look at the AWS side that is asked for: of the configured role, else of the names of the guide.

    Raises:
        SetUpUnfit, ConfigError: what is asked cannot be.
    """
    caller, pool = caller_of(asked, place)
    wishes, settings = wishes_of(asked, pool, place), place.settings()
    if settings is None or settings.cognito.user_pool_id != pool.pool_id or not settings.aws.role_arn:
        expected = Expected(pool, wishes.role_arn, wishes.principal_arn, queue_arn=asked.queue)
        return SetUpVerification(caller, expected, datetime.now(UTC))
    aws = settings.aws
    expected = Expected(
        pool,
        aws.role_arn,
        "" if asked.principal == SERVICE_USER else wishes.principal_arn,
        external_id=aws.external_id.get_secret_value(),
        key_id=aws.access_key_id,
        session_seconds=aws.session_duration,
        rotation_role_arn=settings.rotation.role_arn,
        rotation_external_id=settings.rotation.external_id.get_secret_value(),
        queue_arn=asked.queue,
    )
    return SetUpVerification(caller, expected, datetime.now(UTC))


def record_findings(place: ConfigPlace, verification: SetUpVerification, findings: Sequence[Finding]) -> None:
    """Keep what was found in the store, for metrics and console; without a configuration there is none.

    Raises:
        StoreError, ConfigError: it is not kept.
    """
    settings = place.settings()
    if settings is not None:
        with store_of(settings) as database:
            told = [asdict(finding) for finding in findings]
            record_verification(database, verification.expected.role_arn, told)


def rotate_key_of(asked: AwsOptions, place: ConfigPlace, consistency: Consistency) -> RotateKey:
    """Return the rotation of the configured access key.

    Raises:
        SetUpUnfit, ConfigError: there is none, or it cannot be.
    """
    _check_environment(asked, place)
    caller, pool = caller_of(asked, place)
    vault = vault_of(asked, pool, caller, place)
    role_arn = vault.read().configuration.get("aws.role_arn", "")
    if vault.read().current is not None and not role_arn:
        raise SetUpUnfit(
            "No role is configured that would prove a new key.", remedy="Make one with: cognito-scim aws apply"
        )
    now = datetime.now(UTC)
    return RotateKey(caller, vault, str(role_arn), _sts_region(place, pool), consistency, now, asked.adopt)


def caller_of(asked: AwsOptions, place: ConfigPlace) -> tuple[Caller, PoolArn]:
    """Return who sets up, and the pool: the one that is named, else that of the configuration.

    Raises:
        SetUpUnfit: there is no such profile, or no pool.
    """
    if asked.pool_arn:
        pool = parse_pool_arn(asked.pool_arn)
        return open_caller(asked.profile, pool.region), pool
    settings = place.settings()
    if settings is None or not settings.cognito.user_pool_id:
        raise SetUpUnfit(
            "No user pool is named, and no configuration names one.",
            remedy="Give the pool's ARN; it is on the pool's page in the Cognito console.",
        )
    caller = open_caller(asked.profile, settings.cognito.region)
    identity = caller.identity
    partition = identity.arn.split(":")[1]
    return caller, PoolArn(partition, settings.cognito.region, identity.account, settings.cognito.user_pool_id)


def wishes_of(asked: AwsOptions, pool: PoolArn, place: ConfigPlace) -> SetUpRequest:
    """Return what is wished for a pool.

    Raises:
        SetUpUnfit: a name, a principal or an ARN cannot be.
    """
    if asked.queue and not is_queue_arn(asked.queue):
        raise SetUpUnfit(f"{asked.queue!r} is not the ARN of a queue.", remedy="Copy it from the queue's page in SQS.")
    settings = place.settings()
    rotation = RotationWish(asked.rotate, asked.rotate_iam_user, asked.rotate_secret)
    return SetUpRequest(
        pool,
        parse_principal(asked.principal, pool),
        names_of(asked),
        session_seconds=max(3600, settings.aws.session_duration if settings else 0),
        queue_arn=asked.queue,
        rotation=rotation,
    )


def _sts_region(place: ConfigPlace, pool: PoolArn) -> str:
    """Return the Region whose STS the connector asks, with which a key is proved too."""
    settings = place.settings()
    named = settings.aws.sts_region if settings else place.environment.get(variable("aws.sts_region"), "")
    return named or pool.region


def names_of(asked: AwsOptions) -> Names:
    """Return what things are called."""
    return parse_names(asked.prefix, asked.path)


def vault_of(asked: AwsOptions, pool: PoolArn, caller: Caller, place: ConfigPlace) -> KeyVault:
    """Return where key and ExternalIds are kept.

    Raises:
        SetUpUnfit: it is not a vault.
    """
    name = asked.vault.removeprefix(IN_SECRETS_MANAGER)
    if name and asked.vault.startswith(IN_SECRETS_MANAGER):
        return SecretsManagerKeyVault(caller, name, tags_for(str(pool)), variable, place.read, place.change)
    if asked.vault:
        raise SetUpUnfit(
            f"{asked.vault!r} is not a place for a key.",
            remedy="Write secretsmanager: and the name of the secret, or leave it out for files.",
        )
    return FileKeyVault(place.path, place.read, place.change, write_private)


def _check_environment(asked: AwsOptions, place: ConfigPlace) -> None:
    """See that nothing in the environment wins over what is going to be written.

    Raises:
        ConfigError: something does.
    """
    names = [variable(spelling) for key in _WRITTEN for spelling in (key, f"{key}_file")]
    winning = [name for name in names if place.environment.get(name)]
    if winning and not asked.vault:
        raise ConfigError(
            f"{', '.join(winning)} in the environment would win over what is written to {place.path}.",
            remedy="Unset it, or keep the secrets in Secrets Manager with --vault secretsmanager:NAME.",
        )


def settings_after(set_up: SetUp, place: ConfigPlace) -> Settings:
    """Return the configuration that a set-up has left, as the connector will load it."""
    environment = dict(place.environment)
    if isinstance(set_up.vault, SecretsManagerKeyVault):
        environment.update(set_up.vault.environment())
    settings = load_settings(place.path, environment, reads_pool=True)
    for secret in settings.secrets():
        register_secret(secret)
    return settings
