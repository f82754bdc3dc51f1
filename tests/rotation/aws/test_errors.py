"""Whatever AWS or botocore say becomes one error of the tree, which repeats nothing that they said."""

import inspect
from typing import Any

import pytest
from botocore import exceptions as aws
from botocore.parsers import ResponseParserError
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import (
    CurrentRefused,
    NewSecretRejected,
    OutcomeUnknown,
    RotationDenied,
    RotationError,
    TargetUnavailable,
    TargetUnfit,
)
from connector.rotation.aws.errors import AwsCall, rotation_faults
from connector.rotation.sign_in.errors import (
    ClientSecretRefused,
    CodeRefused,
    FlowNotAllowed,
    ResetRequired,
    UserDisabled,
    UserMissing,
    sign_in_faults,
)

LOOK = AwsCall("cognito-idp:AdminGetUser", "user 'ann'")
CHANGE = AwsCall("cognito-idp:AdminSetUserPassword", "user 'ann'", changes=True, candidate=True)
CANARY = "C4nary-eyJhbGciOi"
KINDS = {NewSecretRejected, OutcomeUnknown, RotationDenied, TargetUnavailable, TargetUnfit}


def refusal(code: str, *, status: int = 400, text: str = CANARY) -> aws.ClientError:
    """Return an error as botocore makes it of an answer."""
    answer: Any = {"Error": {"Code": code, "Message": text}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return aws.ClientError(answer, "Operation")


def told(error: Exception, call: AwsCall, *, context=rotation_faults) -> RotationError:
    """Return the error of the tree for one of AWS."""
    with pytest.raises(RotationError) as caught, context(call):
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("AccessDeniedException", 400, RotationDenied),
        ("NotAuthorizedException", 400, RotationDenied),
        ("Anything", 403, RotationDenied),
        ("ExpiredTokenException", 400, RotationDenied),
        ("InvalidSignatureException", 400, RotationDenied),
        ("UnrecognizedClientException", 400, RotationDenied),
        ("TooManyRequestsException", 400, TargetUnavailable),
        ("LimitExceededException", 400, TargetUnavailable),
        ("Throttling", 400, TargetUnavailable),
        ("Anything", 429, TargetUnavailable),
        ("ForbiddenException", 403, TargetUnavailable),
        ("EntityTemporarilyUnmodifiable", 409, TargetUnavailable),
        ("InvalidPasswordException", 400, NewSecretRejected),
        ("PasswordHistoryPolicyViolationException", 400, NewSecretRejected),
        ("PasswordPolicyViolation", 400, NewSecretRejected),
        ("InvalidParameterException", 400, NewSecretRejected),
        ("ResourceNotFoundException", 400, TargetUnfit),
        ("UserNotFoundException", 400, TargetUnfit),
        ("NoSuchEntity", 404, TargetUnfit),
        ("UserLambdaValidationException", 400, TargetUnfit),
        ("SomethingNewException", 400, TargetUnfit),
        ("InternalErrorException", 500, OutcomeUnknown),
        ("ServiceFailure", 500, OutcomeUnknown),
        ("503", 503, OutcomeUnknown),
    ],
)
def test_each_refusal_of_a_change_has_its_kind(code: str, status: int, kind: type[RotationError]):
    """P26: only a clear answer is believed; a fault inside AWS may have come after the change."""
    error = told(refusal(code, status=status), CHANGE)

    assert type(error) is kind
    assert code in error.message


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("InternalErrorException", 500, TargetUnavailable),
        ("InvalidParameterException", 400, TargetUnfit),
        ("AccessDeniedException", 400, RotationDenied),
    ],
)
def test_a_look_that_fails_has_changed_nothing(code: str, status: int, kind: type[RotationError]):
    """P26: a call that changes nothing has no unknown outcome."""
    assert type(told(refusal(code, status=status), LOOK)) is kind


BOTOCORE: list[type[aws.BotoCoreError]] = [
    kind for _, kind in inspect.getmembers(aws, inspect.isclass) if issubclass(kind, aws.BotoCoreError)
]


class Silence(dict[str, str]):
    """Gives every field that the text of a botocore error may want, all of them a secret."""

    def __missing__(self, _: str) -> str:
        return CANARY


def made(kind: type[aws.BotoCoreError]) -> aws.BotoCoreError:
    """Return an error of botocore whose text is full of secrets."""
    error = kind.__new__(kind)
    Exception.__init__(error, CANARY)
    error.kwargs = Silence(error=CANARY)
    return error


