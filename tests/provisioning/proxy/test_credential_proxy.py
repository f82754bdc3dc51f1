"""The proxy's handler: what is granted, to whom, in whose name; and how little anybody else learns."""

import base64
import json
from dataclasses import dataclass

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from moto import mock_aws

from connector.provisioning import credential_proxy
from connector.provisioning.credential_proxy import handler
from tests.fakes.issuer import TokenIssuer

REGION = "eu-west-1"
DEFAULT_ACCOUNT_ID = "123456789012"
POOL_ID = f"{REGION}_Strict123"
ISSUER = TokenIssuer(POOL_ID, "app")
DEFAULT_ROLE = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/CognitoLongLivedRole"
SECOND_ROLE = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/Reports"
CANARY = "canary-secret-access-key-0123456789abcd"
ENVIRONMENT = {
    "COGNITO_USER_POOL_ID": POOL_ID,
    "COGNITO_CLIENT_ID": "app, second",
    "DEFAULT_ROLE_ARN": DEFAULT_ROLE,
    "ALLOWED_ROLE_ARNS": SECOND_ROLE,
    "MAX_DURATION_SECONDS": "7200",
    "PROXY_SECRET_ID": "proxy-key",
}


@dataclass
class Invocation:
    """What Lambda says of an invocation."""

    aws_request_id: str = "6b1e4f0a-0000-4000-8000-000000000000"


@pytest.fixture
def sent(monkeypatch):
    """Every AssumeRole as it was sent; moto keeps neither tags nor the key that signed."""
    requests = []
    session = boto3.Session(region_name=REGION)

    def record(params, **_):
        requests.append(dict(params["body"]))

    session.events.register("before-call.sts.AssumeRole", record)
    monkeypatch.setattr(credential_proxy.boto3, "Session", lambda: session)
    return Sent(session, requests)


@dataclass
class Sent:
    """The function's session, and what it sent."""

    session: boto3.Session
    requests: list[dict[str, str]]

    @property
    def last(self):
        """The last request, in the words of the query protocol."""
        return self.requests[-1]

    @property
    def tags(self):
        """The tags of the last request."""
        last = self.last
        return {last[f"Tags.member.{n}.Key"]: last[f"Tags.member.{n}.Value"] for n in (1, 2)}


