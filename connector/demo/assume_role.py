"""What AWS refuses and moto lets pass when somebody assumes a role.

moto hands out any role to anybody, with any ExternalId or none. This gate stands before it and judges two things as
AWS STS does: whether the caller's access key exists, and whether the trust policy of the role is satisfied as far as
it asks for an ExternalId (IAM User Guide, "Access to AWS accounts owned by third parties"). All else passes through.
"""

import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_LONGEST_BODY = 64 * 1024
_SIGNED_FOR_STS = re.compile(r"Credential=([^/]+)/\d{8}/[^/]+/sts/aws4_request")
_PARTITION = "aws"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error that AWS STS answers with status 403."""

    code: str
    message: str

    def as_xml(self) -> bytes:
        """Return the body of the answer (AWS STS API Reference, "Common Errors")."""
        return (
            '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
            f"<Code>{self.code}</Code><Message>{escape(self.message)}</Message></Error>"
            f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
        ).encode()


class TrustGate:
    """A WSGI application that asks `judge` before it lets a request signed for STS through to moto."""

    def __init__(self, moto: "WSGIApplication", account_id: str) -> None:
        self._moto = moto
        self._account_id = account_id

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        signed = _SIGNED_FOR_STS.search(environ.get("HTTP_AUTHORIZATION", ""))
        refusal = judge(_form(environ), signed[1], self._account_id) if signed else None
        if refusal is None:
            return self._moto(environ, start_response)
        body = refusal.as_xml()
        start_response("403 Forbidden", [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))])
        return [body]


def judge(form: Mapping[str, str], access_key_id: str, account_id: str) -> Refusal | None:
    """Return why AWS STS would refuse a request, or None.

    Args:
        form: the parameters of the request.
        access_key_id: who signed it.
        account_id: the account of the embedded pool.
    """
    iam = iam_backends[account_id][_PARTITION]
    if access_key_id not in iam.access_keys:
        return Refusal("InvalidClientTokenId", "The security token included in the request is invalid.")
    if form.get("Action") != "AssumeRole":
        return None
    role_arn = form.get("RoleArn", "")
    try:
        policy = iam.get_role_by_arn(role_arn).assume_role_policy_document
    except NotFoundException:
        policy = "{}"
    if any(wanted in {None, form.get("ExternalId")} for wanted in _wanted_external_ids(json.loads(policy))):
        return None
    _, caller, _ = sts_backends[account_id][_PARTITION].get_caller_identity(access_key_id, "us-east-1")
    return Refusal(
        "AccessDenied", f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
    )


def _wanted_external_ids(policy: Mapping[str, Any]) -> Iterator[str | None]:
    """Yield each ExternalId that lets a caller in; None where the policy asks for none."""
    for statement in policy.get("Statement", []):
        if statement.get("Effect") == "Allow" and "sts:AssumeRole" in _listed(statement.get("Action", [])):
            wanted = statement.get("Condition", {}).get("StringEquals", {}).get("sts:ExternalId", [None])
            yield from _listed(wanted)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _form(environ: "WSGIEnvironment") -> dict[str, str]:
    """Return the parameters of the request, and leave the body to be read again."""
    body = environ["wsgi.input"].read(min(int(environ.get("CONTENT_LENGTH") or 0), _LONGEST_BODY))
    environ["wsgi.input"] = BytesIO(body)
    return {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}
