"""The two STS operations, in the AWS query protocol (STS API reference: AssumeRole, GetCallerIdentity)."""

from dataclasses import dataclass
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from tests.fakes.gate import Gate, Principal
from tests.fakes.refusals import REQUEST_ID, XML, Refusal
from tests.fakes.wire import Answer, Request


@dataclass
class Trust:
    """The trust policy of the role, right or wrong.

    Args:
        role_arn: the role.
        external_id: the ExternalId that the policy asks for.
        admits_without: the condition is missing for callers that send none.
        admits_wrong: any ExternalId will do.
        admits_right: the caller is trusted at all.
        longest_session: seconds.
    """

    role_arn: str
    external_id: str
    admits_without: bool = False
    admits_wrong: bool = False
    admits_right: bool = True
    longest_session: int = 43_200

    def admits(self, external_id: str | None) -> bool:
        """Say whether a caller with this ExternalId may assume the role."""
        if external_id is None:
            return self.admits_without
        return self.admits_right if external_id == self.external_id else self.admits_wrong


@dataclass
class SecurityTokens:
    """STS for one account."""

    gate: Gate
    trust: Trust
    account: str

    def action(self, request: Request) -> str:
        """Return the operation that is asked for."""
        return self._parameters(request).get("Action", "")

    def answer(self, request: Request) -> Answer:
        """Answer a request that may have come from anybody."""
        caller = self.gate.identify(request)
        if isinstance(caller, Refusal):
            return caller.in_xml()
        parameters = self._parameters(request)
        if parameters.get("Action") == "GetCallerIdentity":
            identity = f"<Arn>{caller.arn}</Arn><UserId>AIDA</UserId><Account>{self.account}</Account>"
            return _result("GetCallerIdentity", identity)
        return self._assume_role(caller, parameters)

    def _assume_role(self, caller: Principal, asked: dict[str, str]) -> Answer:
        arn, seconds = asked["RoleArn"], int(asked.get("DurationSeconds", "3600"))
        if arn != self.trust.role_arn or not self.trust.admits(asked.get("ExternalId")):
            text = f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
            return Refusal("AccessDenied", text, 403).in_xml()
        if seconds > self.trust.longest_session:
            text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            return Refusal("ValidationError", text).in_xml()
        name = f"{self.trust.role_arn.rpartition('/')[2]}/{asked['RoleSessionName']}"
        session_arn = f"arn:aws:sts::{self.account}:assumed-role/{name}"
        return _grant(self.gate.open_session(session_arn, seconds))

    def _parameters(self, request: Request) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def _grant(session: Principal) -> Answer:
    assert session.expires is not None
    return _result(
        "AssumeRole",
        f"<AssumedRoleUser><Arn>{session.arn}</Arn><AssumedRoleId>AROA:run</AssumedRoleId></AssumedRoleUser>"
        f"<Credentials><AccessKeyId>{session.key_id}</AccessKeyId>"
        f"<SecretAccessKey>{escape(session.secret)}</SecretAccessKey>"
        f"<SessionToken>{escape(session.token)}</SessionToken>"
        f"<Expiration>{session.expires:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>",
    )


def _result(action: str, content: str) -> Answer:
    body = (
        f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>{content}</{action}Result>'
        f"<ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata></{action}Response>"
    )
    return Answer(200, body.encode(), XML)
