"""Keeper SaaS plugin: rotate the console password of an IAM user, and say what of it could be verified.

Made by `make keeper` from `deploy/keeper/source/aws_iam_user.py` and `connector/rotation`.
Change it there: this file is one only because a Keeper Gateway carries plugins as single files.
"""

import hashlib
import hmac
import json
import logging
import random
import re
import secrets
import string
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from http import HTTPStatus
from typing import Any, ClassVar, NoReturn, Protocol, runtime_checkable

from kdnrm.exceptions import SaasException
from kdnrm.log import Log
from kdnrm.saas_plugins import SaasPluginBase
from kdnrm.saas_type import ReturnCustomField, SaasConfigItem
from kdnrm.secret import Secret as KeeperSecret

try:
    import boto3
    from botocore import exceptions as aws
    from botocore.config import Config
    from botocore.exceptions import ClientError
except ImportError as missing:  # the Gateway installs requirements() after it has read this file
    raise SaasException('The module boto3 is missing: please install it with "pip install boto3".') from missing


# connector/errors.py
# Everything that can go wrong, as one tree.


class ConnectorError(Exception):
    """A fault that is told to the user in one message.

    Args:
        message: what happened, and to what.
        remedy: what to do about it.
    """

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class ConfigError(ConnectorError):
    """The configuration, or what it names, is wrong."""

    exit_code = 78


class RotationError(ConnectorError):
    """A password was not rotated."""

    answers_change = False
    """Whether it answers a call that changes a password; what became of the password then takes a sign-in to know."""


class NotAllowed(RotationError):
    """The account is not on the list of those that may be rotated."""

    exit_code = 78


class TargetUnfit(RotationError):
    """The account is missing, disabled, federated or otherwise one whose password cannot be rotated this way."""

    exit_code = 78


class RotationDenied(RotationError):
    """AWS refuses the caller."""

    exit_code = 77


class TargetUnavailable(RotationError):
    """The target is unreachable, throttled or not ready; nothing has changed."""

    exit_code = 75
    retryable = True


class OutcomeUnknown(RotationError):
    """The password may or may not have been set; whichever lives, the vault keeps it."""

    exit_code = 75
    retryable = True


class ProofImpossible(OutcomeUnknown):
    """The password may or may not have been set, and no sign-in can show it until the configuration is mended."""

    exit_code = 78
    retryable = False


class CurrentRefused(RotationError):
    """The password kept as current does not sign in, so it cannot set another; nothing has changed."""

    exit_code = 4


class NewSecretRejected(RotationError):
    """The target refuses the new password, by its policy or its history; the password is not live."""

    exit_code = 78


class NotProven(RotationError):
    """No sign-in proves the new password; the vault keeps every value."""

    exit_code = 4


class NoWayBack(RotationError):
    """The old password cannot be restored; the message says which one is live."""

    exit_code = 4


class VaultUnfit(RotationError):
    """What the vault keeps cannot be used for the account."""

    exit_code = 78


# connector/rotation/aws/aws_clients.py
# Make the AWS clients of a rotation: one attempt a call.


_PRINT_REQUESTS_AT_DEBUG = ("boto3", "botocore", "urllib3")


@dataclass(frozen=True, slots=True)
class AwsDoor:
    """How AWS is reached, with which credentials and in which Region.

    Args:
        session: whose credentials sign.
        region: for IAM, one of the partition's.
        endpoint_url: where AWS is, if not where botocore looks (which heeds AWS_ENDPOINT_URL).
        connect_timeout: seconds.
        read_timeout: seconds.
    """

    session: boto3.Session
    region: str
    endpoint_url: str = ""
    connect_timeout: float = 5
    read_timeout: float = 15

    def cognito(self) -> "CognitoIdentityProviderClient":
        """Return a client of Cognito user pools."""
        client: CognitoIdentityProviderClient = self._client("cognito-idp")
        return client

    def iam(self) -> "IAMClient":
        """Return a client of IAM."""
        client: IAMClient = self._client("iam")
        return client

    def sts(self) -> "STSClient":
        """Return a client of STS."""
        client: STSClient = self._client("sts")
        return client

    def secrets_manager(self) -> "SecretsManagerClient":
        """Return a client of Secrets Manager."""
        client: SecretsManagerClient = self._client("secretsmanager")
        return client

    def _client(self, service: str) -> Any:
        keep_requests_out_of_logs()
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
        )
        make: Callable[..., Any] = self.session.client  # the service is not a literal, which the stubs ask for
        client = make(service, region_name=self.region, endpoint_url=self.endpoint_url or None, config=config)
        client.meta.events.register("after-call", _refuse_foreign_page)
        return client


def keep_requests_out_of_logs() -> None:
    """Hold botocore to INFO: at DEBUG it prints every password that it sends (botocore#2626), whoever asked for it."""
    for name in _PRINT_REQUESTS_AT_DEBUG:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.INFO))


def _refuse_foreign_page(http_response: Any, **_: Any) -> None:
    # botocore takes any page with status 200 for a yes to a call that answers nothing, a proxy's sign-in page included.
    page = http_response.content.lstrip()[:14].lower()
    if http_response.status_code == HTTPStatus.OK and page.startswith((b"<html", b"<!doctype html")):
        raise ValueError("the answer is not one of AWS")


# connector/rotation/model/secret.py
# A password or token that no log, error or repr can show (promise P27).


class Secret:
    """Text that shows itself only through `reveal`.

    Raises:
        ValueError: the text is empty; nobody's password is.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        if not text:
            raise ValueError("a secret is never empty")
        self._text = text

    def reveal(self) -> str:
        """Return the text, for the one call that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


# connector/aws_codes.py
# Which AWS error codes mean what, for every service that is called here.


ACCESS_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "NotAuthorizedException", "UnauthorizedOperation"})
"""The caller is known and may not."""


EXPIRED_CREDENTIALS = frozenset({"ExpiredToken", "ExpiredTokenException"})
"""Temporary credentials are past their end."""


CLOCK_OFF = frozenset({"RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"})
"""The request was signed at another time than AWS's."""