@pytest.fixture
def ask(monkeypatch, sent):
    """Ask the function as Lambda does; the secret is there, the pool's keys are the issuer's."""
    assert sent.requests == []
    for name, value in {**ENVIRONMENT, "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setattr(credential_proxy, "fetch_jwks", lambda _: ISSUER.jwks())
    credential_proxy._proxy.cache_clear()
    with mock_aws():
        store_key("AKIAPROXY00000000001")

        def invoke(**event):
            answer = handler(event, Invocation())
            return answer["statusCode"], json.loads(answer["body"])

        yield invoke
    credential_proxy._proxy.cache_clear()


def store_key(key_id):
    """Keep an access key in the proxy's secret."""
    text = json.dumps({"aws_access_key_id": key_id, "aws_secret_access_key": CANARY})
    client = boto3.client("secretsmanager", region_name=REGION)
    try:
        client.create_secret(Name="proxy-key", SecretString=text)
    except client.exceptions.ResourceExistsException:
        client.put_secret_value(SecretId="proxy-key", SecretString=text)


def test_person_gets_a_session_tagged_with_verified_claims(ask, sent):
    """Policies can tell users apart by the tag; CloudTrail by the name."""
    status, body = ask(id_token=ISSUER.token(), duration_seconds=3600)

    assert status == 200
    assert set(body) == {
        "access_key_id",
        "secret_access_key",
        "session_token",
        "expiration",
        "user_id",
        "username",
    }
    assert sent.last["RoleArn"] == DEFAULT_ROLE
    assert sent.last["RoleSessionName"] == "cognito-ann-6b1e4f0a-0000-4000-8000-000000000000"
    assert sent.last["DurationSeconds"] == 3600
    assert sent.tags == {"CognitoSubject": ISSUER.claims()["sub"], "CognitoUsername": "ann"}


def test_username_cannot_break_out_of_a_name_or_a_tag(ask, sent):
    r"""STS: RoleSessionName is [\w+=,.@-]{2,64}, a tag's value up to 256 characters of its set."""
    ask(id_token=ISSUER.token(ISSUER.claims("Zoë/../*?" + "x" * 300)))

    assert sent.last["RoleSessionName"] == f"cognito-Zo__..___{'x' * 31}-6b1e4f0a-0000-4"
    assert len(sent.last["RoleSessionName"]) == 64
    assert sent.tags["CognitoUsername"].startswith("Zoë/../__xx")
    assert len(sent.tags["CognitoUsername"]) == 256


def test_role_on_the_list_may_be_asked_for(ask, sent):
    """The caller chooses among what the configuration allows, and nothing else."""
    assert ask(id_token=ISSUER.token(), role_arn=SECOND_ROLE)[0] == 200
    assert sent.last["RoleArn"] == SECOND_ROLE


@pytest.mark.parametrize(
    "role", [f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/Admin", "", "*", DEFAULT_ROLE.lower(), [DEFAULT_ROLE], 1]
)
def test_any_other_role_is_refused(ask, role):
    """The seed's proxy assumed whatever it was asked for."""
    status, body = ask(id_token=ISSUER.token(), role_arn=role)

    assert (status, body) == (403, {"error": "This role is not given out here."})


@pytest.mark.parametrize("seconds", [60, 899, 7201, 43_200, 10**9, -1, True, "3600", 3600.0, None, [3600]])
def test_duration_is_a_whole_number_within_bounds(ask, seconds):
    """From 900 to MAX_DURATION_SECONDS; true is no number."""
    status, body = ask(id_token=ISSUER.token(), duration_seconds=seconds)

    assert status == 400
    assert "duration_seconds is not" in body["error"]


@pytest.mark.parametrize("token", [None, "", 7, "a.b.c", {"a": 1}])
def test_request_without_a_token_is_refused(ask, token):
    """400 where none came, 401 where one came that is none."""
    assert ask(id_token=token)[0] in (400, 401)
    assert ask()[0] == 400


def test_forged_token_is_refused_without_detail(ask, capsys):
    """The caller hears one sentence, the log the reason; neither repeats the token."""
    forged = TokenIssuer(POOL_ID, "app").token()
    status, body = ask(id_token=forged)

    assert (status, body) == (401, {"error": "The token is not accepted."})
    line = json.loads(capsys.readouterr().out)
    assert line["message"] == "token refused: signature"
    assert line["request_id"] == Invocation().aws_request_id
    assert forged not in json.dumps(line)


@pytest.mark.parametrize(
    "missing", [name for name in ENVIRONMENT if name not in ("ALLOWED_ROLE_ARNS", "MAX_DURATION_SECONDS")]
)
def test_missing_configuration_is_a_500_without_detail(ask, monkeypatch, capsys, missing):
    """Nothing is taken from the event or the token instead; the log names the variable."""
    monkeypatch.delenv(missing)
    status, body = ask(id_token=ISSUER.token())

    assert (status, body) == (500, {"error": "The request could not be answered."})
    assert missing in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COGNITO_USER_POOL_ID", "eu-west-1"),
        ("COGNITO_USER_POOL_ID", "https://evil/eu-west-1_Pool"),
        ("COGNITO_CLIENT_ID", "app, *"),
        ("DEFAULT_ROLE_ARN", "*"),
        ("ALLOWED_ROLE_ARNS", f"{SECOND_ROLE},arn:aws:iam::*:role/x"),
        ("MAX_DURATION_SECONDS", "60"),
        ("MAX_DURATION_SECONDS", "86400"),
        ("MAX_DURATION_SECONDS", "٣٦٠٠"),
        ("MAX_DURATION_SECONDS", "1h"),
    ],
)
def test_unusable_configuration_is_a_500_too(ask, monkeypatch, name, value):
    """A wildcard in a list would allow everything."""
    monkeypatch.setenv(name, value)

    assert ask(id_token=ISSUER.token())[0] == 500


