"""Single values of the configuration: what each may look like, and in plain words what is wrong with one that may not.

Patterns are AWS's own where AWS has one (API references of Cognito and STS).
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, SecretStr

from connector.directory.safeguard import Limit
from connector.directory.schedule import parse_schedule
from connector.scim.base_url import PREFIX

_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]+")
_POOL = re.compile(r"(?=.{1,55}\Z)[\w-]+_[0-9a-zA-Z]+", re.ASCII)
_ROLE = re.compile(r"arn:aws(?:-[a-z]+)*:iam::(?P<account>[0-9]*):role/[A-Za-z0-9_+=,.@/-]{1,576}")
_QUEUE = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9-]+){0,2}/[0-9]{12}/[A-Za-z0-9_-]{1,80}")
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,1224}")
_ACCESS_KEY = re.compile(r"\w{1,128}", re.ASCII)
_SHORTEST_ACCESS_KEY = 16
_HOST = re.compile(r"[A-Za-z0-9._:-]+")
_DURATION = re.compile(r"(\d{1,6})\s*([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_CLIENT_ID = re.compile(r"[\w+]{1,128}", re.ASCII)
_VAULT = re.compile(r"stdout|secretsmanager:(?:[A-Za-z0-9/_+=.@:!-]|\{username\}){1,2048}")
_IDENTITY_POOL = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]+:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FUNCTION = re.compile(
    r"(?:arn:aws(?:-[a-z]+)*:lambda:[a-z0-9-]+:[0-9]{12}:function:)?[A-Za-z0-9_-]{1,64}(?::[A-Za-z0-9$_-]+)?"
)
_SHORTEST_JOURNAL_KEY = 32
_STORE = re.compile(r"(?:sqlite:///|postgresql(?:\+psycopg)?://).+")
# Goes into JSON text as it is, so it holds nothing that JSON would escape.
_BASE_URL = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)*/?")
_ACCOUNT_DIGITS = 12
_MOST_REQUESTS = 10_000
_LONGEST_GROUP = 128
_LONGEST_ATTRIBUTE = 32


def is_region(text: str) -> bool:
    """Tell whether text looks like an AWS Region, in any partition."""
    return bool(_REGION.fullmatch(text))


def region(text: str) -> str:
    """Check the name of a Region."""
    if text and not is_region(text):
        raise ValueError("is not an AWS Region such as us-east-1")
    return text


def user_pool_id(text: str) -> str:
    """Check the id of a user pool (Cognito: UserPoolIdType); those of emulators need not begin with a Region."""
    if text and not _POOL.fullmatch(text):
        raise ValueError("is not a user pool id such as us-east-1_AbCdEf123: Region, underscore, letters and digits")
    return text


def is_pool_of_aws(text: str) -> bool:
    """Tell whether the id of a user pool begins with a Region, as all of AWS do."""
    return is_region(text.rpartition("_")[0])


def is_access_key_of_aws(text: str) -> bool:
    """Tell whether an access key id is as long as those of AWS (STS: accessKeyIdType)."""
    return len(text) >= _SHORTEST_ACCESS_KEY


def role_arn(text: str) -> str:
    """Check the ARN of a role, in any partition."""
    match = _ROLE.fullmatch(text)
    if text and not match:
        raise ValueError("is not the ARN of a role, such as arn:aws:iam::123456789012:role/cognitoApiAccessRole")
    if match and len(match["account"]) != _ACCOUNT_DIGITS:
        raise ValueError(f"its account id has {len(match['account'])} digits; those of AWS have {_ACCOUNT_DIGITS}")
    return text


def queue_url(text: str) -> str:
    """Check the URL of a standard queue (SQS Developer Guide, "Queue and message identifiers")."""
    if text.endswith(".fifo"):
        raise ValueError("is a FIFO queue, in which one bad message holds up the others; make a standard one")
    if text and not _QUEUE.fullmatch(text):
        raise ValueError(
            "is not the URL of a queue, such as https://sqs.us-east-1.amazonaws.com/123456789012/cognito-changes"
        )
    return text


def queue_region(url: str) -> str:
    """Return the Region that the URL of a queue names, empty where it names none (VPC endpoints, emulators)."""
    labels = re.split(r"[/.]+", url)[1:5]
    return next((label for label in labels if is_region(label)), "")


def external_id(secret: SecretStr) -> SecretStr:
    """Check an ExternalId (STS: externalIdType)."""
    text = secret.get_secret_value()
    if text and not _EXTERNAL_ID.fullmatch(text):
        raise ValueError("an ExternalId has 2 to 1224 characters, each a letter, a digit or one of _+=,.@:/-")
    return secret


def access_key_id(text: str) -> str:
    """Check an access key id; those of emulators may be shorter than any of AWS."""
    if text and not _ACCESS_KEY.fullmatch(text):
        raise ValueError("an access key id has up to 128 letters and digits, such as AKIAIOSFODNN7EXAMPLE")
    return text


def secret_access_key(secret: SecretStr) -> SecretStr:
    """Check that a secret access key is one word; a line break or space came with copying."""
    text = secret.get_secret_value()
    if text and not (text.isascii() and text.isprintable() and " " not in text):
        raise ValueError("a secret access key has no spaces, line breaks or accented letters")
    return secret


def store_url(secret: SecretStr) -> SecretStr:
    """Check that a URL names a database that the store can use."""
    if not _STORE.fullmatch(secret.get_secret_value()):
        raise ValueError("is not a database: write sqlite:///path/to/file.db or postgresql://user@host/database")
    place, _, rest = secret.get_secret_value().partition("://")[2].partition("/")
    signs = place.count("@") + rest.partition("?")[0].count("@")
    if secret.get_secret_value().startswith("postgresql") and (signs > 1 or "@" in rest.partition("?")[0]):
        # Else what follows the first @ would be taken for the host: shown in errors, and asked of the DNS.
        raise ValueError("write @ in its user or password as %40, and / as %2F")
    return secret


def host(text: str) -> str:
    """Check a name or address to listen on; an empty one would mean every address."""
    if not _HOST.fullmatch(text):
        raise ValueError("is not a host name or address")
    return text


def public_base_url(text: str) -> str:
    """Check an address that links begin with, and cut a slash from its end."""
    if text and not _BASE_URL.fullmatch(text):
        raise ValueError("is not an address such as https://scim.example.com, without query, fragment and user")
    if text.rstrip("/").endswith(PREFIX):
        raise ValueError(f"leave out {PREFIX}, which is added")
    return text.rstrip("/")


def client_id(text: str) -> str:
    """Check the id of an app client (Cognito: ClientIdType)."""
    if text and not _CLIENT_ID.fullmatch(text):
        raise ValueError("is not the id of an app client: letters and digits")
    return text


def identity_pool_id(text: str) -> str:
    """Check the id of an identity pool (Cognito: IdentityPoolId)."""
    if text and not _IDENTITY_POOL.fullmatch(text):
        raise ValueError("is not the id of an identity pool, such as us-east-1:01234567-89ab-cdef-0123-456789abcdef")
    return text


def function_name(text: str) -> str:
    """Check the name or ARN of a function (Lambda: FunctionName)."""
    if not _FUNCTION.fullmatch(text):
        raise ValueError("is not the name or ARN of a Lambda function")
    return text


def vault(text: str) -> str:
    """Check where passwords are kept."""
    if text and not _VAULT.fullmatch(text):
        raise ValueError("is not a vault: write stdout, or secretsmanager: and the name or ARN of the secret")
    return text


def characters(text: str) -> str:
    """Check what passwords are drawn from; Cognito allows no white space (PasswordType)."""
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise ValueError("has white space, or characters that are not ASCII")
    return text


def journal_key(secret: SecretStr) -> SecretStr:
    """Check that a key is long enough to be one."""
    if 0 < len(secret.get_secret_value()) < _SHORTEST_JOURNAL_KEY:
        raise ValueError(f"is shorter than {_SHORTEST_JOURNAL_KEY} characters; make one with: openssl rand -base64 48")
    return secret


def path(text: str) -> str:
    """Check the name of a file."""
    if "\0" in text:
        raise ValueError("is not the name of a file")
    return text


def template(text: str) -> str:
    """Check a template over `{id}`, `{username}` and `{user_name}`."""
    rest = text.replace("{id}", "").replace("{username}", "").replace("{user_name}", "")
    if "{" in rest or "}" in rest or not rest.isprintable():
        raise ValueError("may hold {id}, {username} and {user_name}, but no other braces and no control characters")
    return text


def limit(value: Any) -> str:
    """Check a limit of the safeguard; a plain number is one too."""
    text = "" if isinstance(value, bool) or not isinstance(value, int | str) else str(value)
    try:
        Limit.parse(text)
    except ValueError:
        raise ValueError('is not a limit: write 10, "10%" or "10 or 10%"') from None
    return text


def with_unit(value: Any) -> Any:
    """Refuse a bare number where a length of time is wanted, and say how it is written."""
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError(f"has no unit: write {value}d for days, or s, m or h")  # noqa: TRY004 - see number
    return value


def duration(text: str) -> str:
    """Check a length of time."""
    if seconds(text) <= 0:
        raise ValueError("is not a length of time: write 90s, 30m, 1h or 30d")
    return text


def schedule(text: str) -> str:
    """Check a schedule; an empty one means never."""
    if text.strip():
        parse_schedule(text)
    return text.strip()


def seconds(text: str) -> float:
    """Return a length of time in seconds, 0 for anything that is none."""
    match = _DURATION.fullmatch(text.strip())
    return float(match[1]) * _SECONDS[match[2]] if match else 0.0


def number(value: Any) -> Any:
    """Refuse true and false where a number is wanted; Python would take them for 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic reports a ValueError as a fault
    return value


