"""A user pool that asks whatever it is told to, over the wire: each challenge with its right answer.

Shapes and errors are those of the Cognito API reference (RespondToAuthChallenge, AssociateSoftwareToken, ConfirmDevice,
GetTokensFromRefreshToken). A wrong code leaves the session usable, as Cognito does; the right one ends it.
"""

import base64
import json
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from tests.fakes.issuer import TokenIssuer
from tests.fakes.refusals import XML, Refusal
from tests.fakes.wire import Answer, Request, WireServer

POOL_ID = "eu-west-1_Asking123"
WRONG = Refusal("NotAuthorizedException", "Incorrect username or password.")
CODE_WRONG = Refusal("CodeMismatchException", "Invalid code received for user")
ISSUER = TokenIssuer(POOL_ID, "app")
ENDED = Refusal("NotAuthorizedException", "Refresh Token has been revoked")
CANARY = "canary-secret-key-0123456789"
_IDENTITY = (
    b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    b"<Arn>arn:aws:sts::123456789012:assumed-role/People/CognitoIdentityCredentials</Arn><UserId>AROA:x</UserId>"
    b"<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
)
Result = dict[str, Any] | Refusal


@dataclass
class Question:
    """One challenge.

    Args:
        name: ChallengeNameType.
        answers: the ChallengeResponses that are right, beside USERNAME.
        parameters: ChallengeParameters.
    """

    name: str
    answers: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)


