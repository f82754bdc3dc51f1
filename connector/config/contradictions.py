"""Rules that join several keys: what contradicts itself, and what works but deserves a second look.

They look at what was given, not at validated models, so that one bad value hides no other fault.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from connector.config.faults import Fault
from connector.config.feed import Feed
from connector.config.keys import holds_secret, key_names
from connector.config.sources import GivenValue, ReadValues
from connector.config.values import group_names, is_access_key_of_aws, is_pool_of_aws, queue_region, seconds

_SHORT_EXTERNAL_ID = 16
_ADMINISTRATED = ("", "auto", "username", "sub")


@dataclass(frozen=True, slots=True)
class GivenValues:
    """What was given under each key; `faulty` keys count as given, but their values are not looked at."""

    reading: ReadValues
    faulty: frozenset[str]

    def has(self, key: str) -> bool:
        """Tell whether a key has a value, or a file that should hold one."""
        return any(self._found(name).value not in ("", None) for name in (key, f"{key}_file"))

    def text(self, key: str) -> str:
        """Return the text given under a key, empty when there is none that can be used."""
        value = self._found(key).value
        return value if isinstance(value, str) and key not in self.faulty else ""

    def count(self, key: str) -> int:
        """Return how many names are given under a key; a list that cannot be used counts as one."""
        return 1 if key in self.faulty else len(group_names(self._found(key).value or ()))

    def origin(self, key: str) -> str:
        """Return where the value of a key was found."""
        return self._found(key).origin

    def _found(self, key: str) -> GivenValue:
        return self.reading.found.get(key, GivenValue(None, ""))


def find_contradictions(given: GivenValues, *, reads_pool: bool) -> Iterator[Fault]:
    """Yield what contradicts itself or is missing.

    Args:
        given: the configuration.
        reads_pool: whether the command needs a user pool at all.
    """
    if reads_pool and not given.has("cognito.user_pool_id"):
        yield Fault("cognito.user_pool_id", "missing: name the user pool to read, such as us-east-1_AbCdEf123")
    elif given.has("rotation.schedule") and not given.has("cognito.user_pool_id"):
        yield Fault("cognito.user_pool_id", "missing: rotation.schedule rotates users of the pool")
    elif given.has("feed.queue_url") and not given.has("cognito.user_pool_id"):
        yield Fault("cognito.user_pool_id", "missing: feed.queue_url tells of changes in the pool")
    yield from _region(given)
    yield from _credentials(given)
    yield from _together(given, "aws.access_key_id", "aws.secret_access_key")
    yield from _together(given, "server.tls_certificate", "server.tls_key")
    for section in ("aws", "rotation", "feed"):
        if given.has(f"{section}.role_arn") and not given.has(f"{section}.external_id"):
            reason = "missing: a role is assumed only with the ExternalId that its trust policy names"
            yield Fault(f"{section}.external_id", reason)
    yield from _rotation(given)
    yield from _feed(given)


def _region(given: GivenValues) -> Iterator[Fault]:
    region, pool = given.text("cognito.region"), given.text("cognito.user_pool_id")
    if pool and not is_pool_of_aws(pool):
        if not given.has("cognito.region"):
            yield Fault("cognito.region", f"missing: the user pool id {pool} does not begin with it")
    elif region and pool and pool.partition("_")[0] != region:
        reason = (
            f"the user pool {pool} is in {pool.partition('_')[0]}; leave the Region out, it is taken from the pool id"
        )
        yield Fault("cognito.region", reason, f'"{region}"', given.origin("cognito.region"))


def _credentials(given: GivenValues) -> Iterator[Fault]:
    source, keys = given.text("aws.credential_source"), given.has("aws.access_key_id")
    origin = given.origin("aws.credential_source")
    if source == "access-key" and not keys:
        yield Fault("aws.access_key_id", "missing: aws.credential_source is access-key", origin=origin)
    if source == "login" and not given.has("login.client_id"):
        yield Fault("login.client_id", "missing: aws.credential_source is login", origin=origin)
    if source == "profile" and not given.has("aws.profile"):
        yield Fault("aws.profile", "missing: aws.credential_source is profile", origin=origin)
    if not given.has("aws.credential_source") and keys and given.has("aws.profile"):
        reason = "access keys are given too; say with aws.credential_source which to use"
        yield Fault("aws.profile", reason, origin=given.origin("aws.profile"))


def _rotation(given: GivenValues) -> Iterator[Fault]:
    role, origin = given.text("rotation.role_arn"), given.origin("rotation.role_arn")
    if role and role == given.text("aws.role_arn"):
        yield Fault(
            "rotation.role_arn", "is the role that reads the pool; rotations need one of their own", role, origin
        )
    if given.has("rotation.schedule"):
        yield from _scheduled_rotation(given)
    if given.text("rotation.vault") == "stdout" and not given.has("rotation.journal_key"):
        reason = "missing: standard output cannot keep a password that is not live yet; the journal does, sealed by it"
        yield Fault("rotation.journal_key_file", reason, origin=given.origin("rotation.vault"))


def _scheduled_rotation(given: GivenValues) -> Iterator[Fault]:
    """Yield what a rotation lacks that nobody attends: whom to rotate, where, and a place that keeps passwords."""
    origin = given.origin("rotation.schedule")
    if not given.count("rotation.allow"):
        yield Fault("rotation.allow", "missing: rotation.schedule rotates the accounts that it names", origin=origin)
    vault = given.text("rotation.vault")
    if not given.has("rotation.vault"):
        yield Fault("rotation.vault", "missing: rotation.schedule keeps the passwords there", origin=origin)
    origin = given.origin("rotation.vault")
    if vault == "stdout":
        reason = "cannot keep what rotation.schedule rotates, for nobody reads it; name secretsmanager:NAME"
        yield Fault("rotation.vault", reason, vault, origin)
    elif vault and "{username}" not in vault and given.count("rotation.allow") > 1:
        reason = "is one secret for several accounts of rotation.schedule; put {username} into its name"
        yield Fault("rotation.vault", reason, vault, origin)


def _feed(given: GivenValues) -> Iterator[Fault]:
    defaults = {name: str(Feed.model_fields[name].default) for name in ("debounce", "settle")}
    debounce, settle = (given.text(f"feed.{name}") or default for name, default in defaults.items())
    if seconds(debounce) >= seconds(settle) > 0:
        reason = f"must be shorter than feed.settle ({settle}): the first read comes before the last"
        yield Fault("feed.debounce", reason, debounce, given.origin("feed.debounce"))


def _together(given: GivenValues, one: str, other: str) -> Iterator[Fault]:
    for missing, there in ((one, other), (other, one)):
        if given.has(there) and not given.has(missing):
            yield Fault(missing, f"missing: {there} is given, and neither works without the other")


def find_warnings(given: GivenValues, *, reads_pool: bool) -> Iterator[str]:
    """Yield what works but deserves a second look, a sentence each."""
    for key in key_names():
        if _is_in_yaml(given, key):
            yield f"{key} is written in {given.origin(key)}; better name a file with {key}_file."
    if reads_pool:
        yield from _warnings_of_access(given)
        yield from _warnings_of_person(given)
    yield from _warnings_of_address(given)
    if given.has("sync.schedule") and not given.has("cognito.user_pool_id"):
        yield "sync.schedule is set, but no cognito.user_pool_id; every scheduled sync will fail."
    if given.has("feed.queue_url"):
        yield from _warnings_of_feed(given)
    for key, default in (("mapping.user_name", "auto"), ("mapping.email", "email")):
        yield from _warnings_of_linking(given, key, default)


def _is_in_yaml(given: GivenValues, key: str) -> bool:
    origin = given.origin(key)
    return ", line " in origin and not origin.startswith("file ") and holds_secret(key, given.text(key))


def _warnings_of_access(given: GivenValues) -> Iterator[str]:
    pool, key = given.text("cognito.user_pool_id"), given.text("aws.access_key_id")
    if pool and not is_pool_of_aws(pool):
        yield f"cognito.user_pool_id is {pool}, which only an emulator has: an id of AWS begins with its Region."
    if key and not is_access_key_of_aws(key):
        yield "aws.access_key_id is shorter than those of AWS; only an emulator takes it."
    if not given.has("aws.role_arn"):
        yield "aws.role_arn is not set; the source credentials read the pool as they are."
    elif 0 < len(given.text("aws.external_id")) < _SHORT_EXTERNAL_ID:
        yield f"aws.external_id is shorter than {_SHORT_EXTERNAL_ID} characters; choose a random one nobody can guess."
    if given.has("aws.access_key_id") and given.text("aws.credential_source") in {"chain", "profile", "login"}:
        yield f"aws.access_key_id is not used: aws.credential_source is {given.text('aws.credential_source')}."


def _warnings_of_person(given: GivenValues) -> Iterator[str]:
    if given.text("aws.credential_source") == "login" and (
        given.has("sync.schedule") or given.has("rotation.schedule")
    ):
        yield "aws.credential_source is login: a schedule ends when that person's session at the pool does."


def _warnings_of_address(given: GivenValues) -> Iterator[str]:
    proxies = str(given.reading.found.get("server.trusted_proxies", GivenValue(0, "")).value)
    everywhere = given.text("server.host") in {"0.0.0.0", "::"}  # noqa: S104 - to warn of it
    if (everywhere or proxies != "0") and not given.has("server.public_base_url"):
        yield "server.public_base_url is not set; links will name the address listened on, not the one importers use."


def _warnings_of_feed(given: GivenValues) -> Iterator[str]:
    if not given.has("sync.schedule"):
        yield "feed.queue_url is set, but no sync.schedule; only a full sync finds what no event told of."
    queue, pool = queue_region(given.text("feed.queue_url")), given.text("cognito.user_pool_id").partition("_")[0]
    if queue and pool and queue != pool:
        yield f"feed.queue_url is in {queue}, the user pool in {pool}; a rule reaches queues of its own Region only."


def _warnings_of_linking(given: GivenValues, key: str, default: str) -> Iterator[str]:
    """Importers link accounts by userName and e-mail, so nobody should be able to choose them freely (P19)."""
    source = given.text(key) or given.text(f"{key}.attribute")
    trusted = given.reading.found.get(f"{key}.trusted", GivenValue(value=False, origin=""))
    if source not in (*_ADMINISTRATED, default) and str(trusted.value).lower() != "true":
        yield (
            f"{key} is {source}, which users may be able to write themselves, and importers link accounts by it; "
            f"say trusted: true if only administrators can."
        )
