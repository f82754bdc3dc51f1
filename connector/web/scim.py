"""The SCIM endpoint: reads of Users, Groups and discovery, each request answered from one generation (RFC 7644).

A list request is understood in one place and a body is made in one place; what the protocol has more belongs there.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from flask import Blueprint, Response, request
from scim2_models import NotFoundException

from connector.directory.rows import Kind
from connector.scim.discovery import describe_service, list_documents, refuse_filter
from connector.scim.envelope import list_response, public_blocks
from connector.scim.query import parse_list_request, read_parameters
from connector.scim.render import group_body, user_body
from connector.store.generations import Generation
from connector.store.reader import Stored
from connector.web.authentication import require_importer
from connector.web.errors import NoAlias, NothingPublished, ReadOnly
from connector.web.responses import scim_response, streamed_response
from connector.web.services import Services

WRITE_METHODS = ("POST", "PUT", "PATCH", "DELETE")

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_View = Callable[..., Response]


def scim_blueprint(services: Services) -> Blueprint:
    """Return the routes under `/scim/v2`, for importers only."""
    endpoint = ScimEndpoint(services)
    scim = Blueprint("scim", __name__, url_prefix="/scim/v2")
    scim.before_request(require_importer)
    for rule, view in endpoint.views().items():
        scim.add_url_rule(rule, endpoint=rule, view_func=view)
    for rule in ("", "/<path:anything>"):
        scim.add_url_rule(rule, endpoint="refuse", view_func=_refuse, methods=["GET", *WRITE_METHODS])
    return scim


class ScimEndpoint:
    """Answers what is read, from the published directory."""

    def __init__(self, services: Services) -> None:
        self._reader = services.reader
        self._max_results = services.max_results
        self._base = services.scim_base_url

    def views(self) -> dict[str, _View]:
        """Return the view behind each rule."""
        discovery = describe_service(self._base, self._max_results)
        return {
            "/Users": partial(self.list_resources, Kind.USERS),
            "/Users/<identifier>": partial(self.read_resource, Kind.USERS),
            "/Groups": partial(self.list_resources, Kind.GROUPS),
            "/Groups/<identifier>": partial(self.read_resource, Kind.GROUPS),
            "/ServiceProviderConfig": partial(_read_config, discovery.service_provider_config),
            "/ResourceTypes": partial(_list_documents, discovery.resource_types),
            "/ResourceTypes/<identifier>": partial(_read_document, discovery.resource_types),
            "/Schemas": partial(_list_documents, discovery.schemas),
            "/Schemas/<identifier>": partial(_read_document, discovery.schemas),
            "/Me": _refuse_alias,
        }

    def list_resources(self, kind: Kind) -> Response:
        """Answer with one page, exactly as long as it was asked for (P34)."""
        asked = parse_list_request(read_parameters(request.query_string), kind)
        generation = self._newest()
        limit = asked.limit(self._max_results)
        page = self._reader.page(kind, generation, start=asked.start, count=limit, where=asked.where)
        rows = asked.rows(page.total, self._max_results)
        bodies = (self._body(kind, stored, generation) for stored in page.resources)
        return self._respond(list_response(bodies, total=page.total, start=asked.start, rows=rows))

    def read_resource(self, kind: Kind, identifier: str) -> Response:
        """Answer with one resource; an id is never looked up as anything else (P15)."""
        generation = self._newest()
        stored = self._reader.find(kind, identifier, generation) if _ID.fullmatch(identifier) else None
        if stored is None:
            raise NotFoundException(detail=f"There is no resource with this id among the {kind}.")
        return self._respond(self._body(kind, stored, generation))

    def _newest(self) -> Generation:
        """Choose the generation, once in a request."""
        generation = self._reader.newest()
        if generation is None:
            raise NothingPublished
        return generation

    def _body(self, kind: Kind, stored: Stored, generation: Generation) -> Iterable[str]:
        if kind is Kind.USERS:
            return user_body(stored)
        return group_body(stored, self._reader.members(stored.id, generation))

    def _respond(self, pieces: Iterable[str]) -> Response:
        return streamed_response(public_blocks(pieces, self._base))


def _read_config(document: str) -> Response:
    refuse_filter(read_parameters(request.query_string))
    return scim_response(document)


def _list_documents(documents: Mapping[str, str]) -> Response:
    refuse_filter(read_parameters(request.query_string))
    return scim_response(list_documents(documents))


def _read_document(documents: Mapping[str, str], identifier: str) -> Response:
    refuse_filter(read_parameters(request.query_string))
    if identifier not in documents:
        raise NotFoundException(detail="There is no discovery document with this id.")
    return scim_response(documents[identifier])


def _refuse_alias() -> Response:
    raise NoAlias


def _refuse(anything: str = "") -> Response:  # noqa: ARG001 - the route hands the rest of the path over
    """Answer what no other route does: a write anywhere is 405, any other address is unknown."""
    if request.method in WRITE_METHODS:
        raise ReadOnly
    raise NotFoundException(detail="There is no such SCIM endpoint.")