def rate(value: Any) -> Any:
    """Read a number of requests in a second; YAML takes a bare `off` for false."""
    if value is False or value in ("", "off"):
        return "off"
    number(value)
    try:
        requests = float(value)
    except (TypeError, ValueError):
        requests = 0.0
    if not 0 < requests <= _MOST_REQUESTS:
        raise ValueError(f"must be off, or a number of requests of at most {_MOST_REQUESTS}")
    return requests


def group_names(value: Any) -> tuple[str, ...]:
    """Read group names as a list or one a line, each once, in order (Cognito: GroupNameType)."""
    return tuple(dict.fromkeys(_names(value, longest=_LONGEST_GROUP)))


def custom_attributes(value: Any) -> Any:
    """Read `all`, `none`, or names of attributes as a list or one a line."""
    if value in ("all", "none"):
        return value
    names = tuple(dict.fromkeys(_names(value, longest=_LONGEST_ATTRIBUTE)))
    for name in names:
        if not name.startswith(("custom:", "dev:custom:")):
            raise ValueError(f"{name!r} is not a custom attribute such as custom:department")
    return names


def _names(value: Any, *, longest: int) -> Iterator[str]:
    entries = value.splitlines() if isinstance(value, str) else value
    if not isinstance(entries, list | tuple):
        raise ValueError("must be a list of names, or one name a line")  # noqa: TRY004 - see number
    for entry in entries:
        if not isinstance(entry, str):
            raise ValueError("every name must be text: put it in quotes")  # noqa: TRY004 - see number
        name = entry.strip()
        if name and not is_name(name, longest):
            raise ValueError(f"{name[:40]!r} cannot be a name: 1 to {longest} characters and no space, one name a line")
        if name:
            yield name