THROTTLED = frozenset(
    {
        "LimitExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Too many calls; the same call succeeds later."""


WRONG_KEYS = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""The access key is unknown, inactive or mistyped."""


# connector/rotation/model/allowed.py
# Only accounts that were named may be rotated: a wrong name must not lock a person out.


@dataclass(frozen=True, slots=True)
class Allowed:
    """The accounts that may be rotated.

    Args:
        names: of accounts, or of groups whose members may be.
        patterns: of names of accounts, in which `*` stands for any characters.
        groups: whose members may be.
        everyone: no list is kept here, because another one decides, such as who may hold a record.
        where: what the list is called where it is configured.
    """

    names: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()
    groups: frozenset[str] = frozenset()
    everyone: bool = False
    where: str = "rotation.allow"

    @classmethod
    def only(cls, names: Iterable[str]) -> "Allowed":
        """Allow these names."""
        return cls(names=frozenset(names))

    def check(
        self,
        account: str,
        *,
        called: Iterable[str],
        groups: Callable[[], Iterable[str]],
        is_group: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Let an account pass, or not.

        Args:
            account: as messages name it.
            called: its names, the last one its own: an alias, which users may choose, fits no pattern.
            groups: reads the names of its groups; asked only where no name is on the list.
            is_group: says whether a name on the list is a group's, which then stands for its members only.

        Raises:
            NotAllowed: neither it nor a group that it is in is on the list.
        """
        names = tuple(called)
        if self.everyone or not all(is_group(name) for name in self.names.intersection(names)):
            return
        if any(_fits(pattern, name) for pattern in self.patterns for name in names[-1:]):
            return
        of_groups = self.names | self.groups
        if not of_groups or of_groups.isdisjoint(groups()):
            raise NotAllowed(
                f"{account} is not on the list of accounts that may be rotated.",
                remedy=f"Name the user, or a group that it is in, in {self.where}.",
            )


def _fits(pattern: str, name: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name, re.DOTALL) is not None


EVERYONE = Allowed(everyone=True)
"""Where another list decides."""


# connector/rotation/model/policy.py
# What a pool or an account demands of a password.


class CharacterClass(StrEnum):
    """The kinds of character that policies distinguish."""

    UPPERCASE = "uppercase"
    LOWERCASE = "lowercase"
    DIGIT = "digit"
    SYMBOL = "symbol"


EVERY_CLASS = frozenset(CharacterClass)


COGNITO_SYMBOLS = string.punctuation
"""What Cognito counts as a symbol, but for the space, which its PasswordType refuses."""


IAM_SYMBOLS = "!@#$%^&*()_+-=[]{}|'"
"""What IAM counts as a symbol."""


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """The demands of one pool or account.

    Args:
        minimum_length: characters at least.
        maximum_length: characters at most; 256 with Cognito, 128 with IAM.
        required: classes of which a password needs a character.
        least_classes: classes that a password must mix, whichever they are (IAM's default: 3 of 4).
        symbols: what counts as a symbol.
        history: earlier passwords that are refused; from 1 on there is no way back to the one before.
        known: read from the target; False when it could not be, and this is an assumption.
    """

    minimum_length: int = 16
    maximum_length: int = 256
    required: frozenset[CharacterClass] = EVERY_CLASS
    least_classes: int = 0
    symbols: str = COGNITO_SYMBOLS
    history: int = 0
    known: bool = True

    def classes(self) -> Mapping[CharacterClass, str]:
        """Return the characters of each class."""
        return {
            CharacterClass.UPPERCASE: string.ascii_uppercase,
            CharacterClass.LOWERCASE: string.ascii_lowercase,
            CharacterClass.DIGIT: string.digits,
            CharacterClass.SYMBOL: self.symbols,
        }

    def faults(self, password: Secret) -> tuple[str, ...]:
        """Return what the policy has against a password, in words that do not show it."""
        text = password.reveal()
        present = {name for name, characters in self.classes().items() if not set(text).isdisjoint(characters)}
        return (
            *((f"it has fewer than {self.minimum_length} characters",) if len(text) < self.minimum_length else ()),
            *((f"it has more than {self.maximum_length} characters",) if len(text) > self.maximum_length else ()),
            *(f"it has no {name}" for name in CharacterClass if name in self.required - present),
            *((f"it mixes fewer than {self.least_classes} classes",) if len(present) < self.least_classes else ()),
            *(("it has white space",) if any(character.isspace() for character in text) else ()),
        )

    def digest(self) -> str:
        """Return a short name of these demands, which changes when they do."""
        demands = {**asdict(self), "required": sorted(self.required)}
        return hashlib.sha256(json.dumps(demands, sort_keys=True).encode()).hexdigest()[:16]


ASSUMED = PasswordPolicy(known=False)
"""What is assumed of a Cognito pool whose policy may not be read: stricter than most."""


IAM_DEFAULT = PasswordPolicy(
    minimum_length=8, maximum_length=128, required=frozenset(), least_classes=3, symbols=IAM_SYMBOLS
)
"""What IAM demands in an account without a policy of its own."""


# connector/rotation/aws/errors.py
# Translate what AWS and botocore say of a rotation into the error tree; nothing they wrote is repeated but a code.


@dataclass(frozen=True, slots=True)
class AwsCall:
    """What is asked of what, as messages name it.

    Args:
        action: as IAM names it, such as `cognito-idp:AdminGetUser`.
        subject: the user, pool or account.
        changes: it changes something, so that without an answer nobody knows what became of it.
        candidate: it carries a new password, and nothing else that AWS has not seen before.
    """

    action: str
    subject: str
    changes: bool = False
    candidate: bool = False

    def __str__(self) -> str:
        return f"{self.action.partition(':')[2]} for {self.subject}"


@contextmanager
def rotation_faults(call: AwsCall) -> Iterator[None]:
    """Turn whatever an AWS call raises into the tree.

    Raises:
        RotationDenied: AWS refuses the caller.
        TargetUnavailable: unreachable, throttled or not ready; nothing has changed.
        OutcomeUnknown: the call changes something, and may have done so.
        NewSecretRejected: the policy or the history refuses the password.
        TargetUnfit: what is asked for does not exist, or cannot be done.
    """
    try:
        yield
    except ConnectorError:
        raise
    except aws.ClientError as error:
        raise mark_answer(explain_refusal(error, call), error, call) from None
    except aws.BotoCoreError as error:
        raise _explain_silence(error, call) from None
    except Exception as error:  # noqa: BLE001  botocore's parsers raise whatever an odd body makes of them
        raise _unanswered(call, type(error).__name__) from None


def mark_answer(fault: RotationError, error: aws.ClientError, call: AwsCall) -> RotationError:
    """Mark what answers a changing call, unless AWS decides it before the call is carried out (rights, rate)."""
    fault.answers_change = call.changes and aws_error_code(error) not in _BEFORE_ANY_EFFECT
    return fault


def aws_error_code(error: aws.ClientError) -> str:
    """Return the code by which AWS names an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def explain_refusal(error: aws.ClientError, call: AwsCall) -> RotationError:
    """Return the error for an answer of AWS that says no."""
    code = aws_error_code(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    explain = _BY_CODE.get(code) or _by_status(status)
    return explain(call, f"HTTP {status}, {code}" if code.isdigit() or not code else code)


def _access_denied(call: AwsCall, code: str) -> RotationError:
    return RotationDenied(
        f"{call} was denied ({code}).", remedy=f"Allow {call.action} to the credentials that rotate passwords."
    )


def _bad_keys(call: AwsCall, code: str) -> RotationError:
    return RotationDenied(
        f"AWS does not accept the credentials with which {call} was signed ({code}).",
        remedy="Check both parts of the access key, the end of temporary credentials, and this machine's clock.",
    )


def _slowed_down(call: AwsCall, code: str) -> RotationError:
    return TargetUnavailable(f"AWS throttled {call} ({code}).", remedy="Nothing has changed; try again later.")


def _held_off(call: AwsCall, code: str) -> RotationError:
    return TargetUnavailable(
        f"A web firewall (AWS WAF) holds {call} off ({code}).",
        remedy="Nothing has changed. Let the address of this machine pass, then try again.",
    )


def _not_ready(call: AwsCall, code: str) -> RotationError:
    return TargetUnavailable(
        f"AWS is still creating what {call} would change ({code}).",
        remedy="Nothing has changed; try again in a few minutes.",
    )


def _against_policy(call: AwsCall, code: str) -> RotationError:
    return NewSecretRejected(
        f"AWS refuses the new password in {call}: it does not meet the policy ({code}).",
        remedy="Allow reading the password policy, or set a longer password with more classes of characters.",
    )


def _used_before(call: AwsCall, code: str) -> RotationError:
    return NewSecretRejected(
        f"AWS refuses the new password in {call}: the account has had it before ({code}).",
        remedy="A sign-in tells whether it is live already; if not, rotate with another one.",
    )


def _does_not_exist(call: AwsCall, code: str) -> RotationError:
    return TargetUnfit(f"{call} found nothing ({code}).", remedy="Check the names, the Region and the account.")


def _parameter_refused(call: AwsCall, code: str) -> RotationError:
    if call.candidate:
        return _against_policy(call, code)
    return TargetUnfit(
        f"AWS does not accept the parameters of {call} ({code}).",
        remedy="Check the user name, the pool and the app client with its flows.",
    )


def _trigger_refused(call: AwsCall, code: str) -> RotationError:
    return TargetUnfit(
        f"A Lambda trigger of the user pool refuses {call} ({code}).",
        remedy="Look into the trigger's log, or rotate another way.",
    )


def _refused_otherwise(call: AwsCall, code: str) -> RotationError:
    return TargetUnfit(f"AWS refused {call} ({code}).", remedy="Look the code up in the API reference of the call.")


def _unanswered(call: AwsCall, why: str) -> RotationError:
    if call.changes:
        return OutcomeUnknown(
            f"No clear answer came to {call} ({why}); it may have been done.",
            remedy="Run the rotation again: it finds out by signing in, and goes on with the same password.",
        )
    return TargetUnavailable(f"No answer came to {call} ({why}).", remedy="Check the network, then try again.")


def _explain_silence(error: aws.BotoCoreError, call: AwsCall) -> RotationError:
    kind = type(error).__name__
    if isinstance(error, (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError)):
        return RotationDenied(
            f"{call} needs AWS credentials, and none were found ({kind}).", remedy="Name credentials that may rotate."
        )
    if isinstance(error, (aws.ParamValidationError, aws.ValidationError)):
        return _parameter_refused(call, kind)
    if isinstance(error, (aws.EndpointConnectionError, aws.ConnectTimeoutError, aws.ProxyConnectionError)):
        return TargetUnavailable(
            f"{call} could not be sent ({kind}).", remedy="Check the Region, the network and the proxy, then try again."
        )
    return _unanswered(call, kind)


_Explain = Callable[[AwsCall, str], RotationError]


_BY_CODE: Mapping[str, _Explain] = {
    **dict.fromkeys(ACCESS_DENIED, _access_denied),
    **dict.fromkeys(WRONG_KEYS | EXPIRED_CREDENTIALS | CLOCK_OFF, _bad_keys),
    **dict.fromkeys(THROTTLED | {"LimitExceeded"}, _slowed_down),
    "ForbiddenException": _held_off,
    **dict.fromkeys(("EntityTemporarilyUnmodifiable", "EntityTemporarilyUnmodifiableException"), _not_ready),
    **dict.fromkeys(("InvalidPasswordException", "PasswordPolicyViolation"), _against_policy),
    "PasswordHistoryPolicyViolationException": _used_before,
    **dict.fromkeys(("NoSuchEntity", "ResourceNotFoundException", "UserNotFoundException"), _does_not_exist),
    **dict.fromkeys(("InvalidParameterException", "ValidationError", "ValidationException"), _parameter_refused),
    **dict.fromkeys(
        ("InvalidLambdaResponseException", "UnexpectedLambdaException", "UserLambdaValidationException"),
        _trigger_refused,
    ),
}


_BEFORE_ANY_EFFECT = frozenset(
    (ACCESS_DENIED | WRONG_KEYS | EXPIRED_CREDENTIALS | CLOCK_OFF | THROTTLED | {"ForbiddenException"})
    - {"NotAuthorizedException", "LimitExceededException"}  # which the operation itself decides
)


def _by_status(status: int) -> _Explain:
    if status >= 500:  # noqa: PLR2004  the server's own faults (RFC 9110, section 15.6)
        return _unanswered
    return {401: _access_denied, 403: _access_denied, 429: _slowed_down}.get(status, _refused_otherwise)


# connector/rotation/model/ports.py
# What the engine asks of a target and of a vault, and the values that pass between them.


class Verdict(StrEnum):
    """What one sign-in says of a password."""

    ACCEPTED = "accepted"
    """It is the password."""
    FACTOR_OUTSTANDING = "accepted, a further factor is outstanding"
    """It is the password: Cognito asks for the next factor only after it."""
    REFUSED = "refused"
    """It is not the password."""
    UNDECIDED = "undecided"
    """Nothing can be said now: locked out ("Password attempts exceeded"), throttled, unreachable, or a challenge
    that proves nothing (CUSTOM_CHALLENGE, SELECT_CHALLENGE)."""
    UNVERIFIABLE = "not verifiable"
    """The target has no sign-in that a program could try (IAM console passwords)."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The outcome of one sign-in.

    Args:
        verdict: what it says of the password.
        detail: what a person should know besides: the factor, the reason, what could be verified instead.
        fault: why nothing was decided, where waiting does not mend it.
    """

    verdict: Verdict
    detail: str = ""
    fault: RotationError | None = field(default=None, compare=False)

    @property
    def accepted(self) -> bool:
        """Whether it was the password."""
        return self.verdict in (Verdict.ACCEPTED, Verdict.FACTOR_OUTSTANDING)


@dataclass(frozen=True, slots=True)
class Account:
    """An account that was examined and may be rotated.

    Args:
        identity: the target's identity.
        state: what the target calls its state (CONFIRMED, FORCE_CHANGE_PASSWORD, …).
        policy: what it demands of a password.
        notes: what a person should know, a sentence each.
    """

    identity: str
    state: str
    policy: PasswordPolicy
    notes: tuple[str, ...] = ()


class Target(Protocol):
    """Where the password is used.

    Every method sends each request once and never repeats it by itself: the engine waits and repeats, with the same
    password. Any method raises `RotationDenied` when AWS refuses the caller.
    """

    @property
    def identity(self) -> str:
        """A stable name ("cognito-user eu-west-1_Ab1/alice"): the key of lock and journal."""

    @property
    def needs_current(self) -> bool:
        """Whether only who knows the current password can set another (the user's own way)."""

    def examine(self) -> Account:
        """Look whether the password may be rotated; changes nothing.

        Raises:
            NotAllowed: it is not on the list of accounts that may be rotated.
            TargetUnfit: missing, disabled, federated, without a console password, in a state that setting would change.
            TargetUnavailable: unreachable or throttled.
        """

    def set_password(self, candidate: Secret, *, current: Secret | None) -> None:
        """Make the candidate the password, for good (Permanent).

        Args:
            candidate: the new password.
            current: the password until now, where `needs_current`.

        Raises an error that `answers_change` where the call itself was answered so, which says nothing of its effect.

        Raises:
            NewSecretRejected: the policy or the history refuses the candidate.
            CurrentRefused: `current` is not the password; nothing has changed.
            TargetUnavailable: throttled or not ready; nothing has changed.
            OutcomeUnknown: time-out, broken connection or 5xx; it may have changed.
            TargetUnfit: the account cannot be set this way (a challenge that nobody can answer).
        """

    def rehearse(self, current: Secret | None) -> Proof:
        """Find out, before anything is set, whether a password can be proved or set here; one sign-in may fail.

        Args:
            current: the password until now, where the vault keeps one.

        Returns:
            What it says of `current`; the detail is what a person should know.

        Raises:
            TargetUnfit: flow, app client or client secret do not fit, or a factor that nobody answers is in the way.
            TargetUnavailable: locked out, throttled or unreachable.
        """

    def release(self) -> None:
        """End the session that `rehearse` may have kept for `set_password`."""

    def prove(self, password: Secret) -> Proof:
        """Try to sign in, once; a lock-out, throttling or an unreachable target is UNDECIDED, not an error."""


@runtime_checkable
class SignsOut(Protocol):
    """A target that can end the sessions begun with the old password."""

    def sign_out(self) -> None:
        """End every session.

        Raises:
            TargetUnavailable: unreachable or throttled.
        """


@dataclass(frozen=True, slots=True)
class KeptPasswords:
    """What a vault keeps of one account.

    Args:
        current: what its readers take for the password; None if it never held one.
        pending: a candidate that may or may not be live already.
        previous: the password before.
    """

    current: Secret | None = None
    pending: Secret | None = None
    previous: Secret | None = None


class Vault(Protocol):
    """Where the password is kept, durably: what a method wrote is still there after a crash.

    Every method raises `VaultUnavailable`, `RotationDenied` or `VaultUnfit` (what is kept cannot be used: no JSON, a
    key missing, another account than the target's).
    """

    @property
    def name(self) -> str:
        """How messages name the vault."""

    def hold(self) -> AbstractContextManager[None]:
        """Keep other rotations of the account out for the length of a block.

        A vault that makes two rotations agree on one candidate by itself may let both in.

        Raises:
            RotationBusy: another one is inside.
        """

    def read(self) -> KeptPasswords:
        """Return what is kept."""

    def stage(self, candidate: Secret, *, policy: PasswordPolicy) -> Secret:
        """Keep a candidate as pending, and return what is pending now.

        Repeating it is harmless: a candidate that is already kept stays, and is what is returned.

        Args:
            candidate: the new password.
            policy: the demands that it meets.
        """

    def promote(self) -> None:
        """Make what is pending the current value, and the current one the previous; harmless when already done."""

    def discard_pending(self) -> None:
        """Forget what is pending. Only with proof that it is not live: this may be its only copy."""


# connector/rotation/model/generator.py
# Draw a password that meets a policy.


SAFE_SYMBOLS = "!@#$%^&*()_+-=[]{}|"
"""Symbols that Cognito and IAM both count."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a password is made of, within the policy.

    Args:
        length: characters; more where the policy demands more, fewer where it allows no more.
        characters: those to draw from; any that no class of the policy counts are left out.
    """

    length: int = 32
    characters: str = string.ascii_letters + string.digits + SAFE_SYMBOLS


def generate(policy: PasswordPolicy, recipe: Recipe = Recipe(), *, avoid: Collection[Secret] = ()) -> Secret:
    """Return a password that the policy has nothing against.

    Args:
        policy: what is demanded.
        recipe: length and characters within it.
        avoid: passwords that were used before.

    Raises:
        ConfigError: nothing of these characters can meet the policy.
    """
    counted = "".join(policy.classes().values())
    alphabet = sorted(set(recipe.characters) & set(counted))
    _require_classes(policy, set(alphabet))
    length = _length(policy, recipe)
    while True:
        candidate = Secret("".join(secrets.choice(alphabet) for _ in range(length)))
        if candidate not in avoid and not policy.faults(candidate):
            return candidate


def _length(policy: PasswordPolicy, recipe: Recipe) -> int:
    least = max(policy.minimum_length, len(policy.required), policy.least_classes, 1)
    return max(least, min(recipe.length, policy.maximum_length))


def _require_classes(policy: PasswordPolicy, alphabet: set[str]) -> None:
    present = {name for name, characters in policy.classes().items() if not alphabet.isdisjoint(characters)}
    missing = [name.value for name in CharacterClass if name in policy.required - present]
    if missing or len(present) < max(policy.least_classes, 1):
        wanted = ", ".join(missing) or f"{max(policy.least_classes, 1)} classes of character"
        raise ConfigError(
            f"No password can be drawn: the policy demands {wanted}, which the given characters do not have.",
            remedy="Give characters of every class, symbols among them, or leave the setting out.",
        )


# connector/rotation/model/results.py
# What a rotation tells: an outcome, a sentence, and JSON; never a secret.


class RotationOutcome(StrEnum):
    """How a rotation ended."""

    ROTATED = "rotated"
    """A new password was generated, set and promoted."""
    FINISHED = "finished"
    """What an earlier rotation had begun was brought to its end."""
    DISCARDED = "discarded"
    """What an earlier rotation had begun could not end, and was undone: the password is the one before."""
    NOTHING_PENDING = "nothing pending"
    """There was nothing to recover."""


@dataclass(frozen=True, slots=True)
class RotationResult:
    """A rotation that came to its end.

    Args:
        account: identity of the target.
        vault: name of the vault.
        outcome: how it ended.
        proof: what signing in with the password told, after a discard with the current one; None if nobody tried.
        notes: what a person should know, a sentence each.
    """

    account: str
    vault: str
    outcome: RotationOutcome
    proof: Proof | None = None
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the one document of the command."""
        return {
            "account": self.account,
            "vault": self.vault,
            "outcome": self.outcome.value,
            "proof": self.proof.verdict.value if self.proof else "not tried",
            "notes": [*self.notes, *([self.proof.detail] if self.proof and self.proof.detail else [])],
        }

    def sentence(self) -> str:
        """Return the result as one line."""
        if self.outcome is RotationOutcome.NOTHING_PENDING:
            return f"{self.account}: nothing is pending in {self.vault}."
        if self.outcome is RotationOutcome.DISCARDED:
            now = "the current one signs in" if self.proof else "no other is kept there, and none was set"
            return f"{self.account}: the pending password, refused and not live, is discarded from {self.vault}; {now}."
        proof = self.proof.verdict.value if self.proof else "not tried"
        return f"{self.account}: {self.outcome.value}; the new password is in {self.vault}; sign-in {proof}."


@dataclass(frozen=True, slots=True)
class Verification:
    """Which of the values that a vault keeps signs in.

    Args:
        account: identity of the target.
        vault: name of the vault.
        proofs: what each value that was tried told, by its label (pending, current, previous).
    """

    account: str
    vault: str
    proofs: Mapping[str, Proof]

    @property
    def live(self) -> str:
        """The label of the value that signs in; empty if none was proven to."""
        return next((label for label, proof in self.proofs.items() if proof.accepted), "")

    @property
    def ok(self) -> bool:
        """Whether readers of the vault find a password that signs in."""
        return self.live == "current"

    def as_json(self) -> dict[str, Any]:
        """Return the one document of the command."""
        return {
            "account": self.account,
            "vault": self.vault,
            "ok": self.ok,
            "live": self.live or None,
            "proofs": {label: proof.verdict.value for label, proof in self.proofs.items()},
            "notes": [f"{label}: {proof.detail}" for label, proof in self.proofs.items() if proof.detail],
        }

    def sentence(self) -> str:
        """Return the result as one line."""
        if self.ok:
            return f"{self.account}: the current value of {self.vault} signs in."
        tried = "; ".join(f"{label}: {proof.verdict.value}" for label, proof in self.proofs.items())
        if self.live == "pending":
            return f"{self.account}: the pending value of {self.vault} signs in; finish it with `rotate recover`."
        if self.live:
            return f"{self.account}: only the {self.live} value of {self.vault} signs in ({tried})."
        return f"{self.account}: no value of {self.vault} is proven to sign in ({tried or 'it keeps none'})."


# connector/rotation/engine/backoff.py
# How long a rotation tries, and how often it may fail to sign in.


REFUSALS_AT_MOST = 4
"""One fewer than lock an account out."""


_JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long is waited for a target, in seconds.

    Args:
        delays: between one attempt and the next; one attempt more than there are delays.
        sleep: waits.
    """

    delays: tuple[float, ...] = (1, 2, 5, 10)
    sleep: Callable[[float], None] = time.sleep

    def attempts(self) -> Iterator[int]:
        """Yield the number of each attempt, waiting between them."""
        yield 1
        for number, delay in enumerate(self.delays, start=2):
            self.sleep(delay * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311  spreads load, guards nothing
            yield number


class LimitedSignIns:
    """Sign-ins that stop before the account would be locked out."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._refusals = 0

    @property
    def one_left(self) -> bool:
        """Whether only one more sign-in may fail."""
        return self._refusals >= REFUSALS_AT_MOST - 1

    def rehearse(self, current: Secret | None) -> Proof:
        """Find out whether a sign-in proves anything here; see `Target.rehearse`."""
        proof = self._target.rehearse(current)
        self._count(proof)
        return proof

    def prove(self, password: Secret) -> Proof:
        """Try a password once, unless one more failure could lock the account out."""
        if self._refusals >= REFUSALS_AT_MOST:
            return Proof(Verdict.UNDECIDED, "not tried: one more failed sign-in could lock the account out")
        proof = self._target.prove(password)
        self._count(proof)
        return proof

    def count_refusal(self) -> None:
        """Count a failed sign-in that the target made by itself."""
        self._refusals += 1

    def _count(self, proof: Proof) -> None:
        if proof.verdict is Verdict.REFUSED:
            self.count_refusal()
        elif proof.accepted:
            self._refusals = 0


# connector/rotation/targets/iam_user.py
# The console password of an IAM user (IAM API reference: UpdateLoginProfile).


_NO_PROOF = "IAM has no sign-in that proves a console password"


_LONGEST_CONSOLE_PASSWORD = 128


_ACCOUNT_CLASSES = {
    "RequireUppercaseCharacters": CharacterClass.UPPERCASE,
    "RequireLowercaseCharacters": CharacterClass.LOWERCASE,
    "RequireNumbers": CharacterClass.DIGIT,
    "RequireSymbols": CharacterClass.SYMBOL,
}


_ASSUMED_OF_AN_ACCOUNT = PasswordPolicy(
    minimum_length=ASSUMED.minimum_length,
    maximum_length=_LONGEST_CONSOLE_PASSWORD,
    symbols=IAM_SYMBOLS,
    known=False,
)


@dataclass(frozen=True, slots=True)
class AwsAccount:
    """The account that credentials belong to.

    Args:
        number: twelve digits.
        partition: `aws`, `aws-us-gov` or `aws-cn`.
        alias: its name in sign-in addresses; empty if it has none, or it may not be read.
    """

    number: str
    partition: str
    alias: str = ""


class IamUser:
    """An IAM user with a console password.

    Args:
        iam: made by `AwsDoor`, so that it sends nothing twice.
        sts: of the same door: the same credentials, in the same Region.
        username: the user's name, without path.
        allowed: the users that may be rotated; groups of IAM are not looked at.
        assumed_policy: what is taken for the account's policy where that may not be read.
    """

    needs_current = False

    def __init__(
        self,
        iam: "IAMClient",
        sts: "STSClient",
        *,
        username: str,
        allowed: Allowed,
        assumed_policy: PasswordPolicy = _ASSUMED_OF_AN_ACCOUNT,
    ) -> None:
        self._iam = iam
        self._sts = sts
        self._username = username
        self._allowed = allowed
        self._assumed_policy = assumed_policy

    @property
    def identity(self) -> str:
        """The key of lock and journal; asks STS once for the account."""
        return f"iam-user {self._caller.number}/{self._username}"

    def account(self) -> AwsAccount:
        """Return the account that the user is in, with its alias where that may be read."""
        try:
            with rotation_faults(self._call("iam:ListAccountAliases")):
                aliases = self._iam.list_account_aliases()["AccountAliases"]
        except RotationError:
            return self._caller
        return AwsAccount(self._caller.number, self._caller.partition, aliases[0] if aliases else "")

    def examine(self) -> Account:
        """Look whether the password may be rotated; see `Target.examine`."""
        self._allowed.check(str(self), called=(self._username,), groups=lambda: ())
        must_change = self._must_change()
        policy, notes = self._read_policy()
        state = "to be changed at the next sign-in" if must_change else "permanent"
        return Account(self.identity, state, policy, notes)

    def set_password(self, candidate: Secret, *, current: Secret | None) -> None:
        """Make the candidate the password, for good; see `Target.set_password`."""
        del current  # an administrator needs none
        with rotation_faults(self._call("iam:UpdateLoginProfile", changes=True)):
            self._iam.update_login_profile(
                UserName=self._username, Password=candidate.reveal(), PasswordResetRequired=False
            )

    def rehearse(self, current: Secret | None) -> Proof:
        """Go on: there is no proof that could be rehearsed."""
        del current
        return Proof(Verdict.UNVERIFIABLE)

    def release(self) -> None:
        """End nothing: there is no session."""

    def prove(self, password: Secret) -> Proof:
        """Say what can be seen, which is not whether it is the password."""
        del password
        try:
            must_change = self._must_change()
        except RotationDenied:
            raise
        except RotationError as error:
            return Proof(Verdict.UNVERIFIABLE, f"{_NO_PROOF}; {error.message}")
        seen = "the user must change it at the next sign-in" if must_change else "no change is asked of the user"
        return Proof(Verdict.UNVERIFIABLE, f"{_NO_PROOF}; the login profile exists, and {seen}")

    def __str__(self) -> str:
        return f"IAM user {self._username!r}"

    @cached_property
    def _caller(self) -> AwsAccount:
        with rotation_faults(self._call("sts:GetCallerIdentity")):
            answer = self._sts.get_caller_identity()
            return AwsAccount(answer["Account"], answer["Arn"].split(":")[1])

    def _must_change(self) -> bool:
        with rotation_faults(self._call("iam:GetLoginProfile")):
            try:
                profile = self._iam.get_login_profile(UserName=self._username)["LoginProfile"]
            except ClientError as error:
                if aws_error_code(error) != "NoSuchEntity":
                    raise
                raise self._without_profile() from None
            return bool(profile.get("PasswordResetRequired", False))

    def _without_profile(self) -> TargetUnfit:
        """Tell a user without console password from no user: GetLoginProfile answers the same to both."""
        try:
            with rotation_faults(self._call("iam:GetUser")):
                self._iam.get_user(UserName=self._username)
        except TargetUnfit:
            return TargetUnfit(f"There is no {self} in this account.", remedy="Check the name and the account.")
        except RotationError:
            return TargetUnfit(
                f"{self} does not exist or has no console password.", remedy="Allow iam:GetUser to learn which."
            )
        return TargetUnfit(f"{self} has no console password.", remedy="Give it one first (iam:CreateLoginProfile).")

    def _read_policy(self) -> tuple[PasswordPolicy, tuple[str, ...]]:
        try:
            with rotation_faults(self._call("iam:GetAccountPasswordPolicy")):
                described = self._iam.get_account_password_policy()["PasswordPolicy"]
        except TargetUnfit:  # NoSuchEntity: the account has no policy of its own
            return IAM_DEFAULT, ()
        except RotationDenied:
            assumed = self._assumed_policy
            note = (
                f"The account's password policy may not be read: at least {assumed.minimum_length} characters of every"
                " class are assumed. Allow iam:GetAccountPasswordPolicy."
            )
            return assumed, (note,)
        return account_policy(described), ()

    def _call(self, action: str, *, changes: bool = False) -> AwsCall:
        return AwsCall(action, str(self), changes=changes, candidate=changes)


def account_policy(described: Mapping[str, Any]) -> PasswordPolicy:
    """Return the policy that GetAccountPasswordPolicy describes."""
    return PasswordPolicy(
        minimum_length=int(described.get("MinimumPasswordLength", IAM_DEFAULT.minimum_length)),
        maximum_length=_LONGEST_CONSOLE_PASSWORD,
        required=frozenset(name for key, name in _ACCOUNT_CLASSES.items() if described.get(key)),
        symbols=IAM_SYMBOLS,
        history=int(described.get("PasswordReusePrevention", 0)),
    )


# connector/rotation/engine/password_change.py
# Set a candidate, and know afterwards whether it is the password.


_SET_JUST_NOW = "The account refuses it as used before: an earlier attempt has set it."


_SET_ONCE = (
    "The account refuses it as used before: an earlier run has set it. Whether it still is the password cannot be"
    " known: if anybody has set another one since, this one is dead. Rotate again to be sure."
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A password that the vault keeps as pending.

    Args:
        account: for which it is.
        vault: name of the vault.
        kept: what the vault keeps, the candidate as pending.
        password: the candidate.
        fresh: made just now, so that no target has seen it.
    """

    account: Account
    vault: str
    kept: KeptPasswords
    password: Secret
    fresh: bool


class PasswordChange:
    """One candidate on its way to becoming the password."""

    def __init__(self, target: Target, sign_ins: LimitedSignIns, candidate: Candidate) -> None:
        self._target = target
        self._sign_ins = sign_ins
        self._candidate = candidate
        self._unanswered = False
        self._answered_no = False

    def settle(self, backoff: Backoff) -> Proof | None:
        """Send the candidate until a yes or a sign-in settles the matter.

        Returns:
            The proof that it is the password if that took a sign-in; None if the target said so.

        Raises:
            NewSecretRejected: the target refuses it, and it is not the password.
            CurrentRefused: what the vault keeps cannot set another password; nothing has changed.
            TargetUnavailable, RotationDenied, TargetUnfit: every attempt was refused; nothing has changed.
            OutcomeUnknown: nobody can know yet; setting the same candidate again is safe.
        """
        try:
            return self._settle(backoff)
        except OutcomeUnknown:
            raise
        except RotationError as error:
            if not self._unanswered:
                raise
            candidate = self._candidate
            raise OutcomeUnknown(
                f"{candidate.account.identity}: nobody can know whether the pending password is live: an attempt to set"
                f" it had no answer, and the last one failed. {error.message}",
                remedy="Once that is mended, run the rotation again.",
            ) from error

    def _settle(self, backoff: Backoff) -> Proof | None:
        fault: RotationError
        for _ in backoff.attempts():
            try:
                self._send()
            except OutcomeUnknown as error:
                fault, self._unanswered = error, True
            except TargetUnavailable as error:
                fault, self._answered_no = error, self._answered_no or error.answers_change
            except RotationError as error:
                return self._settle_refusal(error)
            else:
                return None
            if self._unanswered and (proof := self._prove()).accepted:
                return proof
        if self._answered_no and not self._unanswered:
            return self._settle_refusal(fault)
        raise fault

    def _prove(self) -> Proof:
        return prove_leniently(self._sign_ins, self._candidate.password)

    def _send(self) -> None:
        candidate = self._candidate
        if not self._target.needs_current:
            self._target.set_password(candidate.password, current=None)
            return
        refusal: RotationError = VaultUnfit(
            f"{candidate.vault} keeps no password with which {self._target.identity} could sign in.",
            remedy="Store the current password there, or rotate the administrator's way.",
        )
        for current in filter(None, (candidate.kept.current, candidate.kept.previous)):
            try:
                self._target.set_password(candidate.password, current=current)
            except CurrentRefused as error:
                if error.answers_change:
                    raise
                self._sign_ins.count_refusal()
                refusal = error
            else:
                return
        raise refusal

    def _settle_refusal(self, error: RotationError) -> Proof:
        """Return the proof that a refused candidate is the password all the same.

        Raises:
            RotationError: the refusal, where a sign-in shows that it had no effect.
            OutcomeUnknown: no sign-in shows anything.
        """
        was_sent = error.answers_change or isinstance(error, NewSecretRejected)
        if not (was_sent or self._answered_no or self._unanswered):
            raise error
        proof = self._prove()
        if proof.accepted:
            return proof
        if proof.verdict is Verdict.UNVERIFIABLE and isinstance(error, NewSecretRejected) and self._was_set_before():
            return replace(proof, detail=_SET_JUST_NOW if self._candidate.fresh else _SET_ONCE)
        if proof.verdict is not Verdict.REFUSED or self._unanswered:
            raise outcome_unknown(self._candidate, proof, error) from error
        raise error

    def _was_set_before(self) -> bool:
        """A random password that meets the policy is refused for one reason only: the account has had it."""
        policy = self._candidate.account.policy
        return bool(policy.known and policy.history and not policy.faults(self._candidate.password))


def prove_leniently(sign_ins: LimitedSignIns, password: Secret) -> Proof:
    """Try a password once; where the caller may not sign users in, that decides nothing."""
    try:
        return sign_ins.prove(password)
    except RotationDenied as error:
        return Proof(Verdict.UNDECIDED, error.message, error)


def outcome_unknown(candidate: Candidate, proof: Proof, refusal: RotationError | None = None) -> OutcomeUnknown:
    """Return the error for a candidate of which nothing is known.

    Args:
        candidate: what may be the password.
        proof: what a sign-in said.
        refusal: how setting it was answered, if it was.
    """
    said = f" {refusal.message}" if refusal else ""
    message = (
        f"{candidate.account.identity}: nobody can know whether the pending password is live"
        f" ({proof.detail or proof.verdict.value}).{said}"
    )
    if proof.verdict is Verdict.UNVERIFIABLE:
        remedy = f"Try the pending value of {candidate.vault} by hand; then make it current or remove it accordingly."
        return OutcomeUnknown(message, remedy=remedy)
    if proof.fault is not None:
        return ProofImpossible(message, remedy=f"It is kept. {proof.fault.remedy} Then run the rotation again.")
    return OutcomeUnknown(
        message, remedy="It is kept. A lock-out ends within a quarter of an hour; then run the rotation again."
    )


# connector/rotation/engine/engine.py
# Rotate a password so that it cannot be lost (promise P26).


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked of one rotation.

    Args:
        verify: prove the new password by signing in before it is promoted; without it, a sign-in that decides nothing
            stops nothing.
        sign_out: end the sessions begun with the old password, where the target can.
        discard_unfit: forget a pending value that the target refuses, once a sign-in proves that it is not live;
            `rotate` then makes another, `recover` does not.
        overrule: set a pending value although neither it nor the current one signs in, which shows that somebody else
            has changed the password since.
    """

    verify: bool = True
    sign_out: bool = False
    discard_unfit: bool = False
    overrule: bool = True


class AccountRotation:
    """One account, with the vault that keeps its password.

    `rotate`, `recover` and `verify` run a whole rotation; `prepare`, `apply`, `confirm` and `promote` are its phases,
    for callers that run them one by one (the four steps of AWS Secrets Manager).

    Every method raises what the target and the vault raise, and
        NewSecretRejected: the target refuses the candidate; it is not live.
        CurrentRefused: nothing that the vault keeps can set another password.
        NotProven: the new password was set, and does not sign in.
        TargetUnfit, RotationDenied: no password could be proved or set, so none was.
        OutcomeUnknown, TargetUnavailable: nobody can know now; running again is safe.
    """

    def __init__(
        self,
        target: Target,
        vault: Vault,
        *,
        recipe: Recipe = Recipe(),
        backoff: Backoff = Backoff(),
        options: Options = Options(),
    ) -> None:
        self._target = target
        self._vault = vault
        self._recipe = recipe
        self._backoff = backoff
        self._options = options
        self._sign_ins = LimitedSignIns(target)

    @property
    def account(self) -> str:
        """Identity of the target."""
        return self._target.identity

    def rotate(self) -> RotationResult:
        """Give the account a new password; one that is pending already is brought to its end instead."""
        with self._vault.hold(), self._session_released():
            account, kept = self._target.examine(), self._vault.read()
            if kept.pending is not None:
                try:
                    return self._complete(self._resume(account, kept, kept.pending))
                except NewSecretRejected:
                    if not self._options.discard_unfit:
                        raise
                self._vault.discard_pending()
            return self._complete(self._begin(account, replace(kept, pending=None)))

    def recover(self) -> RotationResult:
        """Bring to its end what an earlier rotation began, or undo it where it cannot end; begin nothing."""
        with self._vault.hold():
            kept = self._vault.read()
            if kept.pending is None:
                return RotationResult(self._target.identity, self._vault.name, RotationOutcome.NOTHING_PENDING)
            account = self._target.examine()
            try:
                return self._complete(self._resume(account, kept, kept.pending))
            except NewSecretRejected:
                if not self._options.discard_unfit:
                    raise
            return self._undo(kept)

    def verify(self) -> Verification:
        """Find out which of the kept values signs in; changes nothing."""
        self._target.examine()
        kept, proofs = self._vault.read(), dict[str, Proof]()
        for label, password in _labelled(kept):
            proofs[label] = self._sign_ins.prove(password)
            if proofs[label].accepted:
                break
        return Verification(self._target.identity, self._vault.name, proofs)

    def prepare(self) -> Candidate:
        """Return the candidate: what is pending, or a new one, staged."""
        with self._session_released():
            account, kept = self._target.examine(), self._vault.read()
            if kept.pending is not None:
                return self._resume(account, kept, kept.pending)
            return self._begin(account, kept)

    def rehearse(self, account: Account, kept: KeptPasswords) -> Account:
        """Find out, before anything is set, that a new password can be proved or, in the user's own way, set.

        At most one failed sign-in a value is counted: an accepted and a refused one both show that flow, app client and
        its secret fit.

        Returns:
            The account, with a note where there is something to know.

        Raises:
            TargetUnfit, RotationDenied, TargetUnavailable: it cannot be done; nothing has changed.
                CurrentRefused: the user's own way, and nothing that is kept signs in; nothing has changed.
        """
        if self._target.needs_current:
            self._enter_with_what_is_kept(kept)
            return account
        if not self._options.verify:
            return account
        proof = self._sign_ins.rehearse(kept.current)
        return replace(account, notes=(*account.notes, proof.detail)) if proof.detail else account

    def apply(self, candidate: Candidate) -> Proof | None:
        """Make the candidate the password, and return the proof if it took a sign-in to know."""
        if not candidate.fresh:
            proof = prove_leniently(self._sign_ins, candidate.password)
            if proof.accepted:
                return proof
            if proof.verdict is Verdict.UNDECIDED and self._options.verify:
                raise outcome_unknown(candidate, proof)
            if proof.verdict is Verdict.REFUSED and not self._options.overrule:
                self._check_unchanged(candidate)
        try:
            return PasswordChange(self._target, self._sign_ins, candidate).settle(self._backoff)
        except NewSecretRejected as error:
            if not candidate.fresh:
                raise self._unfit(error.message) from error
            self._vault.discard_pending()
            raise

    def confirm(self, candidate: Candidate) -> Proof:
        """Prove by signing in that the candidate is the password; a change may take a moment to be seen."""
        name = self._target.identity
        for _ in self._backoff.attempts():
            try:
                proof = self._sign_ins.prove(candidate.password)
            except RotationDenied as error:
                raise RotationDenied(
                    f"{name}: the new password is set. {error.message}", remedy=error.remedy
                ) from error
            if proof.accepted or proof.verdict is Verdict.UNVERIFIABLE:
                return proof
            if self._sign_ins.one_left or proof.fault:
                break
        if proof.verdict is Verdict.UNDECIDED:
            again = proof.fault.remedy if proof.fault else "Run the rotation again in a quarter of an hour."
            raise OutcomeUnknown(
                f"{name}: the new password is set, and no sign-in can prove it now ({proof.detail}).",
                remedy=f"It stays pending in {self._vault.name}. {again}",
            )
        raise self._not_proven(candidate.kept)

    def promote(self, account: str) -> None:
        """Make the candidate current in the vault; an error says that the password has changed."""
        try:
            self._vault.promote()
        except RotationError as error:
            message = f"{account}: the new password is set, and not current in {self._vault.name} yet. {error.message}"
            raise type(error)(message, remedy=error.remedy) from error

    @contextmanager
    def _session_released(self) -> Iterator[None]:
        try:
            yield
        finally:
            self._target.release()

    def _enter_with_what_is_kept(self, kept: KeptPasswords) -> None:
        name, values = self._target.identity, [each for each in (kept.current, kept.previous) if each is not None]
        if values and all(self._sign_ins.rehearse(each).verdict is Verdict.REFUSED for each in values):
            raise CurrentRefused(
                f"{name}: nothing that {self._vault.name} keeps signs in. Nothing has changed.",
                remedy="Store the live password there, or rotate the administrator's way.",
            )

    def _begin(self, account: Account, kept: KeptPasswords) -> Candidate:
        """Return a new candidate, staged."""
        account = self.rehearse(account, kept)
        password = generate(account.policy, self._recipe, avoid=[value for _, value in _labelled(kept)])
        staged = self._vault.stage(password, policy=account.policy)
        _log.debug("%s: a candidate is pending in %s", account.identity, self._vault.name)
        fresh = staged == password
        return Candidate(account, self._vault.name, replace(kept, pending=staged), staged, fresh=fresh)

    def _resume(self, account: Account, kept: KeptPasswords, pending: Secret) -> Candidate:
        """Return what is pending as the candidate, unless it cannot become the password."""
        candidate = Candidate(account, self._vault.name, kept, pending, fresh=False)
        self._check_fit(candidate)
        return candidate

    def _complete(self, candidate: Candidate) -> RotationResult:
        proof = self.apply(candidate)
        if proof is None and self._options.verify:
            proof = self.confirm(candidate)
        self.promote(candidate.account.identity)
        notes = (*candidate.account.notes, *self._sign_out())
        outcome = RotationOutcome.ROTATED if candidate.fresh else RotationOutcome.FINISHED
        _log.info("%s: %s", candidate.account.identity, outcome.value)
        return RotationResult(candidate.account.identity, self._vault.name, outcome, proof, notes)

    def _check_unchanged(self, candidate: Candidate) -> None:
        """Raise unless the password is, as far as anybody knows, the one that the candidate was to replace."""
        current = candidate.kept.current
        if current is None:
            return
        proof = prove_leniently(self._sign_ins, current)
        if proof.verdict is Verdict.UNDECIDED:
            raise outcome_unknown(candidate, proof)
        if not proof.accepted:
            raise NotProven(
                f"{self._target.identity}: neither the pending password nor the one before signs in: somebody else has"
                " changed it. Nothing was set.",
                remedy=f"It stays pending in {self._vault.name}. Recover this account by its name to set it all the"
                " same.",
            )

    def _check_fit(self, candidate: Candidate) -> None:
        """Raise where a pending value is against today's policy, and proven not to be live."""
        faults = candidate.account.policy.faults(candidate.password)
        if not faults or not candidate.account.policy.known:
            return
        proof = prove_leniently(self._sign_ins, candidate.password)
        if proof.accepted:
            return
        if proof.verdict is not Verdict.REFUSED:
            raise outcome_unknown(candidate, proof)
        raise self._unfit(f"{self._target.identity}: the pending password does not meet the policy: {faults[0]}.")

    def _unfit(self, what: str) -> NewSecretRejected:
        return NewSecretRejected(
            f"{what} A sign-in proves that it is not live.",
            remedy=f"Remove the pending value of {self._vault.name} and rotate again: with --discard-unfit `rotate`"
            " does both, `rotate recover` the former.",
        )

    def _undo(self, kept: KeptPasswords) -> RotationResult:
        """Forget a pending value that is proven not to be live, so that all is as before it was staged.

        A current value that does not sign in keeps both where they are: there would be no known password left.
        """
        proof = self._sign_ins.prove(kept.current) if kept.current is not None else None
        if proof is not None and proof.verdict is Verdict.REFUSED:
            raise NotProven(
                f"{self._target.identity}: the pending password is refused, and neither it nor the current one signs"
                " in: somebody else has changed it. Nothing was changed.",
                remedy="To set a new one all the same: `cognito-scim rotate` with --discard-unfit.",
            )
        if proof is not None and not proof.accepted:
            raise OutcomeUnknown(
                f"{self._target.identity}: the pending password is not live, and nobody can know now whether the"
                f" current one is ({proof.detail or proof.verdict.value}). Nothing was changed.",
                remedy="A lock-out ends within a quarter of an hour; then recover again.",
            )
        self._vault.discard_pending()
        _log.info("%s: %s", self._target.identity, RotationOutcome.DISCARDED.value)
        return RotationResult(self._target.identity, self._vault.name, RotationOutcome.DISCARDED, proof)

    def _not_proven(self, kept: KeptPasswords) -> NotProven:
        lives = kept.current is not None and self._sign_ins.prove(kept.current).accepted
        which = "the current one still signs in" if lives else "the current one was not seen to sign in either"
        return NotProven(
            f"{self._target.identity}: the new password was set, and does not sign in; {which}.",
            remedy=f"It stays pending in {self._vault.name}. If somebody else reset the password, run the rotation"
            " again: it sets the same candidate once more.",
        )

    def _sign_out(self) -> Iterator[str]:
        if not self._options.sign_out:
            return
        if not isinstance(self._target, SignsOut):
            yield "Sessions were not ended: the target cannot."
            return
        try:
            self._target.sign_out()
        except RotationError as error:
            yield f"Sessions were not ended: {error.message}"


def _labelled(kept: KeptPasswords) -> Iterator[tuple[str, Secret]]:
    """Yield what is kept in the order in which it most likely lives."""
    labelled = (("pending", kept.pending), ("current", kept.current), ("previous", kept.previous))
    return ((label, password) for label, password in labelled if password is not None)


# connector/rotation/engine/rollback.py
# Go back to the password before, where the vault could not keep the new one (Keeper's rollback_password).


_REMEDY = "Keep the live password, or set a new one as administrator."


def can_roll_back(account: Account, prior: Secret | None) -> bool:
    """Return whether the password before could be set again."""
    return prior is not None and account.policy.known and account.policy.history == 0


def roll_back(
    target: Target, *, prior: Secret | None, new: Secret, vault: str, backoff: Backoff = Backoff()
) -> RotationResult:
    """Make the password before the password again, unless it still is; also where no sign-in can prove anything.

    Args:
        target: the account.
        prior: the password before; None if nobody knows it.
        new: the password that the vault could not keep.
        vault: name of the vault, for messages.
        backoff: how long is tried.

    Returns:
        The result, its proof that of the password before; one that nobody could try is UNDECIDED or UNVERIFIABLE.

    Raises:
        NoWayBack: it cannot be set; the message says which password is live.
    """
    try:
        account = target.examine()
        if prior is not None and (can_roll_back(account, prior) or _prove(target, prior).accepted):
            reversed_vault = _Reversed(vault, KeptPasswords(current=new, pending=prior))
            rotation = AccountRotation(target, reversed_vault, backoff=backoff, options=Options(verify=False))
            result = rotation.rotate()
            proof = result.proof or _look(target, prior, backoff)
            if proof.verdict is not Verdict.REFUSED:
                return replace(result, proof=proof)
    except RotationError as error:
        raise NoWayBack(f"{_live(target, new, prior)} {error.message}", remedy=_REMEDY) from error
    raise NoWayBack(_live(target, new, prior), remedy=_REMEDY)


def _look(target: Target, password: Secret, backoff: Backoff) -> Proof:
    """Try a password that was just set; a change may take a moment to be seen."""
    for _, proof in zip(backoff.attempts(), (_prove(target, password) for _ in range(2)), strict=False):
        if proof.verdict is not Verdict.REFUSED:
            break
    return proof


def _live(target: Target, new: Secret, prior: Secret | None) -> str:
    name = f"{_identity(target)}: the password before could not be restored;"
    if _prove(target, new).accepted:
        return f"{name} the new one is live."
    proof = _prove(target, prior) if prior is not None else None
    if proof is not None and proof.accepted:
        return f"{name} the one before is live."
    reason = "the one before is not known" if proof is None else proof.detail or proof.verdict.value
    return f"{name} no sign-in shows which one is live ({reason})."


def _identity(target: Target) -> str:
    try:
        return target.identity
    except RotationError:
        return "the account"


def _prove(target: Target, password: Secret) -> Proof:
    """Try a password; where the caller may not sign users in, that proves nothing and stops nothing."""
    try:
        return target.prove(password)
    except RotationDenied as error:
        return Proof(Verdict.UNVERIFIABLE, error.message)


class _Reversed:
    """The two passwords as a vault in which the one before is the candidate; there is nothing to write."""

    def __init__(self, name: str, kept: KeptPasswords) -> None:
        self.name = name
        self._kept = kept

    def hold(self) -> AbstractContextManager[None]:
        return nullcontext()

    def read(self) -> KeptPasswords:
        return self._kept

    def stage(self, candidate: Secret, *, policy: PasswordPolicy) -> Secret:
        raise NoWayBack(f"The password before is {candidate!r} under policy {policy.digest()}.")

    def promote(self) -> None:
        """Nothing: the caller keeps the password before."""

    def discard_pending(self) -> None:
        """Nothing: likewise."""


# deploy/keeper/source/common.py
# What both plugins need of a Keeper Gateway: values as they come, the engine between them, errors as it shows them.


UNTOUCHED = (CurrentRefused, NewSecretRejected, NotAllowed, RotationDenied, TargetUnavailable, TargetUnfit)
"""What ends an attempt that changed nothing, as a sign-in has shown; in any doubt the engine raises OutcomeUnknown."""


_ROLL_BACK = (
    "Keeper now rolls back, where that is switched on. Should that fail too, set a password as administrator and store"
    " it in the record."
)


class Change:
    """One change of a password that the Gateway asks for, and the way back.

    Args:
        target: whose password it is.
        new: the password that the Gateway made, and keeps when this succeeds.
        prior: the password before, where the vault has it.
        backoff: how long is tried.
    """

    def __init__(self, target: Target, *, new: Secret, prior: Secret | None, backoff: Backoff = Backoff()) -> None:
        self._target = target
        self._new = new
        self._prior = prior
        self._backoff = backoff
        self._without_effect = False

    def make(self) -> None:
        """Set the new password and prove it.

        Raises:
            NewSecretRejected: the policy, looked up before anything is sent, or the target refuses it.
            ConnectorError: see `AccountRotation`.
        """
        kept = KeptPasswords(current=self._prior, pending=self._new)
        rotation = AccountRotation(self._target, GatewayVault(kept), backoff=self._backoff)
        try:
            account = rotation.rehearse(self._target.examine(), kept)
            candidate = self._prepare(account, kept)
            proof = rotation.apply(candidate)
        except OutcomeUnknown as error:
            raise OutcomeUnknown(error.message, remedy=_ROLL_BACK) from error
        except UNTOUCHED:
            self._without_effect = True
            raise
        try:
            proof = proof or rotation.confirm(candidate)
        except RotationError as error:
            raise type(error)(error.message, remedy=_ROLL_BACK) from error
        Log.info(f"{account.identity}: the password is changed; {proof.verdict.value}. {proof.detail}".strip())

    def can_be_undone(self) -> bool:
        """Return whether the password before could be set again; False if that cannot be found out."""
        try:
            return can_roll_back(self._target.examine(), self._prior)
        except ConnectorError as error:
            Log.warning(f"No rollback: {error}")
            return False

    def undo(self) -> None:
        """Make the password before the password again; nothing, if the change had no effect.

        Raises:
            NoWayBack: it cannot be; the message says which password is live.
        """
        if self._without_effect:
            Log.info("Nothing to roll back: the password was not changed.")
            return
        result = roll_back(
            self._target, prior=self._prior, new=self._new, vault=GatewayVault.name, backoff=self._backoff
        )
        said = f"{result.proof.verdict.value}. {result.proof.detail}".strip() if result.proof else ""
        Log.info(f"{result.account}: the prior password is set again; {said}")

    def _prepare(self, account: Account, kept: KeptPasswords) -> Candidate:
        for note in account.notes:
            Log.warning(note)
        faults = account.policy.faults(self._new) if account.policy.known else ()
        if faults:
            raise NewSecretRejected(
                f"{account.identity}: the new password does not meet the policy: {'; '.join(faults)}.",
                remedy="Nothing was changed. Set the complexity of the Keeper record accordingly.",
            )
        if not can_roll_back(account, self._prior):
            Log.warning("This change cannot be rolled back: the prior password is unknown, or may not be used again.")
        return Candidate(account, GatewayVault.name, kept, self._new, fresh=True)


class GatewayVault:
    """The Gateway as the engine's vault: it made the candidate, and keeps it once the plugin has returned."""

    name = "the Keeper vault"

    def __init__(self, kept: KeptPasswords) -> None:
        self._kept = kept

    def hold(self) -> AbstractContextManager[None]:
        """Keep nobody out: the Gateway runs one rotation of a record at a time."""
        return nullcontext()

    def read(self) -> KeptPasswords:
        """Return what the Gateway gave."""
        return self._kept

    def stage(self, candidate: Secret, *, policy: PasswordPolicy) -> Secret:  # noqa: ARG002 - the Gateway's stays
        """Return the Gateway's candidate."""
        return self._kept.pending or candidate

    def promote(self) -> None:
        """Leave it to the Gateway."""

    def discard_pending(self) -> None:
        """Leave it to the Gateway."""


def read_text(value: Any) -> str | None:
    """Return the one text in a value as Gateways and `plugin_test` give it, or None.

    Seen in the wild: None, Secret(None), a text, and one-element tuples and lists of them.
    """
    inside = KeeperSecret.get_value(value)
    if isinstance(inside, tuple | list):
        texts = {read_text(one) for one in inside} - {None}
        return texts.pop() if len(texts) == 1 else None
    return inside if isinstance(inside, str) and inside else None


def read_passwords(user: Any) -> tuple[Secret, Secret | None]:
    """Return the new password and the one before, which may be unknown.

    Raises:
        SaasException: there is no new one.
    """
    new, prior = read_text(user.new_password), read_text(user.prior_password)
    if new is None:
        raise SaasException("The Gateway gave no new password.")
    return Secret(new), Secret(prior) if prior is not None else None


def open_door(config: Any, provider: Any, region: str) -> AwsDoor:
    """Return AWS with the credentials of the record, else of the PAM configuration, else of the Gateway's host.

    Args:
        config: `get_config` of the plugin.
        provider: the PAM AWS configuration, if the plugin may use it.
        region: such as `eu-west-1`.

    Raises:
        SaasException: half of a credential is missing.
    """
    key_id, secret = read_text(config("aws_access_key_id")), read_text(config("aws_secret_access_key"))
    if key_id is None and secret is None:
        key_id = read_text(getattr(provider, "aws_access_key_id", None))
        secret = read_text(getattr(provider, "aws_secret_access_key", None))
    if (key_id is None) != (secret is None):
        raise SaasException("AWS Access Key ID and AWS Secret Access Key are needed both, or neither.")
    session = boto3.Session(aws_access_key_id=key_id, aws_secret_access_key=secret, region_name=region)
    return AwsDoor(session, region)


def find_region(config: Any, provider: Any) -> str | None:
    """Return the Region of the record, under either of its labels, else the first of the PAM configuration."""
    names = getattr(provider, "region_names", None) or ()
    first = names.split()[0] if isinstance(names, str) else next(iter(names), None)
    return read_text(config("cloud_region")) or read_text(config("aws_region")) or read_text(first)


@contextmanager
def told_to_keeper() -> Iterator[None]:
    """Tell the Gateway what went wrong in its own error, which names accounts and remedies and no secret."""
    try:
        yield
    except ConnectorError as error:
        Log.error(f"{type(error).__name__}: {error}")
        raise SaasException(str(error), code=f"cognito_scim_{type(error).__name__}") from None


# deploy/keeper/source/aws_iam_user.py
# Keeper SaaS plugin: rotate the console password of an IAM user, and say what of it could be verified.


class SaasPlugin(SaasPluginBase):
    """UpdateLoginProfile, after the account's password policy was looked up; IAM offers no sign-in to prove it with."""

    name = "AWS IAM User"
    summary = "Rotate the console password of an IAM user."
    readme = "README.md"
    author = "cognito-scim"
    email = "cognito-scim@example.com"

    def __init__(
        self,
        user: Any,
        config_record: Any,
        provider_config: Any = None,
        force_fail: bool = False,  # noqa: FBT001, FBT002 - the Gateway's signature
    ) -> None:
        super().__init__(user, config_record, provider_config, force_fail)
        self._change: Change | None = None

    @classmethod
    def requirements(cls) -> list[str]:
        """Return what the Gateway installs."""
        return ["boto3"]

    @classmethod
    def config_schema(cls) -> list[SaasConfigItem]:
        """Return the fields of the configuration record, with the labels of Keeper's own plugin."""
        return [
            SaasConfigItem(
                id="aws_access_key_id",
                label="AWS Access Key ID",
                desc="AWS Access Key ID.",
                is_secret=True,
                required=True,
            ),
            SaasConfigItem(
                id="aws_secret_access_key",
                label="AWS Secret Access Key",
                desc="AWS Secret Access Key.",
                is_secret=True,
                required=True,
            ),
            SaasConfigItem(
                id="cloud_region",
                label="Cloud Region",
                desc="Cloud Region.",
                required=True,
            ),
        ]

    @property
    def can_rollback(self) -> bool:
        """Whether the prior password is known and the account would take it again: it must not prevent reuse."""
        try:
            return self._password_change().can_be_undone()
        except SaasException:
            return False

    def change_password(self) -> None:
        """Set the Gateway's new password, for good."""
        change = self._password_change()
        with told_to_keeper():
            change.make()
            account = self._target().account()
        value = KeeperSecret(account.alias or account.number)
        self.add_return_field(ReturnCustomField(label="account_id_or_alias", type="secret", value=value))

    def rollback_password(self) -> None:
        """Make the prior password the password again; or say that nobody can tell which one is live."""
        change = self._password_change()
        with told_to_keeper():
            change.undo()

    def _password_change(self) -> Change:
        if self._change is None:
            new, prior = read_passwords(self.user)
            self._change = Change(self._target(), new=new, prior=prior)
        return self._change

    def _target(self) -> IamUser:
        region = find_region(self.get_config, self.provider_config)
        door = open_door(self.get_config, self.provider_config, region or "us-east-1")
        username = read_text(self.user.username)
        if username is None:
            raise SaasException("The login of the PAM User record is blank.")
        return IamUser(door.iam(), door.sts(), username=username, allowed=EVERYONE)
