"""What is asked of the proxy, by plain invocation or through an API Gateway, checked before anything is looked up."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self

from connector.provisioning.proxy.proxy_settings import SHORTEST_SESSION, ProxySettings

_LARGEST_BODY = 65_536


class RequestRefused(Exception):
    """The request cannot be granted.

    Args:
        status: of the answer.
        text: for the caller; says nothing that a stranger could use.
        reason: for the log.
    """

    def __init__(self, status: HTTPStatus, text: str, reason: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """One request.

    Args:
        id_token: not yet believed.
        role_arn: one of those that may be asked for.
        seconds: how long the session shall last.
    """

    id_token: object = field(repr=False)
    role_arn: str
    seconds: int

    @classmethod
    def read(cls, event: object, settings: ProxySettings) -> Self:
        """Return what an event asks for.

        Raises:
            RequestRefused: it is no request, or asks for what the function's environment does not allow.
        """
        asked = _asked(event)
        if not asked.get("id_token"):
            raise RequestRefused(HTTPStatus.BAD_REQUEST, "id_token is missing.", "no token")
        return cls(asked["id_token"], _role(asked.get("role_arn"), settings), _seconds(asked, settings))


def _asked(event: object) -> Mapping[str, Any]:
    if isinstance(event, Mapping) and "body" in event:
        event = _read_body(event)
    if not isinstance(event, Mapping):
        raise RequestRefused(HTTPStatus.BAD_REQUEST, "The request is not a JSON object.", "not an object")
    return event


def _read_body(event: Mapping[str, Any]) -> object:
    body = event["body"]
    if isinstance(body, Mapping):
        return body
    if not isinstance(body, str) or len(body) > _LARGEST_BODY:
        return None
    try:
        return json.loads(base64.b64decode(body, validate=True) if event.get("isBase64Encoded") is True else body)
    except (ValueError, binascii.Error, RecursionError):
        return None


def _role(asked: object, settings: ProxySettings) -> str:
    if asked is None:
        return settings.default_role
    if not isinstance(asked, str) or asked not in settings.roles:
        raise RequestRefused(HTTPStatus.FORBIDDEN, "This role is not given out here.", "role")
    return asked


def _seconds(asked: Mapping[str, Any], settings: ProxySettings) -> int:
    seconds = asked.get("duration_seconds", settings.longest_session)
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise RequestRefused(HTTPStatus.BAD_REQUEST, "duration_seconds is not a whole number.", "duration")
    if not SHORTEST_SESSION <= seconds <= settings.longest_session:
        text = f"duration_seconds is not between {SHORTEST_SESSION} and {settings.longest_session}."
        raise RequestRefused(HTTPStatus.BAD_REQUEST, text, "duration")
    return seconds