@pytest.mark.parametrize("kind", BOTOCORE, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("call", [LOOK, CHANGE], ids=["look", "change"])
def test_every_error_of_botocore_is_told_without_its_text(kind: type[aws.BotoCoreError], call: AwsCall):
    """P27: parameters and addresses stand in botocore's texts."""
    error = told(made(kind), call)

    assert type(error) in KINDS
    assert error.remedy
    assert CANARY not in f"{error} {error!r}"


@pytest.mark.parametrize(
    "kind",
    [
        aws.ReadTimeoutError,
        aws.ConnectionClosedError,
        aws.ResponseStreamingError,
        aws.IncompleteReadError,
        aws.HTTPClientError,
        aws.SSLError,
    ],
)
def test_a_change_that_may_have_been_heard_is_an_unknown_outcome(kind: type[aws.BotoCoreError]):
    """P26: time-outs and broken connections."""
    assert type(told(made(kind), CHANGE)) is OutcomeUnknown
    assert type(told(made(kind), LOOK)) is TargetUnavailable


@pytest.mark.parametrize("kind", [aws.EndpointConnectionError, aws.ConnectTimeoutError, aws.ProxyConnectionError])
def test_a_change_that_was_never_sent_has_changed_nothing(kind: type[aws.BotoCoreError]):
    """P26: without a connection nobody heard it."""
    assert type(told(made(kind), CHANGE)) is TargetUnavailable


@pytest.mark.parametrize("error", [ResponseParserError(CANARY), KeyError(CANARY), ValueError(CANARY)])
def test_an_answer_that_cannot_be_read_is_no_answer(error: Exception):
    """P26: whatever botocore's parsers make of an odd body."""
    assert type(told(error, CHANGE)) is OutcomeUnknown
    assert CANARY not in str(told(error, CHANGE))


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        ("NotAuthorizedException", "Incorrect username or password.", CurrentRefused),
        ("NotAuthorizedException", "Password attempts exceeded", TargetUnavailable),
        ("NotAuthorizedException", "User is disabled.", UserDisabled),
        ("NotAuthorizedException", "Invalid session for the user, session is expired.", TargetUnavailable),
        ("NotAuthorizedException", "Unable to verify secret hash for client 1", ClientSecretRefused),
        ("NotAuthorizedException", "SecretHash does not match for the client: 1", ClientSecretRefused),
        (
            "NotAuthorizedException",
            "Client 1 is configured for secret but secret was not received",
            ClientSecretRefused,
        ),
        (
            "NotAuthorizedException",
            "Client 1 is configured with secret but SECRET_HASH was not received",
            ClientSecretRefused,
        ),
        ("NotAuthorizedException", "Something that AWS says from tomorrow on", TargetUnfit),
        ("InvalidParameterException", "USER_SRP_AUTH is not enabled for the client.", FlowNotAllowed),
        ("InvalidParameterException", "USER_PASSWORD_AUTH flow not enabled for this client", FlowNotAllowed),
        ("InvalidParameterException", "Auth flow not enabled for this client", FlowNotAllowed),
        (
            "InvalidParameterException",
            "App client 1 is not configured for secret but secret hash was received",
            ClientSecretRefused,
        ),
        ("InvalidParameterException", "Missing required parameter USERNAME", TargetUnfit),
        ("UserNotFoundException", "User does not exist.", UserMissing),
        ("UserNotConfirmedException", "User is not confirmed.", TargetUnfit),
        ("PasswordResetRequiredException", "Password reset required for the user", ResetRequired),
        ("CodeMismatchException", "Invalid code received for user", CodeRefused),
        ("ExpiredCodeException", "Your software token has already been used once.", TargetUnavailable),
        ("TooManyRequestsException", "Rate exceeded", TargetUnavailable),
        ("AccessDeniedException", "not authorized to perform: cognito-idp:AdminInitiateAuth", RotationDenied),
    ],
)
def test_each_refusal_of_a_sign_in_has_its_kind(code: str, text: str, kind: type[RotationError]):
    """P26: one code stands for half a dozen things, of which one is a wrong password."""
    error = told(refusal(code, text=text), LOOK, context=sign_in_faults)

    assert type(error) is kind
    assert error.remedy


@given(
    text=st.text(),
    code=st.just("NotAuthorizedException") | st.text(st.characters(codec="ascii", categories=["L", "Nd"]), max_size=30),
)
def test_no_text_but_one_is_a_wrong_password(text: str, code: str):
    """P26: what AWS may say some day never makes a live password look wrong, and is not repeated."""
    error = told(refusal(code, text=f"{CANARY} {text}"), LOOK, context=sign_in_faults)

    assert not isinstance(error, CurrentRefused)
    assert CANARY not in str(error)


@pytest.mark.parametrize("context", [rotation_faults, sign_in_faults])
def test_an_error_of_the_tree_passes_as_it_is(context):
    """P26: what was told inside is not told again."""
    inside = OutcomeUnknown("inside")

    assert told(inside, LOOK, context=context) is inside


@pytest.mark.parametrize("crash", [KeyboardInterrupt, SystemExit])
def test_an_end_of_the_process_is_not_swallowed(crash: type[BaseException]):
    """P26: Ctrl-C stays Ctrl-C."""
    with pytest.raises(crash), sign_in_faults(CHANGE):
        raise crash