class AskingPool:
    """A pool with one user, `ann`, whose password is `right`.

    Args:
        questions: asked after the password, in order.
        rotates: whether refresh tokens rotate, so that REFRESH_TOKEN_AUTH is refused.
        tracks_devices: whether a sign-in makes a device, which a refresh must name.
    """

    def __init__(self, *questions: Question, rotates: bool = False, tracks_devices: bool = False) -> None:
        self.questions = questions
        self.rotates = rotates
        self.tracks_devices = tracks_devices
        self.calls: Counter[str] = Counter()
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.confirmed: list[dict[str, Any]] = []
        self.refresh_tokens: set[str] = set()
        self.seed = base64.b32encode(secrets.token_bytes(20)).decode()
        self.faults: dict[str, Refusal] = {}
        self.hour = timedelta(hours=1)
        self._sessions: dict[str, int] = {}
        self._server = WireServer(self._answer)
        self._operations: dict[str, Callable[[dict[str, Any]], Result]] = {
            "InitiateAuth": self._initiate,
            "RespondToAuthChallenge": self._respond,
            "AssociateSoftwareToken": self._associate,
            "VerifySoftwareToken": self._verify,
            "ConfirmDevice": self._confirm,
            "RevokeToken": self._revoke,
            "GetTokensFromRefreshToken": self._rotate,
            "GetId": lambda _: {"IdentityId": "eu-west-1:00000000-89ab-cdef-0123-456789abcdef"},
            "GetCredentialsForIdentity": self._give_credentials,
        }

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.url

    def _answer(self, request: Request) -> Answer:
        if "X-Amz-Target" not in request.headers:
            self.calls["GetCallerIdentity"] += 1
            return Answer(200, _IDENTITY, XML)
        operation, asked = request.headers["X-Amz-Target"].rpartition(".")[2], json.loads(request.body)
        assert "Authorization" not in request.headers, "nothing here is signed"
        self.calls[operation] += 1
        self.requests.append((operation, asked))
        result = self.faults.get(operation) or self._operations[operation](asked)
        return result.in_json() if isinstance(result, Refusal) else Answer(200, json.dumps(result).encode())

    def _initiate(self, asked: dict[str, Any]) -> Result:
        given = asked["AuthParameters"]
        if asked["AuthFlow"] == "REFRESH_TOKEN_AUTH":
            if self.rotates:
                return Refusal("UnsupportedOperationException", "Refresh token rotation is enabled for this client.")
            return self._refresh(given["REFRESH_TOKEN"], given.get("DEVICE_KEY"))
        if asked["AuthFlow"] != "USER_PASSWORD_AUTH":
            return Refusal("InvalidParameterException", f"{asked['AuthFlow']} is not enabled for the client.")
        return self._ask(0) if given["PASSWORD"] == "right" else WRONG

    def _ask(self, place: int) -> Result:
        if place == len(self.questions):
            return {"AuthenticationResult": self._tokens(new=True), "ChallengeParameters": {}}
        session, question = secrets.token_urlsafe(60), self.questions[place]
        self._sessions[session] = place
        parameters = {"USER_ID_FOR_SRP": "ann-internal", **question.parameters}
        return {"ChallengeName": question.name, "Session": session, "ChallengeParameters": parameters}

    def _respond(self, asked: dict[str, Any]) -> Result:
        place = self._sessions.get(asked.get("Session", ""))
        if place is None or self.questions[place].name != asked["ChallengeName"]:
            return Refusal("NotAuthorizedException", "Invalid session for the user.")
        given = dict(asked["ChallengeResponses"])
        if given.pop("USERNAME") != "ann-internal":
            return WRONG
        if given != dict(self.questions[place].answers):
            return CODE_WRONG
        del self._sessions[asked["Session"]]
        return self._ask(place + 1)

    def _associate(self, asked: dict[str, Any]) -> Result:
        return {"SecretCode": self.seed, "Session": self._move(asked["Session"])}

    def _verify(self, asked: dict[str, Any]) -> Result:
        if asked["UserCode"] != "123456":
            return Refusal("EnableSoftwareTokenMFAException", "Code mismatch")
        return {"Status": "SUCCESS", "Session": self._move(asked["Session"])}

    def _move(self, session: str) -> str:
        moved = secrets.token_urlsafe(60)
        self._sessions[moved] = self._sessions.pop(session)
        return moved

    def _tokens(self, *, new: bool) -> dict[str, Any]:
        given: dict[str, Any] = {
            "AccessToken": f"access-{secrets.token_urlsafe(30)}",
            "IdToken": ISSUER.token(),
            "ExpiresIn": 3600,
            "TokenType": "Bearer",
        }
        if new or self.rotates:
            given["RefreshToken"] = f"refresh-{secrets.token_urlsafe(30)}"
            self.refresh_tokens.add(given["RefreshToken"])
        if new and self.tracks_devices:
            given["NewDeviceMetadata"] = {"DeviceKey": "eu-west-1_device", "DeviceGroupKey": "-group"}
        return given

    def _refresh(self, token: str, device: str | None) -> Result:
        known = {"eu-west-1_device"} if self.confirmed else set()
        if token not in self.refresh_tokens or (self.tracks_devices and device not in known):
            return Refusal("NotAuthorizedException", "Invalid Refresh Token.")
        return {"AuthenticationResult": self._tokens(new=False), "ChallengeParameters": {}}

    def _rotate(self, asked: dict[str, Any]) -> Result:
        answer = self._refresh(asked["RefreshToken"], asked.get("DeviceKey"))
        self.refresh_tokens.discard(asked["RefreshToken"])
        return answer

    def _give_credentials(self, asked: dict[str, Any]) -> Result:
        keys = {
            "AccessKeyId": f"ASIA{secrets.token_hex(8).upper()}",
            "SecretKey": CANARY,
            "SessionToken": f"token-{CANARY}",
        }
        return {
            "IdentityId": asked["IdentityId"],
            "Credentials": {**keys, "Expiration": (datetime.now(UTC) + self.hour).timestamp()},
        }

    def _confirm(self, asked: dict[str, Any]) -> Result:
        self.confirmed.append(asked)
        return {"UserConfirmationNecessary": False}

    def _revoke(self, asked: dict[str, Any]) -> Result:
        self.refresh_tokens.discard(asked["Token"])
        return {}