def is_name(text: str, longest: int) -> bool:
    """Tell whether Cognito allows a name: letters, marks, symbols, numbers and punctuation."""
    return 0 < len(text) <= longest and all(unicodedata.category(sign)[0] in "LMSNP" for sign in text)


def attribute(text: str) -> str:
    """Check the name of an attribute (Cognito: AttributeNameType)."""
    if text and not is_name(text, _LONGEST_ATTRIBUTE):
        raise ValueError(f"is not the name of an attribute: up to {_LONGEST_ATTRIBUTE} characters and no space")
    return text


class Source(BaseModel):
    """The Cognito attribute that feeds a SCIM attribute; `trusted` says that only administrators can write it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    attribute: Annotated[str, AfterValidator(attribute)]
    trusted: bool = False


def _source(value: Any) -> Any:
    return {"attribute": value} if isinstance(value, str) else value


def _spelled_out(value: Any) -> Any:
    if isinstance(value, str) and value:
        raise ValueError('importers authorise by it: write {attribute: "…", trusted: true} if only administrators can')
    return _source(value)


def _trusted(source: Source) -> Source:
    if source.attribute and not source.trusted:
        raise ValueError(
            "importers authorise by it: say trusted: true once only administrators can write the attribute"
        )
    return source


AnySource = Annotated[Source, BeforeValidator(_source, json_schema_input_type=str | Source)]
TrustedSource = Annotated[
    Source, BeforeValidator(_spelled_out, json_schema_input_type=Literal[""] | Source), AfterValidator(_trusted)
]
