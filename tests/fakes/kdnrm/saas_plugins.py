"""The class every plugin extends."""

from typing import Any, ClassVar, Protocol

from .exceptions import SaasException
from .saas_type import ReturnCustomField, SaasConfigItem, SaasUser


class Record(Protocol):
    """What a plugin sees of a record of the vault."""

    def get_custom_field_value(self, label: str, *, single: bool = False) -> Any:
        """Return the value of a custom field; raises when there is none."""


class SaasPluginBase:
    """Reads the configuration by label in its constructor, where a missing required field ends it."""

    name: ClassVar[str] = "NA"
    summary: ClassVar[str] = ""
    readme: ClassVar[str | None] = None
    author: ClassVar[str | None] = None
    email: ClassVar[str | None] = None

    def __init__(
        self,
        user: SaasUser,
        config_record: Record,
        provider_config: Any = None,
        force_fail: bool = False,  # noqa: FBT001, FBT002 - the Gateway's signature
    ) -> None:
        self.user = user
        self.config_record = config_record
        self.provider_config = provider_config
        self.force_fail = force_fail
        self.return_fields: list[ReturnCustomField] = []
        self._client: Any = None
        self.field_config = {item.id: self._configured(item) for item in self.config_schema()}

    @classmethod
    def requirements(cls) -> list[str]:
        """Return what the Gateway is to install."""
        return []

    @classmethod
    def config_schema(cls) -> list[SaasConfigItem]:
        """Return the fields of the configuration record."""
        return []

    @property
    def can_rollback(self) -> bool:
        """Whether the Gateway may ask for a rollback."""
        return False

    def get_config(self, key: str, default: Any = None) -> Any:
        """Return a configured value by the id of its field."""
        return self.field_config.get(key, default)

    def add_return_field(self, field: ReturnCustomField) -> None:
        """Add a field to what the Gateway writes after success."""
        self.return_fields.append(field)

    def change_password(self) -> None:
        """Change the password; returning is success."""

    def rollback_password(self) -> None:
        """Bring the prior password back; returning is success."""

    def _configured(self, item: SaasConfigItem) -> Any:
        try:
            value = self.config_record.get_custom_field_value(item.label, single=True)
        except ValueError:
            value = None
        value = (value or "").strip() or item.default_value
        if item.required and value is None:
            raise SaasException(
                f"For {self.name}, the field {item.label} is required", code="gateway_kdnrm_saas_value_req"
            )
        if item.type == "bool" and value is not None:
            value = str(value).lower() in {"true", "yes", "1", "on"}
        return value
