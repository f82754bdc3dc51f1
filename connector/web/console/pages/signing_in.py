"""Sign-in and sign-out, and the sessions of the operator who is signed in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Response, g, request

from connector.store.client_secrets import BEARER_TOKEN, is_same
from connector.store.clients import Client, ClientRole, Clients, Grant
from connector.store.sessions import Sessions
from connector.web.access.limits import RateLimits
from connector.web.access.sign_ins import CallerActivity
from connector.web.console.access import Guard, PageRefused, form_token_of, new_probe
from connector.web.console.pages.routes import Views
from connector.web.console.rendering import Renderer

_NOTES = {
    "ended": "Your session has ended. Sign in again to go on where you were.",
    "not-done": "Your session had ended, so what you asked for was not done. Sign in, and ask again.",
    "out": "You are signed out.",
    "out-everywhere": "You are signed out everywhere.",
}
_NO_COOKIE = (
    "Your browser did not send back the cookie of this page. Let it keep cookies of this address, and use the address"
    " that server.public_base_url names; then load this page again."
)
_WRONG = "This name and token do not belong together, or the token is no operator's."
_NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Admission:
    """What turns addresses away that failed too often, and what counts who was let in."""

    limits: RateLimits
    sign_ins: CallerActivity


class SigningIn:
    """Answers what is about sessions.

    Args:
        renderer: makes the pages.
        guard: knows the cookies.
        clients: knows the operators.
        sessions: the sessions.
        admission: counts who is let in.
    """

    def __init__(
        self, renderer: Renderer, guard: Guard, clients: Clients, sessions: Sessions, admission: Admission
    ) -> None:
        self._renderer = renderer
        self._guard = guard
        self._clients = clients
        self._sessions = sessions
        self._admission = admission

    def views(self) -> Views:
        """Return the views behind each rule."""
        return {
            "/sign-in": {"GET": self.show_form, "POST": self.sign_in},
            "/sign-out": {"POST": self.sign_out},
            "/sessions": {"GET": self.list_sessions, "POST": self.end_session},
        }

    def show_form(self) -> Response:
        """Ask who it is; whoever is signed in goes on."""
        wanted = self._guard.safe_next(request.args.get("next", ""))
        if g.get("session"):
            return self._renderer.go_to(wanted)
        return self._form(wanted, note=_NOTES.get(request.args.get("note", ""), ""))

    def sign_in(self) -> Response:
        """Begin a session for the operator whose name and token were entered."""
        if self._guard.cookies.why_not:
            raise PageRefused(403, "Nobody can sign in here without TLS.", self._guard.cookies.why_not)
        probe = request.cookies.get(self._guard.cookies.probe, "")
        if not probe:
            return self._form(self._guard.safe_next(""), fault=_NO_COOKIE, status=400)
        self._guard.refuse_foreign_form(form_token_of(probe))
        wanted = self._guard.safe_next(g.form.get("next", ""))
        operator = self._operator(g.form)
        if operator is None:
            self._admission.sign_ins.refuse(detail="console")
            self._admission.limits.count_failure(request.remote_addr)
            return self._form(wanted, fault=_WRONG, name=g.form.get("name", ""), status=403)
        self._admission.sign_ins.accept(operator)
        browser = request.headers.get("User-Agent", "")
        secret = self._sessions.begin(operator, address=request.remote_addr or "", browser=browser)
        response = self._renderer.go_to(wanted)
        self._guard.cookies.set(response, self._guard.cookies.session, secret)
        self._guard.cookies.clear(response, self._guard.cookies.probe)
        return response

    def sign_out(self) -> Response:
        """End this session, or every session of the operator."""
        if g.form.get("everywhere"):
            self._sessions.end_all_of(g.session.client)
        else:
            self._sessions.end(g.session)
        note = "out-everywhere" if g.form.get("everywhere") else "out"
        response = self._renderer.go("sign-in", note=note)
        self._guard.cookies.clear(response, self._guard.cookies.session)
        # Nothing of what was seen stays in the browser (W3C Clear Site Data, section 3.1).
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    def list_sessions(self) -> Response:
        """Show where the operator is signed in."""
        return self._renderer.page("sessions.html", sessions=self._sessions.of(g.session.client))

    def end_session(self) -> Response:
        """End one session of the operator."""
        number = g.form.get("id", "")
        if not _NUMBER.fullmatch(number) or not self._sessions.end_one_of(g.session.client, int(number)):
            raise PageRefused(404, "This session has ended already.", "Load the list again.")
        return self._renderer.go("sessions")

    def _operator(self, form: Mapping[str, str]) -> Client | None:
        token = form.get("token", "").strip()
        client = self._clients.authenticate(token) if token.startswith(BEARER_TOKEN) else None
        if client is None or client.role is not ClientRole.OPERATOR or client.grant is not Grant.BEARER:
            return None
        return client if is_same(client.name, form.get("name", "").strip()) else None

    def _form(self, wanted: str, *, note: str = "", fault: str = "", name: str = "", status: int = 200) -> Response:
        probe = request.cookies.get(self._guard.cookies.probe) or new_probe()
        g.form_token = form_token_of(probe)
        why_not = self._guard.cookies.why_not
        response = self._renderer.page(
            "sign_in.html", status=status, next=wanted, note=note, fault=fault or why_not, operator=name
        )
        if not why_not:
            self._guard.cookies.set(response, self._guard.cookies.probe, probe)
        return response
