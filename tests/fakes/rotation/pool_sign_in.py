"""Signing in to the fake pool: flows, SECRET_HASH, lock-out, SRP, first passwords and authenticator codes.

Where each answer is from: the table in `tests/fakes/rotation/README.md`, by the numbers in square brackets.
Stricter than AWS where AWS is unclear: in the answer to a challenge only the internal username is right.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tests.fakes.refusals import Refusal
from tests.fakes.rotation.pool_admin import DISABLED, NO_USER, WRONG, PoolAdministration
from tests.fakes.rotation.pool_users import TOTP_STEP, AppClient, FakeUser, FakeUserPool, totp_code
from tests.fakes.rotation.srp_server import ServerExchange, Verifier

Parameters = Mapping[str, Any]
Result = dict[str, Any] | Refusal

LOCKED = Refusal("NotAuthorizedException", "Password attempts exceeded")  # [6]
NO_SESSION = Refusal("NotAuthorizedException", "Invalid session for the user.")  # [10]
RESET = Refusal("PasswordResetRequiredException", "Password reset required for the user")  # [5]


@dataclass(frozen=True)
class Pending:
    """A challenge that waits for its answer."""

    challenge: str
    username: str
    client_id: str
    admin: bool
    exchange: ServerExchange | None = None


class SignIns:
    """The operations of a sign-in; `now` is the time by which authenticators count."""

    def __init__(self, pool: FakeUserPool, administration: PoolAdministration, now: Callable[[], datetime]) -> None:
        self._pool = pool
        self._administration = administration
        self._now = now
        self._sessions: dict[str, Pending] = {}
        self._exchanges: dict[str, Pending] = {}
        self.unsigned: dict[str, Callable[[Parameters], Result]] = {
            "InitiateAuth": lambda asked: self._initiate(asked, admin=False),
            "RespondToAuthChallenge": lambda asked: self._respond(asked, admin=False),
            "ChangePassword": administration.change_password,
            "RevokeToken": self._revoke,
            "GlobalSignOut": self._sign_out,
        }
        self.signed: dict[str, Callable[[Parameters], Result]] = {
            "AdminInitiateAuth": lambda asked: self._initiate(asked, admin=True),
            "AdminRespondToAuthChallenge": lambda asked: self._respond(asked, admin=True),
        }

    def _initiate(self, asked: Parameters, *, admin: bool) -> Result:
        flow, parameters = asked["AuthFlow"], asked["AuthParameters"]
        client = self._pool.clients.get(asked["ClientId"])
        if client is None:
            return Refusal("ResourceNotFoundException", f"User pool client {asked['ClientId']} does not exist.")  # [9]
        if admin != flow.startswith("ADMIN_") or f"ALLOW_{flow}" not in client.flows:  # [7]
            words = _NOT_ENABLED[flow] if admin == flow.startswith("ADMIN_") else "Initiate Auth method not supported."
            return Refusal("InvalidParameterException", words)
        user = self._pool.find(parameters["USERNAME"])
        refusal = _check_hash(client, parameters, begins=True) or self._refuse_name(client, flow, user)
        if refusal or user is None:
            return refusal or self._mislead(client, parameters)
        if user.asks_first:
            return self._ask(Pending(user.asks_first, user.username, client.client_id, admin), {})
        if flow == "USER_SRP_AUTH":
            return self._ask_for_proof(user, client, parameters["SRP_A"])
        right = parameters["PASSWORD"] == user.password
        return self._judge(user, Pending("", user.username, client.client_id, admin), right=right)

    def _refuse_name(self, client: AppClient, flow: str, user: FakeUser | None) -> Refusal | None:
        if user is None:
            if not client.hides_users:
                return NO_USER  # [3]
            return None if flow == "USER_SRP_AUTH" else WRONG  # [4]
        if not user.enabled:
            return DISABLED  # [5]
        if user.status == "UNCONFIRMED":
            return Refusal("UserNotConfirmedException", "User is not confirmed.")  # [5]
        return None

    def _mislead(self, client: AppClient, parameters: Parameters) -> Result:
        nobody = FakeUser(parameters["USERNAME"], secrets.token_hex(16))
        return self._ask_for_proof(nobody, client, parameters["SRP_A"])

    def _ask_for_proof(self, user: FakeUser, client: AppClient, client_public: str) -> Result:
        verifier = Verifier(self._pool.pool_id.split("_")[1], user.username, user.password)
        exchange = ServerExchange(verifier, client_public)
        self._exchanges[exchange.secret_block] = Pending(
            "PASSWORD_VERIFIER", user.username, client.client_id, admin=False, exchange=exchange
        )
        # Without a Session [1]: the SECRET_BLOCK that comes back is what ties the answer to the question.
        return {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeParameters": exchange.challenge()}

    def _ask(self, pending: Pending, parameters: Mapping[str, str]) -> Result:
        session = secrets.token_urlsafe(90)
        self._sessions[session] = pending
        return {"ChallengeName": pending.challenge, "Session": session, "ChallengeParameters": dict(parameters)}

    def _respond(self, asked: Parameters, *, admin: bool) -> Result:
        given = asked["ChallengeResponses"]
        if asked["ChallengeName"] == "PASSWORD_VERIFIER":
            pending = self._exchanges.get(given["PASSWORD_CLAIM_SECRET_BLOCK"])  # any number of times [2]
        else:
            pending = self._sessions.pop(asked.get("Session", ""), None)
        if pending is None or (pending.challenge, pending.admin) != (asked["ChallengeName"], admin):
            return WRONG if asked["ChallengeName"] == "PASSWORD_VERIFIER" else NO_SESSION
        client = self._pool.clients[pending.client_id]
        user = self._pool.users.get(pending.username)
        refusal = _check_hash(client, given, begins=False)
        if refusal or user is None or given["USERNAME"] != user.username:
            return refusal or WRONG
        return self._take_answer(user, pending, given)

    def _take_answer(self, user: FakeUser, pending: Pending, given: Parameters) -> Result:
        match pending.challenge:
            case "PASSWORD_VERIFIER":
                return self._judge(user, pending, right=_proves(pending, given))
            case "NEW_PASSWORD_REQUIRED":
                return self._take_first_password(user, pending, given)
            case "SELECT_MFA_TYPE" if given["ANSWER"] == "SOFTWARE_TOKEN_MFA":
                return self._ask(replace(pending, challenge=given["ANSWER"]), {"USER_ID_FOR_SRP": user.username})
            case "SOFTWARE_TOKEN_MFA":
                return self._check_code(user, given["SOFTWARE_TOKEN_MFA_CODE"])
            case _:
                return Refusal("NotAuthorizedException", "Nobody here can answer this challenge.")

    def _judge(self, user: FakeUser, pending: Pending, *, right: bool) -> Result:
        now = self._pool.monotonic()
        if now < user.locked_until:
            return LOCKED
        if not right:
            user.fail(now)
            return WRONG
        user.succeed()
        if user.status == "RESET_REQUIRED":
            return RESET
        if user.status == "FORCE_CHANGE_PASSWORD":
            wanted = user.required_text or json.dumps([f"userAttributes.{name}" for name in user.required])
            parameters = {"USER_ID_FOR_SRP": user.username, "requiredAttributes": wanted, "userAttributes": "{}"}
            return self._ask(replace(pending, challenge="NEW_PASSWORD_REQUIRED"), parameters)  # [11]
        return self._ask_for_factor(user, pending)

    def _ask_for_factor(self, user: FakeUser, pending: Pending) -> Result:
        factor = user.challenge or ("SOFTWARE_TOKEN_MFA" if user.totp else "")
        if factor:
            choice = {"MFAS_CAN_CHOOSE": '["SMS_MFA","SOFTWARE_TOKEN_MFA"]'} if factor == "SELECT_MFA_TYPE" else {}
            return self._ask(replace(pending, challenge=factor), {"USER_ID_FOR_SRP": user.username, **choice})  # [11]
        return self._admit(user)

    def _take_first_password(self, user: FakeUser, pending: Pending, given: Parameters) -> Result:
        missing = [name for name in user.required if not given.get(f"userAttributes.{name}")]
        if missing:
            return Refusal("InvalidParameterException", f"Invalid attributes given, {missing[0]} is missing")  # [12]
        password = given["NEW_PASSWORD"]
        refusal = self._administration.refuse_password(user, password)
        if refusal:
            return refusal
        user.set_password(password, "CONFIRMED")
        user.attributes |= {name: given[f"userAttributes.{name}"] for name in user.required}
        return self._ask_for_factor(user, pending)

    def _check_code(self, user: FakeUser, code: str) -> Result:
        step = int(self._now().timestamp()) // TOTP_STEP
        found = next((near for near in (step, step - 1) if totp_code(user.totp, near) == code), None)
        if found is None:
            return Refusal("CodeMismatchException", "Invalid code received for user")  # [13]
        if found in user.used_steps:
            return Refusal("ExpiredCodeException", "Your software token has already been used once.")  # [13]
        user.used_steps.add(found)
        return self._admit(user)

    def _admit(self, user: FakeUser) -> Result:
        access, refresh = f"access-{secrets.token_urlsafe(90)}", f"refresh-{secrets.token_urlsafe(90)}"
        self._pool.tokens[access] = self._pool.refresh_tokens[refresh] = user.username
        tokens = {"AccessToken": access, "RefreshToken": refresh, "IdToken": f"id-{secrets.token_urlsafe(90)}"}
        return {"AuthenticationResult": {**tokens, "ExpiresIn": 3600, "TokenType": "Bearer"}, "ChallengeParameters": {}}

    def _revoke(self, asked: Parameters) -> Result:
        client = self._pool.clients[asked["ClientId"]]
        if client.secrets and asked.get("ClientSecret") not in client.secrets:
            return Refusal("UnauthorizedException", "Invalid client secret")  # [14]
        self._pool.refresh_tokens.pop(asked["Token"], None)
        return {}

    def _sign_out(self, asked: Parameters) -> Result:
        username = self._pool.tokens.get(asked["AccessToken"])
        if username is None:
            return Refusal("NotAuthorizedException", "Access Token has been revoked")  # [14]
        return self._administration.sign_out(self._pool.users[username])


_NOT_ENABLED = {  # [7]
    "USER_SRP_AUTH": "USER_SRP_AUTH is not enabled for the client.",
    "USER_PASSWORD_AUTH": "USER_PASSWORD_AUTH flow not enabled for this client",
    "ADMIN_USER_PASSWORD_AUTH": "Auth flow not enabled for this client",
}


def _check_hash(client: AppClient, given: Parameters, *, begins: bool) -> Refusal | None:
    if not client.secrets:
        if begins and "SECRET_HASH" in given:  # [8]
            text = f"App client {client.client_id} is not configured for secret but secret hash was received"
            return Refusal("InvalidParameterException", text)
        return None
    if "SECRET_HASH" not in given:
        text = f"Client {client.client_id} is configured with secret but SECRET_HASH was not received"  # [8]
        return Refusal("NotAuthorizedException", text)
    if given["SECRET_HASH"] not in client.hashes(given["USERNAME"]):
        return Refusal("NotAuthorizedException", f"Unable to verify secret hash for client {client.client_id}")  # [8]
    return None


def _proves(pending: Pending, given: Parameters) -> bool:
    assert pending.exchange is not None
    fits = given["PASSWORD_CLAIM_SECRET_BLOCK"] == pending.exchange.secret_block
    return fits and pending.exchange.proves(given["PASSWORD_CLAIM_SIGNATURE"], given["TIMESTAMP"])
