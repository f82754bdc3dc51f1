from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from botocore import exceptions as aws
from botocore.exceptions import BotoCoreError, ClientError

from connector.cognito.errors import SourceCall, is_throttled, prepared, refused, server_time, told
from connector.errors import (
    ConfigError,
    ConnectorError,
    HarvestIncomplete,
    SourceDenied,
    SourceError,
    SourceMissing,
    SourceThrottled,
    SourceUnavailable,
)

LIST = SourceCall("ListUsers", "user pool us-east-1_x")
ASSUME = SourceCall("AssumeRole", "role arn:aws:iam::123456789012:role/r")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECRET = "hunter2/external+id"


def client_error(code: str, status: int = 400, message: str = SECRET, date: datetime | None = None) -> ClientError:
    """Return an error as botocore raises it, with a secret in what AWS says."""
    headers = {"date": format_datetime(date, usegmt=True)} if date else {}
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": headers}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, "ListUsers")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("code", "status", "expected", "words"),
    [
        ("AccessDeniedException", 400, SourceDenied, "Allow cognito-idp:ListUsers"),
        ("AccessDenied", 403, SourceDenied, "Allow cognito-idp:ListUsers"),
        ("403", 403, SourceDenied, "Allow cognito-idp:ListUsers"),
        ("NotAuthorizedException", 400, SourceDenied, "Allow cognito-idp:ListUsers"),
        ("UnrecognizedClientException", 400, SourceDenied, "does not know the keys"),
        ("InvalidClientTokenId", 403, SourceDenied, "does not know the keys"),
        ("SignatureDoesNotMatch", 403, SourceDenied, "does not know the keys"),
        ("ExpiredTokenException", 400, SourceDenied, "have expired"),
        ("ExpiredToken", 403, SourceDenied, "have expired"),
        ("RequestExpired", 400, SourceDenied, "clock is wrong"),
        ("RequestTimeTooSkewed", 403, SourceDenied, "clock is wrong"),
        ("ResourceNotFoundException", 400, SourceMissing, "cognito.user_pool_id"),
        ("TooManyRequestsException", 400, SourceThrottled, "throttled"),
        ("ThrottlingException", 400, SourceThrottled, "throttled"),
        ("Busy", 429, SourceThrottled, "throttled"),
        ("InvalidParameterException", 400, SourceError, "does not accept the parameters"),
        ("InternalErrorException", 500, SourceUnavailable, "HTTP 500"),
        ("503", 503, SourceUnavailable, "HTTP 503"),
        ("NeverHeardOf", 400, SourceError, "NeverHeardOf"),
    ],
)
def test_each_code_of_aws_has_its_place_in_our_tree(
    code: str, status: int, expected: type[ConnectorError], words: str
) -> None:
    """Every refusal names operation, resource, code and remedy, and repeats nothing that AWS wrote beside it (P27)."""
    error = refused(client_error(code, status), LIST, now=NOW)

    assert type(error) is expected
    assert words in str(error)
    assert LIST.operation in error.message
    assert LIST.target in error.message
    assert code in error.message
    assert error.remedy
    assert SECRET not in f"{error!r}"


def test_a_denied_role_names_the_three_parties() -> None:
    """AWS says the same whether the principal, the ExternalId or the permission is missing."""
    error = refused(client_error("AccessDenied", 403), ASSUME)

    assert type(error) is SourceDenied
    assert [word for word in ("principal", "aws.external_id", "sts:AssumeRole") if word in error.remedy] == [
        "principal",
        "aws.external_id",
        "sts:AssumeRole",
    ]


def test_the_denied_caller_is_named_and_nothing_else_of_the_text() -> None:
    """An ARN tells an administrator which policy to look at; the rest of the text could hold anything."""
    text = f"User: arn:aws:iam::1:user/reader is not authorized to perform: x with {SECRET}\x1b[2J"

    error = refused(client_error("AccessDeniedException", message=text), LIST)

    assert "denied to arn:aws:iam::1:user/reader (" in error.message
    assert SECRET not in str(error)
    assert "\x1b" not in str(error)


def test_parameters_of_a_role_that_aws_refuses_are_configuration() -> None:
    """STS answers ValidationError and repeats the ExternalId; we do not."""
    error = refused(client_error("ValidationError"), ASSUME)

    assert type(error) is ConfigError
    assert "aws.session_duration" in error.remedy
    assert SECRET not in str(error)


@pytest.mark.parametrize(("minutes", "skewed"), [(-6, True), (-5, False), (0, False), (5, False), (6, True)])
def test_keys_are_not_blamed_for_a_wrong_clock(minutes: int, *, skewed: bool) -> None:
    """P25: more than five minutes from the Date header, the clock is the cause."""
    error = refused(client_error("SignatureDoesNotMatch", 403, date=NOW + timedelta(minutes=minutes)), LIST, now=NOW)

    assert skewed == ("clock is wrong" in error.message)


@pytest.mark.parametrize("second", ["", ", Sun, 06 Nov 1994 08:49:37 GMT", ", nonsense"])
def test_a_date_that_comes_twice_is_read_once(second: str) -> None:
    """P25: a proxy that adds a header of its own makes no answer unreadable (RFC 9110, section 5.3)."""
    headers = {"date": f"Sun, 01 Mar 2026 12:00:00 GMT{second}"}

    assert server_time({"ResponseMetadata": {"HTTPHeaders": headers}}) == NOW


