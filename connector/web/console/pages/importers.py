"""Connect an importer: the base URL, a credential that is shown once, the fields of its form; and who is connected."""

from dataclasses import asdict

from flask import Response

from connector.directory.runs import Cause, RunKind, RunState
from connector.errors import ConfigError
from connector.importers.profiles import PROFILES, ConnectionDetails, Profile
from connector.scim.base_url import token_url_of
from connector.store.clients import Client, ClientRole, Clients, Grant
from connector.store.runs.queue import RunRecord, Runs
from connector.web.console.access import PageRefused
from connector.web.console.pages.page_requests import entered, who_asks
from connector.web.console.pages.routes import Views
from connector.web.console.parts import ConsoleParts
from connector.web.console.rendering import Renderer
from connector.web.services import Services

LIFETIMES = {"": None, "90": 90 * 86400.0, "180": 180 * 86400.0, "365": 365 * 86400.0}
"""For how long a credential is made, by what the form says: days, or nothing for until it is revoked."""
_LOOKED_AT = 20
_SHOWN = ConnectionDetails("", "", "ccs_\u2026", "cci_\u2026", "cck_\u2026", "ccu_\u2026", "ccp_\u2026")


class ImporterPages:
    """Answers what is about importers.

    Args:
        renderer: makes the pages.
        services: knows where the endpoint is.
        parts: the clients, and how far each has come.
    """

    def __init__(self, renderer: Renderer, services: Services, parts: ConsoleParts) -> None:
        self._renderer = renderer
        self._clients: Clients = parts.clients
        self._runs: Runs = parts.runs
        self._base_url = services.scim_base_url
        self._token_url = token_url_of(services.public_base_url)

    def views(self) -> Views:
        """Return the views behind each rule."""
        return {
            "/importers": {"GET": self.list_importers},
            "/importers/revoke": {"POST": self.revoke},
            "/importers/<importer>": {"GET": self.show_form, "POST": self.make_credential},
            "/importers/<importer>/try": {"POST": self.start_walk},
        }

    def list_importers(self) -> Response:
        """Show the importers that there are, and those whose form is known."""
        known = [client for client in self._clients.list() if client.role is ClientRole.IMPORTER]
        return self._renderer.page(
            "importers.html",
            clients=[client for client in known if not client.revoked_at],
            revoked=[client for client in known if client.revoked_at],
            profiles=PROFILES.values(),
            base_url=self._base_url,
        )

    def show_form(self, importer: str) -> Response:
        """Show the fields of an importer's form, and the form that makes its credential."""
        profile = _find(importer)
        return self._renderer.page(
            "importer.html",
            profile=profile,
            fields={grant: fields(self._with_urls(_SHOWN)) for grant, fields in profile.fields.items()},
            base_url=self._base_url,
            lifetimes=LIFETIMES,
            walk=self._last_walk(profile.name),
        )

    def make_credential(self, importer: str) -> Response:
        """Make a credential and show it, in this answer alone: it is nowhere else, and to load it again asks anew."""
        profile = _find(importer)
        grant = entered("grant")
        if grant not in profile.grants or entered("lifetime") not in LIFETIMES:
            raise PageRefused(400, "The form could not be understood.", "Go back, load it again, and repeat it.")
        try:
            made = self._clients.create(
                entered("name"), grant=Grant(grant), lifetime=LIFETIMES[entered("lifetime")], by=who_asks()
            )
        except ConfigError as fault:
            raise PageRefused(409, fault.message, "Go back and choose another name.") from fault
        given = ConnectionDetails(self._base_url, self._token_url, **asdict(made))
        return self._renderer.page(
            "credential.html", profile=profile, grant=grant, name=entered("name"), fields=profile.fields[grant](given)
        )

    def start_walk(self, importer: str) -> Response:
        """Have the runner walk through the endpoint as this importer does; where one does, go there."""
        profile = _find(importer)
        last = self._last_walk(profile.name)
        if last and last.state is not RunState.ENDED:
            return self._renderer.go("runs", last.id, note="already")
        asked = self._runs.request(RunKind.WALK, cause=Cause.CONSOLE, importer=profile.name, by=who_asks())
        return self._renderer.go("runs", asked.id)

    def revoke(self) -> Response:
        """Shut an importer out, from its next request on."""
        name = entered("name")
        if not any(client.name == name and client.role is ClientRole.IMPORTER for client in self._letin()):
            raise PageRefused(
                404, "There is no such importer.", "It may have been revoked already; load the list again."
            )
        self._clients.revoke(name, by=who_asks())
        return self._renderer.go("importers")

    def _last_walk(self, importer: str) -> RunRecord | None:
        walks = self._runs.history(count=_LOOKED_AT, kinds=(RunKind.WALK,))
        return next((run for run in walks if importer_of(run) == importer), None)

    def _letin(self) -> list[Client]:
        return [client for client in self._clients.list() if not client.revoked_at]

    def _with_urls(self, given: ConnectionDetails) -> ConnectionDetails:
        return ConnectionDetails(self._base_url, self._token_url, *list(asdict(given).values())[2:])


def importer_of(run: RunRecord) -> str:
    """Return the name of the importer that a walk plays, from its progress or its result; empty if neither says."""
    return str((run.result or {}).get("importer") or (run.progress or {}).get("importer", ""))


def _find(importer: str) -> Profile:
    if importer not in PROFILES:
        raise PageRefused(404, "No form of such an importer is known.", "Take “Another importer”.")
    return PROFILES[importer]
