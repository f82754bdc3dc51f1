"""What passes between the Gateway and a plugin."""

from dataclasses import dataclass, field
from typing import Any

from .secret import Secret


@dataclass
class SaasConfigEnum:
    """One allowed value of a field."""

    value: str
    desc: str | None = None
    code: str | None = None


@dataclass(kw_only=True)
class SaasConfigItem:
    """One field of the configuration record, found there by its label."""

    id: str
    label: str
    desc: str
    is_secret: bool = False
    type: str | None = "text"
    code: str | None = None
    desc_code: str | None = None
    default_value: Any = None
    enum_values: list[SaasConfigEnum] = field(default_factory=list)
    required: bool = False


@dataclass
class Field:
    """A custom field of the PAM user's record."""

    type: str
    label: str | None
    values: list[Any]


@dataclass(kw_only=True)
class SaasUser:
    """Whose password changes, from what to what."""

    username: Secret
    dn: Secret | None = None
    new_password: Secret | None = None
    prior_password: Secret | None = None
    new_private_key: Secret | None = None
    prior_private_key: Secret | None = None
    database: str | None = None
    fields: list[Field] = field(default_factory=list)


@dataclass(kw_only=True)
class AwsConfig:
    """The credentials of a PAM AWS configuration."""

    aws_access_key_id: Secret | None = None
    aws_secret_access_key: Secret | None = None
    region_names: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class ReturnCustomField:
    """A field that the Gateway writes into the user's record after success; more than these three it refuses."""

    label: str
    type: str = "text"
    value: str | Secret | None = None