@pytest.mark.parametrize("date", ["", "soon", "\ud800", "0" * 100])
def test_a_date_that_is_none_is_not_read(date: str) -> None:
    """Whoever writes it, it is only a hint about the clock."""
    assert server_time({"ResponseMetadata": {"HTTPHeaders": {"date": date}}}) is None


@pytest.mark.parametrize("text", ["Signature expired: 1 is now earlier than 2", "Signature not yet current: 2"])
def test_a_signature_out_of_time_is_a_wrong_clock(text: str) -> None:
    """P25: these words come with InvalidSignatureException, which also stands for wrong keys."""
    error = refused(client_error("InvalidSignatureException", message=text), LIST)

    assert type(error) is SourceDenied
    assert "clock is wrong" in error.message


ENDPOINT = "https://user:hunter2@cognito-idp.eu-west-1.amazonaws.com:8443/?q=hunter2"


@pytest.mark.parametrize(
    ("error", "expected", "words"),
    [
        (aws.EndpointConnectionError(endpoint_url=ENDPOINT, error=""), SourceUnavailable, "amazonaws.com:8443 ("),
        (aws.ConnectTimeoutError(endpoint_url=ENDPOINT), SourceUnavailable, "amazonaws.com:8443 did not answer"),
        (aws.ReadTimeoutError(endpoint_url=ENDPOINT), SourceUnavailable, "did not answer in time"),
        (aws.ConnectionClosedError(endpoint_url=ENDPOINT), SourceUnavailable, "no connection to"),
        (aws.SSLError(endpoint_url=ENDPOINT, error=OSError()), SourceUnavailable, "AWS_CA_BUNDLE"),
        (aws.ProxyConnectionError(proxy_url="http://u:hunter2@proxy"), SourceUnavailable, "HTTPS_PROXY"),
        (aws.HTTPClientError(error="hunter2"), SourceUnavailable, "Check that HTTPS_PROXY is an address such as"),
        (aws.IncompleteReadError(actual_bytes=1, expected_bytes=2), SourceUnavailable, "no connection to AWS"),
        (aws.NoCredentialsError(), ConfigError, "none were found"),
        (aws.PartialCredentialsError(provider="env", cred_var="hunter2"), ConfigError, "aws.credential_source"),
        (aws.ProfileNotFound(profile="reader"), ConfigError, "profile 'reader'"),
        (aws.NoRegionError(), ConfigError, "cognito.region"),
        (aws.ConfigParseError(path="x"), ConfigError, "AWS setting is wrong"),
        (aws.CredentialRetrievalError(provider="p", error_msg="hunter2"), SourceDenied, "aws sso login"),
        (aws.UnauthorizedSSOTokenError(), SourceDenied, "aws sso login"),
        (aws.ParamValidationError(report="hunter2"), SourceError, "a form that AWS does not allow"),
        (BotoCoreError(), SourceError, "was not sent (BotoCoreError)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_fault_on_our_side_of_the_wire_has_its_place_in_our_tree(
    error: BotoCoreError, expected: type[ConnectorError], words: str
) -> None:
    """The message names the endpoint or the setting, and never a parameter, a password or a query (P27)."""
    with pytest.raises(ConnectorError) as caught, told(LIST):
        raise error

    assert type(caught.value) is expected
    assert words in str(caught.value)
    assert "ListUsers on user pool us-east-1_x" in caught.value.message
    assert caught.value.remedy
    assert "hunter2" not in f"{caught.value!r}"
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("error", [ValueError(SECRET), AttributeError(SECRET), RuntimeError(SECRET)])
def test_an_answer_that_botocore_cannot_parse_may_be_asked_again(error: Exception) -> None:
    """P01: a damaged answer is never half an answer."""
    with pytest.raises(SourceUnavailable, match="could not be read") as caught, told(LIST):
        raise error
    assert SECRET not in str(caught.value)


def test_our_own_errors_pass_unchanged() -> None:
    """A renewal that fails while a call is signed keeps its message."""
    mine = HarvestIncomplete("mine")

    with pytest.raises(HarvestIncomplete) as caught, told(LIST):
        raise mine
    assert caught.value is mine


def test_what_cannot_be_prepared_is_a_configuration_error() -> None:
    """Botocore raises a bare ValueError for an endpoint that is no URL."""
    with pytest.raises(ConfigError, match="AWS_ENDPOINT_URL"), prepared("A session with AWS"):
        raise ValueError(SECRET)


@pytest.mark.parametrize(
    ("parsed", "expected"),
    [
        ({"Error": {"Code": "TooManyRequestsException"}}, True),
        ({"ResponseMetadata": {"HTTPStatusCode": 429}}, True),
        ({"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}, False),
        ({}, False),
    ],
)
def test_throttled_answers_are_recognised(parsed: dict[str, dict[str, object]], *, expected: bool) -> None:
    """P10: by code, or by status."""
    assert expected == is_throttled(parsed)
