"""How AWS says no: one thing, named differently by the JSON protocol (Cognito) and the query protocol (STS)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tests.fakes.wire import Answer

XML = "text/xml"
REQUEST_ID = "6b1e4f0a-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error of AWS; without a `query_code` both protocols use the same code."""

    code: str
    message: str
    status: int = 400
    query_code: str = ""

    def in_json(self) -> Answer:
        """Return the error as Cognito sends it."""
        body = json.dumps({"__type": self.code, "message": self.message})
        return Answer(self.status, body.encode(), error_type=self.code)

    def spoil(self, good: Callable[[], Answer], say_no: Callable[["Refusal"], Answer]) -> Answer:
        """Stand in for an answer: this refusal instead of the right one, which has no effect."""
        del good
        return say_no(self)

    def in_xml(self) -> Answer:
        """Return the error as STS sends it."""
        body = (
            '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
            f"<Code>{self.query_code or self.code}</Code><Message>{escape(self.message)}</Message></Error>"
            f"<RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
        )
        return Answer(403 if self.query_code else self.status, body.encode(), XML)
