"""The keys of the rotation of passwords."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from connector.config import values
from connector.config.section import Path, Section, Whole


class Rotation(Section):
    """The rotation of passwords."""

    allow: Annotated[tuple[str, ...], BeforeValidator(values.group_names, json_schema_input_type=list[str] | str)] = ()
    """Users that may be rotated, and groups of the pool whose members may be, as a list or one name a line; nobody else
    is ever touched. The schedule rotates them all."""
    vault: Annotated[str, AfterValidator(values.vault)] = ""
    """Where the schedule, and a command without --vault, keep the password: secretsmanager:NAME, in which {username}
    stands for the account's name, or stdout."""
    schedule: Annotated[str, AfterValidator(values.schedule)] = ""
    """When `serve` rotates every account of allow by itself: every 90d (m, h or d), or five cron fields in UTC; empty
    means never. The vault has to keep values: secretsmanager:NAME."""
    client_id: Annotated[str, AfterValidator(values.client_id)] = ""
    """App client of the pool at which a new password is proved by signing in; without one, the client that the secret
    names."""
    client_secret: SecretStr = SecretStr("")
    """Secret of the app client, if it has one."""
    client_secret_file: Path = ""
    """File that holds the secret of the app client."""
    auth_flow: Literal["auto", "USER_SRP_AUTH", "USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH"] = "auto"
    """How the password is shown to Cognito: auto takes the first of the others, in this order, that the app client
    allows. USER_SRP_AUTH never sends it."""
    length: Annotated[Whole, Field(ge=8, le=256)] = 32
    """Characters of a new password; more where the policy demands more, fewer where it allows no more."""
    characters: Annotated[str, AfterValidator(values.characters)] = ""
    """Characters that a new password is drawn from, some of every class that the policy demands; empty means letters,
    digits and the symbols that Cognito and IAM both count."""
    role_arn: Annotated[str, AfterValidator(values.role_arn)] = ""
    """Role to assume for rotations, never the one that reads the pool; without it the source credentials are used as
    they are, with a warning."""
    external_id: Annotated[SecretStr, AfterValidator(values.external_id)] = SecretStr("")
    """ExternalId that this role's trust policy asks for; needed with role_arn."""
    external_id_file: Path = ""
    """File that holds this ExternalId."""
    journal: Annotated[str, Field(min_length=1), AfterValidator(values.path)] = "cognito-scim-journal"
    """Directory of the journal, which keeps sealed what goes to standard output: before, and a copy after."""
    journal_key: Annotated[SecretStr, AfterValidator(values.journal_key)] = SecretStr("")
    """Key that seals the journal: 32 characters or more, drawn at random; needed to hand a password over."""
    journal_key_file: Path = ""
    """File that holds this key, such as `openssl rand -base64 48` makes."""
