"""Test Connectivity: prove, in order, everything a sync will need, and say for each failure what to do about it.

Only the read actions of a sync and STS are called. That a role asks for the ExternalId is proven by trying without it,
since AWS ignores one that the trust policy does not ask for (confused deputy; IAM User Guide). Promises P25, P33.
"""

import difflib
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from connector.cognito.errors import SKEW_REMEDY, describe_skew
from connector.cognito.meter import Meter
from connector.cognito.pool import UserPool
from connector.cognito.session import Access, AwsSession, utc_now
from connector.directory.counts import count_of
from connector.errors import ConfigError, ConnectorError, SourceDenied, SourceMissing

CLOCK_WARNING = timedelta(seconds=60)
CLOCK_FAILURE = timedelta(seconds=300)
NO_SUCH_GROUP = "cognito-scim-no-such-group"
POOL = "pool"
CHANGE_FEED = "change_feed"
TRUST_REMEDY = (
    "Put the condition into the role's trust policy:"
    ' "Condition": {"StringEquals": {"sts:ExternalId": "<the value of aws.external_id>"}}.'
)


class Status(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the result."""

    name: str
    status: Status
    detail: str
    remedy: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Remark:
    """What works but deserves a second look."""

    detail: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What is examined.

    Args:
        access: how to reach the pool, or why the configuration did not load.
        warnings: what the configuration should do better.
        configuration: names where the configuration comes from.
        store: names the store.
        groups: names of the configured groups; none means the whole pool.
        examine_store: proves that the store can be read and written, and yields what deserves a second look; None when
            it is not known which store.
        examine_feed: proves that the queue of the change feed can be read and cleared, and yields what deserves a
            second look; None without a feed.
        now: the clock that is compared with that of AWS.
    """

    access: Access | ConfigError
    warnings: tuple[str, ...] = ()
    configuration: str = "the environment"
    store: str = "the store"
    groups: tuple[str, ...] = ()
    examine_store: Callable[[], Iterable[Remark]] | None = None
    examine_feed: Callable[[], Iterable[Remark]] | None = None
    now: Callable[[], datetime] = utc_now


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step found out."""

    detail: str
    status: Status = Status.PASSED
    remedy: str | None = None


def check_connectivity(subject: Subject) -> Iterator[Check]:
    """Yield each check as it ends; those that depend on one that failed are skipped."""
    examination = _Examination(subject)
    for name, needs, look in STEPS:
        if name == CHANGE_FEED and subject.examine_feed is None:
            continue
        began = time.perf_counter()
        blocker = next((examination.blocked[need] for need in needs if need in examination.blocked), None)
        if blocker:
            found = StepResult(f"Not tried, because {blocker} failed.", Status.SKIPPED)
        else:
            found = _look_safely(examination, look)
        if found.status in {Status.FAILED, Status.SKIPPED}:
            examination.blocked[name] = blocker or name
        if examination.pool_is_out:
            examination.blocked.setdefault(POOL, name)
        yield Check(name, found.status, found.detail, found.remedy, round(time.perf_counter() - began, 3))


class _Examination:
    """What the steps hand on to each other."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._session: AwsSession | None = None
        self._pool: UserPool | None = None
        self._known_group = ""
        self.blocked: dict[str, str] = {}
        self.pool_is_out = False

    @property
    def access(self) -> Access:
        """The access, with the short patience of somebody who waits at a terminal."""
        access = self._subject.access
        if isinstance(access, ConfigError):
            raise access
        hasty = replace(access.patience, attempts=min(access.patience.attempts, 2), read_timeout=10, deadline=60)
        return replace(access, patience=hasty)

    @property
    def session(self) -> AwsSession:
        """The session with AWS."""
        if self._session is None:
            self._session = AwsSession(self.access, run="check", meter=Meter(), now=self._subject.now)
        return self._session

    @property
    def pool(self) -> UserPool:
        """The pool, read as a sync will read it."""
        if self._pool is None:
            self._pool = self.session.pool()
        return self._pool

    def configuration(self) -> StepResult:
        access = self.access
        where = f"User pool {access.user_pool_id} in {access.region}, says {self._subject.configuration}."
        if not self._subject.warnings:
            return StepResult(where)
        detail = " ".join([where, *self._subject.warnings])
        return StepResult(
            detail, Status.WARNING, "Change what is named here; the sync works without that, less safely."
        )

    def credentials(self) -> StepResult:
        return StepResult(f"AWS knows the caller as {self.session.caller().arn}.")

    def clock(self) -> StepResult:
        ahead = self._session.clock_ahead if self._session else None
        if ahead is None:
            return StepResult("AWS gave no time to compare with.", Status.SKIPPED)
        detail = f"This machine's clock is {describe_skew(ahead)}."
        if abs(ahead) <= CLOCK_WARNING:
            return StepResult(detail)
        return StepResult(detail, Status.WARNING if abs(ahead) <= CLOCK_FAILURE else Status.FAILED, SKEW_REMEDY)

    def assume_role(self) -> StepResult:
        if not self.access.role_arn:
            remedy = "Make a role that may read the pool and nothing else, and name it in aws.role_arn."
            return StepResult("No role is configured; the source credentials read the pool.", Status.WARNING, remedy)
        self.session.assume_role()
        return StepResult(f"{self.access.role_arn} was assumed.")

    def external_id(self) -> StepResult:
        if not self.access.role_arn:
            remedy = "Set aws.role_arn and aws.external_id."
            return StepResult("Without a role there is no ExternalId to prove.", Status.WARNING, remedy)
        if not self.access.external_id:
            remedy = f"Set aws.external_id to a long random value. {TRUST_REMEDY}"
            return StepResult("No ExternalId is configured, and the role asks for none.", Status.WARNING, remedy)
        tries = {"without an ExternalId": "", "with a wrong ExternalId": f"wrong-{secrets.token_hex(16)}"}
        let_in = [how for how, external_id in tries.items() if self.session.role_admits(external_id)]
        if let_in:
            return StepResult(f"The role also lets the caller in {' and '.join(let_in)}.", Status.WARNING, TRUST_REMEDY)
        return StepResult("The role refuses the caller without the ExternalId and with a wrong one.")

    def list_users(self) -> StepResult:
        return self._list("ListUsers", lambda: next(self.pool.users()))

    def list_groups(self) -> StepResult:
        def read_first_page() -> None:
            self._known_group = next((group.name for group in next(self.pool.groups())), "")

        return self._list("ListGroups", read_first_page)

    def list_users_in_group(self) -> StepResult:
        group = next(iter(self._subject.groups), self._known_group) or NO_SUCH_GROUP
        try:
            next(self.pool.members(group))
        except SourceMissing:
            return StepResult(f"ListUsersInGroup is allowed; it answered that there is no group {group!r}.")
        return StepResult(f"ListUsersInGroup is allowed; group {group!r} was read.")

    def configured_groups(self) -> StepResult:
        groups = self._subject.groups
        if not groups:
            return StepResult("No list of groups: the whole pool is read.")
        missing = [name for name in groups if not self._exists(name)]
        if not missing:
            return StepResult(f"{count_of(len(groups), 'listed group is', 'listed groups are')} there.")
        names = ", ".join(repr(name) for name in missing)
        return StepResult(f"Not in the pool: {names}.", Status.FAILED, self._suggest(missing))

    def store(self) -> StepResult:
        if self._subject.examine_store is None:
            return StepResult("Not tried, because the configuration did not load.", Status.SKIPPED)
        remarks = list(self._subject.examine_store())
        works = f"{self._subject.store} can be read and written."
        return _warn(works, remarks) if remarks else StepResult(works)

    def change_feed(self) -> StepResult:
        remarks = list(self._subject.examine_feed()) if self._subject.examine_feed else []
        if remarks:
            return _warn("The queue can be read and cleared.", remarks)
        return StepResult("The queue can be read and cleared, and the rule gives signs of life.")

    def _list(self, operation: str, read_page: Callable[[], object]) -> StepResult:
        try:
            read_page()
        except SourceDenied as denied:
            if not self._subject.groups:
                raise
            detail = f"{denied.message} With a list of groups it is not needed."
            return StepResult(detail, Status.WARNING, f"Before the list is emptied: {denied.remedy}")
        except ConnectorError:
            self.pool_is_out = True
            raise
        return StepResult(f"{operation} is allowed.")

    def _exists(self, group: str) -> bool:
        try:
            self.pool.group(group)
        except SourceMissing:
            return False
        return True

    def _suggest(self, missing: Sequence[str]) -> str:
        try:
            there = {group.name.casefold(): group.name for page in self.pool.groups() for group in page}
        except ConnectorError:
            there = {}
        near = {name: difflib.get_close_matches(name.casefold(), there, n=1) for name in missing}
        meant = ", ".join(f"{there[found[0]]!r} for {name!r}" for name, found in near.items() if found)
        hint = f"Perhaps {meant} was meant. " if meant else ""
        return f"{hint}Correct cognito.groups (upper and lower case count) or make the groups."


def _look_safely(examination: _Examination, look: Callable[[_Examination], StepResult]) -> StepResult:
    try:
        return look(examination)
    except ConnectorError as error:
        return StepResult(error.message, Status.FAILED, error.remedy or "Read the documentation of this check.")
    except Exception as error:  # noqa: BLE001  a check that breaks is a failed check, never a traceback
        remedy = "Run the check again with --log-level debug and report what it logs."
        return StepResult(f"The check itself broke ({type(error).__name__}).", Status.FAILED, remedy)


_ROLE = ("configuration", "credentials", "assume_role")


def _warn(works: str, remarks: Sequence[Remark]) -> StepResult:
    """Say that something works, and what deserves a second look all the same."""
    detail, remedy = (" ".join(parts) for parts in zip(*((one.detail, one.remedy) for one in remarks), strict=True))
    return StepResult(f"{works} {detail}", Status.WARNING, remedy)


STEPS: tuple[tuple[str, tuple[str, ...], Callable[[_Examination], StepResult]], ...] = (
    ("configuration", (), _Examination.configuration),
    ("credentials", ("configuration",), _Examination.credentials),
    ("clock", ("configuration",), _Examination.clock),
    ("assume_role", ("configuration", "credentials"), _Examination.assume_role),
    ("external_id", _ROLE, _Examination.external_id),
    ("list_users", _ROLE, _Examination.list_users),
    ("list_groups", (*_ROLE, POOL), _Examination.list_groups),
    ("list_users_in_group", (*_ROLE, POOL), _Examination.list_users_in_group),
    ("configured_groups", (*_ROLE, POOL), _Examination.configured_groups),
    ("store", (), _Examination.store),
    (CHANGE_FEED, (), _Examination.change_feed),
)
"""Names in the order of the contract, what each depends on, and how it is done."""
