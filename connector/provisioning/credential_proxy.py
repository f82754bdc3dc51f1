"""The Lambda proxy for long sessions: shown an ID token of the pool, it answers with a role's session.

An event is `{"id_token": …, "duration_seconds": 43200, "role_arn": …}`, or an API Gateway's with it as `body`. Whatever
goes wrong is told to the caller in general words; the log has the reason, the user's `sub` and the request's id.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from logging import Logger
from typing import Any, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from connector.provisioning.proxy.id_token import IdTokens, TokenRefused, TokenSubject
from connector.provisioning.proxy.proxy_settings import NotConfigured, ProxySettings
from connector.provisioning.proxy.request import RequestRefused, SessionRequest
from connector.provisioning.proxy.role_sessions import RoleSessions
from connector.provisioning.proxy.signing_keys import KeysUnavailable, SigningKeys, fetch_jwks
from connector.rotation.function.log import json_log

_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}
_ENDPOINT_SETTINGS = ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "AWS_ENDPOINT_URL")
Answer = dict[str, Any]


class ProxyContext(Protocol):
    """What Lambda says of the invocation."""

    aws_request_id: str


def handler(event: object, context: ProxyContext | None) -> Answer:
    """Answer one request; nothing is ever raised.

    Args:
        event: what was sent.
        context: names the request; None outside Lambda.

    Returns:
        `statusCode`, `headers` and `body`: 200 with the credentials, 400, 401, 403, 503, or 500.
    """
    request_id = str(getattr(context, "aws_request_id", "")) or "local"
    with json_log(request_id=request_id) as log:
        try:
            return _proxy().answer(event, request_id, log)
        except NotConfigured as error:
            log.error("not configured: %s", error)  # noqa: TRY400  a traceback may show values
        except Exception as error:  # noqa: BLE001  the caller hears nothing of what nobody foresaw
            log.error("unforeseen: %s", type(error).__name__)  # noqa: TRY400  likewise
        return _fault(HTTPStatus.INTERNAL_SERVER_ERROR, "The request could not be answered.")


@dataclass(frozen=True, slots=True)
class CredentialProxy:
    """Answers requests.

    Args:
        settings: what is allowed.
        tokens: verifies who asks.
        sessions: opens the session.
    """

    settings: ProxySettings
    tokens: IdTokens
    sessions: RoleSessions

    def answer(self, event: object, request_id: str, log: Logger) -> Answer:
        """Answer one request.

        Raises:
            ValueError: the secret does not hold a key.
        """
        try:
            asked = SessionRequest.read(event, self.settings)
            person = self.tokens.verify(asked.id_token)
        except RequestRefused as refusal:
            log.warning("refused: %s", refusal.reason)
            return _fault(refusal.status, refusal.text)
        except TokenRefused as refusal:
            log.warning("token refused: %s", refusal)
            return _fault(HTTPStatus.UNAUTHORIZED, "The token is not accepted.")
        except KeysUnavailable as error:
            log.error("the pool's keys cannot be read: %s", error)  # noqa: TRY400  a traceback may show values
            return _fault(HTTPStatus.SERVICE_UNAVAILABLE, "The token cannot be checked now.")
        return self._open(person, asked, request_id, log)

    def _open(self, person: TokenSubject, asked: SessionRequest, request_id: str, log: Logger) -> Answer:
        about = {"keys": {"sub": person.subject}}
        try:
            given = self.sessions.open(person, asked.role_arn, asked.seconds, request_id=request_id)["Credentials"]
        except (ClientError, BotoCoreError) as error:
            code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else ""
            log.error("no session: %s", code or type(error).__name__, extra=about)  # noqa: TRY400  likewise
            return _fault(HTTPStatus.INTERNAL_SERVER_ERROR, "The session could not be opened.")
        log.info("session of %s seconds opened", asked.seconds, extra=about)
        return _answer(
            HTTPStatus.OK,
            {
                "access_key_id": given["AccessKeyId"],
                "secret_access_key": given["SecretAccessKey"],
                "session_token": given["SessionToken"],
                "expiration": given["Expiration"].isoformat(),
                "user_id": person.subject,
                "username": person.username,
            },
        )


@lru_cache(maxsize=1)
def _proxy() -> CredentialProxy:
    return make_proxy(os.environ)


def make_proxy(environment: Mapping[str, str], *, fetch: Callable[[], bytes] | None = None) -> CredentialProxy:
    """Return the proxy that an environment describes.

    Args:
        environment: the function's.
        fetch: returns the pool's keys; from the pool itself when left out.

    Raises:
        NotConfigured: it does not describe one.
    """
    settings = ProxySettings.read(environment)
    pool = settings.issuer.rpartition("/")[2]
    endpoint = next((environment[name] for name in _ENDPOINT_SETTINGS if environment.get(name)), "")
    base_url = f"{endpoint.rstrip('/')}/{pool}" if endpoint else settings.issuer
    keys = SigningKeys(fetch or (lambda: fetch_jwks(base_url)))
    tokens = IdTokens(settings.issuer, settings.client_ids, keys)
    return CredentialProxy(settings, tokens, RoleSessions(boto3.Session(), settings.secret_id))


def _fault(status: HTTPStatus, text: str) -> Answer:
    return _answer(status, {"error": text})


def _answer(status: HTTPStatus, document: Mapping[str, Any]) -> Answer:
    return {"statusCode": status.value, "headers": dict(_HEADERS), "body": json.dumps(document)}