def test_secret_that_is_missing_or_no_key_is_a_500_without_detail(ask, capsys):
    """What the secret holds is never repeated."""
    for text in ("{}", "not JSON " + CANARY, "[]"):
        boto3.client("secretsmanager").put_secret_value(SecretId="proxy-key", SecretString=text)
        credential_proxy._proxy.cache_clear()
        assert ask(id_token=ISSUER.token())[0] == 500
    boto3.client("secretsmanager").delete_secret(SecretId="proxy-key", ForceDeleteWithoutRecovery=True)
    credential_proxy._proxy.cache_clear()
    assert ask(id_token=ISSUER.token())[0] == 500
    assert CANARY not in capsys.readouterr().out


def test_keys_that_cannot_be_read_are_a_503(ask, monkeypatch):
    """The caller may try again."""

    def unreachable(_):
        raise OSError("no route")

    monkeypatch.setattr(credential_proxy, "fetch_jwks", unreachable)

    assert ask(id_token=ISSUER.token())[0] == 503


@pytest.mark.parametrize("encoded", [False, True])
def test_request_through_an_api_gateway_is_read_from_its_body(ask, encoded):
    """As text, or in base64."""
    body = json.dumps({"id_token": ISSUER.token(), "duration_seconds": 900})
    event = {"body": base64.b64encode(body.encode()).decode(), "isBase64Encoded": True} if encoded else {"body": body}

    assert ask(**event)[0] == 200


@pytest.mark.parametrize("body", [None, "", "{", "[]", '"x"', 7, "x" * 70_000, "[" * 5000])
def test_body_that_is_no_request_is_a_400(ask, body):
    """However it is broken."""
    assert ask(body=body)[0] == 400


@pytest.mark.parametrize("event", [None, [], "text", 7])
def test_event_that_is_no_object_is_a_400(ask, event):
    """Plain invocation can send any JSON."""
    assert ask
    assert handler(event, None)["statusCode"] == 400


def test_answers_carry_no_cors_and_are_not_kept(ask):
    """A page of a stranger cannot read them, a cache does not keep them."""
    assert ask
    for event in ({"id_token": ISSUER.token()}, {"id_token": "x"}):
        assert handler(event, None)["headers"] == {"Content-Type": "application/json", "Cache-Control": "no-store"}


def test_log_tells_the_subject_and_the_request_and_nothing_else(ask, capsys):
    """No name, no key, no token (P27)."""
    token = ISSUER.token(ISSUER.claims("ann@example.com"))
    _, body = ask(id_token=token)
    text = capsys.readouterr().out
    line = json.loads(text)

    assert {"timestamp", "level", "message", "request_id", "sub"} == set(line)
    for secret in (token, "ann@example.com", body["access_key_id"], body["secret_access_key"], CANARY):
        assert secret not in text


def test_key_that_was_replaced_is_read_again(ask, sent):
    """A container lives for hours, a key may be rotated meanwhile."""
    old, new = "AKIAPROXY00000000001", "AKIAPROXY00000000002"
    assert ask(id_token=ISSUER.token())[0] == 200

    def refuse_old_key(request, **_):
        if old in request.headers["Authorization"].decode():
            return AWSResponse(request.url, 403, {"Content-Type": "text/xml"}, BytesRaw(INVALID_TOKEN))
        return None

    sent.session.events.register("before-send.sts.AssumeRole", refuse_old_key)
    store_key(new)

    assert ask(id_token=ISSUER.token())[0] == 200
    store_key(old)
    credential_proxy._proxy.cache_clear()
    assert ask(id_token=ISSUER.token()) == (500, {"error": "The session could not be opened."})


INVALID_TOKEN = (
    b'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
    b"<Code>InvalidClientTokenId</Code><Message>The security token included in the request is invalid.</Message>"
    b"</Error><RequestId>6b1e4f0a-0000-4000-8000-000000000000</RequestId></ErrorResponse>"
)


class BytesRaw:
    """A body as urllib3 hands it over."""

    def __init__(self, content):
        self._content = content

    def stream(self, *_, **__):
        """Yield the whole."""
        yield self._content

    def read(self, *_, **__):
        """Return the whole."""
        return self._content
