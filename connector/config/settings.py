"""Every key of the configuration: its meaning, default and range.

The models are frozen, their secrets do not show. `schemas/config.schema.json` is made from them. Rules that join
several keys are in `contradictions`.
"""

import pathlib
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    model_validator,
)

from connector.config import values
from connector.config.feed import Feed
from connector.config.login import Login
from connector.config.rotation import Rotation
from connector.config.section import Duration, Limit, NeededTemplate, Path, Section, Template, Whole
from connector.config.values import AnySource, Source, TrustedSource

_DEFAULT_LIMIT = "10 or 10%"
NOT_SERVED = Source(attribute="")


class Cognito(Section):
    """The user pool that is read."""

    region: Annotated[str, AfterValidator(values.region)] = ""
    """AWS Region of the user pool; taken from the pool id when left out."""
    user_pool_id: Annotated[str, AfterValidator(values.user_pool_id)] = ""
    """Id of the user pool; needed by every command that reads it."""
    groups: Annotated[tuple[str, ...], BeforeValidator(values.group_names, json_schema_input_type=list[str] | str)] = ()
    """Groups whose members are read, as a list or one name a line; empty means every user and group."""
    requests_per_second: Annotated[float, BeforeValidator(values.number), Field(gt=0, le=1000)] = 20.0
    """Ceiling for list calls; the quota is 30, shared with everything else in the account and Region."""

    @model_validator(mode="before")
    @classmethod
    def _take_region_from_pool_id(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("region") or not isinstance(given.get("user_pool_id"), str):
            return given
        pool = given["user_pool_id"]
        return {**given, "region": pool.rpartition("_")[0]} if values.is_pool_of_aws(pool) else given


class Aws(Section):
    """Who calls AWS."""

    credential_source: Literal["", "access-key", "chain", "profile", "login"] = ""
    """Where the source credentials come from. Empty means access-key when keys are given, else profile when one is
    named, else chain, the default chain of AWS. login is the person who is signed in (`cognito-scim login`)."""
    access_key_id: Annotated[str, AfterValidator(values.access_key_id)] = ""
    """Access key id of the service user."""
    access_key_id_file: Path = ""
    """File that holds the access key id."""
    secret_access_key: Annotated[SecretStr, AfterValidator(values.secret_access_key)] = SecretStr("")
    """Secret access key of the service user."""
    secret_access_key_file: Path = ""
    """File that holds the secret access key."""
    profile: str = ""
    """Profile of the AWS configuration files to take the source credentials from; its other settings hold as well."""
    sts_region: Annotated[str, AfterValidator(values.region)] = ""
    """Region whose STS is asked, empty for that of the pool. A Region that has to be enabled knows only the accounts
    that have enabled it: where the source credentials are of one that has not, name another, such as us-east-1."""
    role_arn: Annotated[str, AfterValidator(values.role_arn)] = ""
    """Role to assume; without it the source credentials are used as they are, with a warning."""
    external_id: Annotated[SecretStr, AfterValidator(values.external_id)] = SecretStr("")
    """ExternalId that the role's trust policy asks for; needed with role_arn."""
    external_id_file: Path = ""
    """File that holds the ExternalId."""
    session_duration: Annotated[Whole, Field(ge=1800, le=43200)] = 3600
    """Seconds that a role session lasts; a shorter one would be renewed over and over during a harvest. A role assumed
    from another role lasts 3600 at most."""

    @model_validator(mode="before")
    @classmethod
    def _choose_credential_source(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("credential_source"):
            return given
        source = "access-key" if given.get("access_key_id") else "profile" if given.get("profile") else "chain"
        return {**given, "credential_source": source}


class Enterprise(Section):
    """Attributes of the SCIM enterprise extension (RFC 7643, section 4.3)."""

    employee_number: AnySource = NOT_SERVED
    """Feeds employeeNumber."""
    cost_center: AnySource = NOT_SERVED
    """Feeds costCenter."""
    organization: AnySource = NOT_SERVED
    """Feeds organization."""
    division: AnySource = NOT_SERVED
    """Feeds division."""
    department: AnySource = NOT_SERVED
    """Feeds department."""


class FallbackTemplates(Section):
    """What stands in for an attribute that a user does not have: templates over {id}, {username} and {user_name}.

    `{user_name}` is the sign-in name that people know. Given and family name are first taken from the whole name.
    """

    given_name: Template = "{user_name}"
    """Stands in for name.givenName, which some importers require; empty leaves it out."""
    family_name: NeededTemplate = "{user_name}"
    """Stands in for name.familyName, which importers require."""
    display_name: NeededTemplate = "{user_name}"
    """Stands in for displayName, which importers require."""
    email: Template = "{id}@no-email.example.com"
    """Stands in for the primary e-mail address; empty leaves it out. The domain is reserved (RFC 2606):
    nothing is ever delivered to it."""


class Mapping(Section):
    """Which Cognito attribute feeds which SCIM attribute; an empty name serves nothing."""

    user_name: AnySource = Source(attribute="auto")
    """Feeds userName: auto, username, sub or any attribute. auto is the Cognito username or, where
    that was generated, the verified e-mail address or phone number."""
    formatted_name: AnySource = Source(attribute="name")
    """Feeds name.formatted."""
    given_name: AnySource = Source(attribute="given_name")
    """Feeds name.givenName."""
    middle_name: AnySource = Source(attribute="middle_name")
    """Feeds name.middleName."""
    family_name: AnySource = Source(attribute="family_name")
    """Feeds name.familyName."""
    display_name: AnySource = Source(attribute="name")
    """Feeds displayName."""
    nick_name: AnySource = Source(attribute="nickname")
    """Feeds nickName."""
    profile_url: AnySource = Source(attribute="profile")
    """Feeds profileUrl."""
    photo: AnySource = Source(attribute="picture")
    """Feeds photos."""
    email: AnySource = Source(attribute="email")
    """Feeds the primary e-mail address, verbatim."""
    phone_number: AnySource = Source(attribute="phone_number")
    """Feeds phoneNumbers."""
    address: AnySource = Source(attribute="address")
    """Feeds addresses."""
    locale: AnySource = Source(attribute="locale")
    """Feeds locale."""
    timezone: AnySource = Source(attribute="zoneinfo")
    """Feeds timezone."""
    preferred_language: AnySource = NOT_SERVED
    """Feeds preferredLanguage."""
    title: AnySource = NOT_SERVED
    """Feeds title."""
    user_type: TrustedSource = NOT_SERVED
    """Feeds userType; importers authorise by it: {attribute: "custom:type", trusted: true}."""
    roles: TrustedSource = NOT_SERVED
    """Feeds roles, comma-separated; importers authorise by them: {attribute: "custom:roles", trusted: true}."""
    entitlements: TrustedSource = NOT_SERVED
    """Feeds entitlements, comma-separated; importers authorise by them: {attribute: "custom:rights", trusted: true}."""
    enterprise: Enterprise = Enterprise()
    """Attributes of the SCIM enterprise extension."""
    custom_attributes: Annotated[
        Literal["all", "none"] | tuple[str, ...],
        BeforeValidator(values.custom_attributes, json_schema_input_type=list[str] | str),
    ] = "all"
    """Custom attributes served in the Cognito extension: all, none, or a list of names (custom:department)."""
    fallbacks: FallbackTemplates = FallbackTemplates()
    """What stands in for an attribute that a user does not have."""
    provider_groups: bool = True
    """Serve the groups that Cognito makes for the users of each identity provider."""


class Safeguard(Section):
    """How much one sync may take away or change: N, P% of what is published, or "N or P%" (the larger)."""

    max_removed_users: Limit = _DEFAULT_LIMIT
    """Users that may be removed."""
    max_removed_groups: Limit = _DEFAULT_LIMIT
    """Groups that may be removed."""
    max_removed_memberships: Limit = _DEFAULT_LIMIT
    """Memberships that may be removed."""
    max_removed_members_per_group: Limit = _DEFAULT_LIMIT
    """Members that any one group may lose."""
    max_deactivated_users: Limit = _DEFAULT_LIMIT
    """Users that may become inactive."""
    max_rejects: Limit = _DEFAULT_LIMIT
    """Records of the pool that may be unservable."""
    max_renamed_users: Limit = _DEFAULT_LIMIT
    """Users that may get another userName, by which importers find people."""
    max_changed_emails: Limit = _DEFAULT_LIMIT
    """Users whose primary e-mail address may change or go."""
    max_emptied_groups: Limit = _DEFAULT_LIMIT
    """Groups that may lose their last member."""


class Sync(Section):
    """How the directory is brought up to date."""

    schedule: Annotated[str, AfterValidator(values.schedule)] = ""
    """When `serve` syncs by itself: every 6h (m, h or d), or five cron fields in UTC; empty means never."""
    safeguard: Safeguard = Safeguard()
    """How much one sync may take away or change."""
    deadline: Duration = "6h"
    """How long reading the pool may take; a run that is not done by then ends as incomplete and changes nothing."""
    walk_timeout: Duration = "1h"
    """How long after its last page an importer's walk stays on the generation it began with; 24 times that after its
    first page it ends. A superseded generation is kept for as long."""
    retention: Duration = "30d"
    """How long ids of removed resources, runs in the history and the generations to compare are remembered; the newest
    1000 runs always are, of generations 100 at most."""


class Store(Section):
    """Where the directory is kept."""

    url: Annotated[SecretStr, AfterValidator(values.store_url)] = SecretStr("sqlite:///cognito-scim.db")
    """Database: sqlite:///path/to/file.db or postgresql://user@host/database."""
    url_file: Path = ""
    """File that holds the URL of the database."""


class Server(Section):
    """The SCIM endpoint."""

    host: Annotated[str, AfterValidator(values.host)] = "127.0.0.1"
    """Address to listen on; one that others can reach needs a certificate or trusted_proxies."""
    port: Annotated[Whole, Field(ge=0, le=65535)] = 8080
    """Port to listen on; 0 takes any free one."""
    public_base_url: Annotated[str, AfterValidator(values.public_base_url)] = ""
    """Address under which importers reach the server, with which every link in an answer begins; made from host and
    port when left out."""
    tls_certificate: Path = ""
    """File with the certificate chain (PEM)."""
    tls_key: Path = ""
    """File with the certificate's private key (PEM)."""
    threads: Annotated[Whole, Field(ge=1, le=256)] = 16
    """Requests answered at a time."""
    trusted_proxies: Annotated[Whole, Field(ge=0, le=16)] = 0
    """Number of reverse proxies in front, whose X-Forwarded-For is believed."""
    max_results: Annotated[Whole, Field(ge=1, le=10_000_000)] = 100_000
    """Largest page a client may ask for; a larger one is refused, never cut short."""
    requests_per_second_per_client: Annotated[
        Literal["off"] | float,
        BeforeValidator(values.rate, json_schema_input_type=Literal["off"] | Annotated[float, Field(gt=0, le=10_000)]),
    ] = "off"
    """Requests that one client may send in a second, each replica counting by itself; who sends more is answered with
    429. Choose it so that a whole import never meets it; off means no limit."""

    request_log: bool = True
    """Log a line for every request: client, method, path, status, rows, generation, milliseconds and request id."""

    @property
    def rate_limit(self) -> float | None:
        """Requests that one client may send in a second, None for any number."""
        return None if self.requests_per_second_per_client == "off" else self.requests_per_second_per_client

    def base_url(self, port: int | None = None) -> str:
        """Return the public base URL.

        Args:
            port: the port really listened on, where the configured one is 0.
        """
        if self.public_base_url:
            return self.public_base_url
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls_certificate else 'http'}://{host}:{port or self.port}"


class Settings(Section):
    """The whole configuration of cognito-scim."""

    cognito: Cognito = Cognito()
    """The user pool that is read."""
    aws: Aws = Aws()
    """Who calls AWS."""
    mapping: Mapping = Mapping()
    """Which Cognito attribute feeds which SCIM attribute."""
    sync: Sync = Sync()
    """How the directory is brought up to date."""
    store: Store = Store()
    """Where the directory is kept."""
    feed: Feed = Feed()
    """The change feed: a queue that says who may have changed, beside the full sync."""
    server: Server = Server()
    """The SCIM endpoint."""
    rotation: Rotation = Rotation()
    """The rotation of passwords."""
    login: Login = Login()
    """People's temporary AWS credentials through the user pool."""

    _warnings: tuple[str, ...] = PrivateAttr(default=())
    _origins: dict[str, str] = PrivateAttr(default_factory=dict)
    _file: pathlib.Path | None = PrivateAttr(default=None)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What works but deserves a second look, a sentence each."""
        return self._warnings

    @property
    def origins(self) -> dict[str, str]:
        """Where each key that was given came from; keys with their default are absent."""
        return self._origins

    @property
    def file(self) -> pathlib.Path | None:
        """The file that was read, None where there was none."""
        return self._file

    def secrets(self) -> Iterator[str]:
        """Yield each secret, for the logs to keep out."""
        for _, section in self:
            for _, value in section:
                if isinstance(value, SecretStr) and not value.get_secret_value().startswith("sqlite:"):
                    yield value.get_secret_value()
