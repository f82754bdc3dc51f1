"""Who did what: the audit trail, and what the last look at the AWS side found."""

from flask import Response

from connector.store.audit import AuditTrail, Event
from connector.store.aws_verification import VerificationRecord
from connector.web.console.pages.page_requests import asked_text
from connector.web.console.pages.routes import Views
from connector.web.console.parts import ConsoleParts
from connector.web.console.rendering import Renderer
from connector.web.console.text import time_of
from connector.web.console.words import EVENTS, SEVERITIES, Word
from connector.web.services import Services

NEWEST = 200
"""Events on the page."""


class AuditPages:
    """Answers with the audit trail and with the findings.

    Args:
        renderer: makes the pages.
        services: knows the last look at the AWS side.
        parts: the audit trail.
    """

    def __init__(self, renderer: Renderer, services: Services, parts: ConsoleParts) -> None:
        self._renderer = renderer
        self._measures = services.measures
        self._trail: AuditTrail = parts.audit

    def views(self) -> Views:
        """Return the views behind each rule."""
        return {"/audit": {"GET": self.list_events}, "/aws": {"GET": self.list_findings}}

    def list_events(self) -> Response:
        """Show the newest events, of everybody or of one."""
        who = asked_text("who")
        events = self._trail.newest(count=NEWEST, client=who or None)
        shown = [(event, EVENTS.get(event.event, Word(event.event.value, "quiet"))) for event in events]
        return self._renderer.page("audit.html", events=shown, who=who, most=NEWEST, refused=Event.SIGN_IN_REFUSED)

    def list_findings(self) -> Response:
        """Show what `aws verify` found last."""
        last: VerificationRecord | None = self._measures.read().verification
        findings = [(one, SEVERITIES[one["severity"]]) for one in last.findings] if last else []
        return self._renderer.page("aws.html", last=last, at=time_of(last.at) if last else None, findings=findings)
