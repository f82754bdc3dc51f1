"""The SCIM endpoint: reads of Users, Groups and discovery, each request answered from one generation (RFC 7644).

A list request is understood in one place and a body is made in one place, whether one kind of resources is asked for or
both, by query string or by `.search`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from functools import partial
from itertools import chain

from flask import Blueprint, Response, g, request
from scim2_models import NotFoundException

from connector.directory.rows import Kind
from connector.scim.base_url import PREFIX
from connector.scim.bodies import Bodies
from connector.scim.discovery import describe_service, list_documents, refuse_filter
from connector.scim.list_response import Batch, list_response, public_blocks
from connector.scim.projection import project
from connector.scim.query import (
    ListRequest,
    Parameters,
    parse_list_request,
    parse_root_request,
    parse_selection,
    read_parameters,
)
from connector.scim.schemas import search_model
from connector.scim.search_request import read_search_request
from connector.store.generations import Generation
from connector.store.reading.sql_filters import Sort
from connector.web.access.authentication import require_importer
from connector.web.http.request_bodies import read_body
from connector.web.http.tolerant_paths import allowed_methods, is_known
from connector.web.scim.responses import complete_response, scim_response
from connector.web.scim.scim_faults import NoAlias, NothingPublished, ReadOnly
from connector.web.scim.search_places import SearchPlaces
from connector.web.scim.validators import document_tag, is_current, list_tag, not_modified
from connector.web.scim.walks import Pager
from connector.web.services import Services

WRITE_METHODS = ("POST", "PUT", "PATCH", "DELETE")

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_View = Callable[..., Response]
_Understand = Callable[[Parameters], Mapping[Kind, ListRequest]]


def scim_blueprint(services: Services) -> Blueprint:
    """Return the routes under `/scim/v2`, for importers only."""
    endpoint = ScimEndpoint(services)
    scim = Blueprint("scim", __name__, url_prefix=PREFIX)
    scim.before_request(require_importer)
    for method, views in (("GET", endpoint.views()), ("POST", endpoint.searches())):
        for rule, view in views.items():
            scim.add_url_rule(rule, endpoint=rule.replace(".", "") or "/", view_func=view, methods=[method])
            scim.add_url_rule(rule, endpoint="options", view_func=_tell_methods, methods=["OPTIONS"])
    scim.add_url_rule("/Me", endpoint="me", view_func=_refuse_alias)
    for rule in ("", "/<path:anything>"):
        scim.add_url_rule(rule, endpoint="refuse", view_func=_refuse, methods=["GET", "OPTIONS", *WRITE_METHODS])
    return scim


class ScimEndpoint:
    """Answers what is read, from the published directory."""

    def __init__(self, services: Services) -> None:
        self._reader = services.reader
        self._max_results = services.max_results
        self._base = services.scim_base_url
        self._cursor_timeout = int(services.walk_timeout)
        self._bodies = Bodies(self._base)
        # Made here, since two threads that made models at once would fail (python/cpython#106905).
        for kinds in ((Kind.USERS,), (Kind.GROUPS,), tuple(Kind)):
            search_model(*kinds)
        self._searches = SearchPlaces()
        note_import = {"note_import": services.console.imports.note} if services.console else {}
        self._pager = Pager(services.reader, services.pins, **note_import)

    def views(self) -> dict[str, _View]:
        """Return the view behind each rule that is read."""
        discovery = describe_service(self._base, self._max_results, self._cursor_timeout)
        types, schemas = discovery.resource_types, discovery.schemas
        return {
            "": partial(self.list_resources, parse_root_request),
            "/Users": partial(self.list_resources, _only(Kind.USERS)),
            "/Users/<identifier>": partial(self.read_resource, Kind.USERS),
            "/Groups": partial(self.list_resources, _only(Kind.GROUPS)),
            "/Groups/<identifier>": partial(self.read_resource, Kind.GROUPS),
            "/ServiceProviderConfig": partial(self._read_config, discovery.service_provider_config),
            "/ResourceTypes": partial(_list_documents, types),
            "/ResourceTypes/<identifier>": partial(_read_document, types, f"{self._base}/ResourceTypes"),
            "/Schemas": partial(_list_documents, schemas),
            "/Schemas/<identifier>": partial(_read_document, schemas, f"{self._base}/Schemas"),
        }

    def searches(self) -> dict[str, _View]:
        """Return the view behind each rule that takes a search request (RFC 7644, section 3.4.3)."""
        return {
            "/.search": partial(self.search_resources, parse_root_request),
            "/Users/.search": partial(self.search_resources, _only(Kind.USERS)),
            "/Groups/.search": partial(self.search_resources, _only(Kind.GROUPS)),
        }

    def _read_config(self, document: str) -> Response:
        refuse_filter(read_parameters(request.query_string))
        return _answer_document(document, f"{self._base}/ServiceProviderConfig")

    def list_resources(self, understand: _Understand) -> Response:
        """Answer a query string."""
        return self._answer_list(understand(read_parameters(request.query_string)))

    def search_resources(self, understand: _Understand) -> Response:
        """Answer a search request as if it were a query string, whatever its content type says."""
        return self._answer_list(understand(read_search_request(read_body())))

    def read_resource(self, kind: Kind, identifier: str) -> Response:
        """Answer with one resource; an id is never looked up as anything else (P15)."""
        if is_known(request.path):
            raise ReadOnly
        wanted = parse_selection(read_parameters(request.query_string))
        generation = self._newest()
        stored = self._reader.find(kind, identifier, generation) if _ID.fullmatch(identifier) else None
        if stored is None:
            raise NotFoundException(detail=f"There is no resource with this id among the {kind}.")
        g.rows, g.generation = 1, generation.number
        tag = self._bodies.tag(stored)
        location = {"Content-Location": f"{self._base}/{kind.capitalize()}/{identifier}"}
        if is_current(tag):
            return not_modified(tag, location)
        members = partial(self._reader.members, generation=generation)
        projection = project(kind, wanted.attributes, wanted.excluded)
        response = self._respond(self._bodies.body(kind, stored, members, projection), tag)
        response.headers.update(location)
        return response

    def _answer_list(self, asked: Mapping[Kind, ListRequest]) -> Response:
        """Answer with one page, exactly as long as it was asked for (P34)."""
        place = self._pager.find(asked)
        searches = any(part.where or part.sort_by for part in place.asked.values())
        with self._searches.place(g.client.id) if searches else nullcontext():
            total, batches = self._read(place.asked, place.generation)
        rows = next(iter(place.asked.values())).rows(total, self._max_results)
        self._pager.note(place, rows=rows, total=total)
        g.rows, g.generation = rows, place.generation.number
        tag = list_tag(place.asked, place.generation, f"{self._bodies.edition} {self._max_results}")
        if is_current(tag):
            return not_modified(tag)
        start = None if place.is_by_cursor else place.start
        cursor = place.next_cursor(rows=rows, total=total)
        return self._respond(list_response(batches, total=total, start=start, rows=rows, next_cursor=cursor), tag)

    def _read(self, asked: Mapping[Kind, ListRequest], generation: Generation) -> tuple[int, Iterable[Batch]]:
        """Return how many resources match and the page of them, one kind after the other."""
        total = 0
        parts = []
        for kind, part in asked.items():
            start = max(1, part.start - total)
            left = max(0, part.limit(self._max_results) - max(0, total - part.start + 1))
            sort = Sort(part.sort_by, descending=part.descending) if part.sort_by else None
            page = self._reader.page(kind, generation, start=start, count=left, where=part.where, sort=sort)
            total += page.total
            projection = project(kind, part.attributes, part.excluded)
            members = partial(self._reader.members, generation=generation)
            parts.append(self._bodies.batches(kind, page.slices, members, projection))
        return total, chain.from_iterable(parts)

    def _newest(self) -> Generation:
        """Choose the generation, once in a request."""
        generation = self._reader.newest()
        if generation is None:
            raise NothingPublished
        return generation

    def _respond(self, pieces: Iterable[str], tag: str) -> Response:
        response = complete_response(public_blocks(pieces, self._bodies.places))
        response.set_etag(tag, weak=True)
        return response


def _only(kind: Kind) -> _Understand:
    return lambda parameters: {kind: parse_list_request(parameters, kind)}


def _list_documents(documents: Mapping[str, str]) -> Response:
    refuse_filter(read_parameters(request.query_string))
    return _answer_document(list_documents(documents))


def _read_document(documents: Mapping[str, str], location: str, identifier: str) -> Response:
    refuse_filter(read_parameters(request.query_string))
    if identifier not in documents:
        raise NotFoundException(detail="There is no discovery document with this id.")
    return _answer_document(documents[identifier], f"{location}/{identifier}")


def _answer_document(document: str, location: str = "") -> Response:
    """Answer with a document, and where it is if it is one by itself (RFC 7643, section 3.1)."""
    tag, headers = document_tag(document), {"Content-Location": location} if location else {}
    if is_current(tag):
        return not_modified(tag, headers)
    response = scim_response(document, headers=headers)
    response.set_etag(tag, weak=True)
    return response


def _refuse_alias() -> Response:
    raise NoAlias


def _tell_methods(identifier: str = "") -> Response:  # noqa: ARG001 - the route hands the id over
    """Answer OPTIONS (RFC 9110, section 9.3.7)."""
    response = Response(status=204, headers={"Allow": allowed_methods(request.path)})
    del response.headers["Content-Type"]
    return response


def _refuse(anything: str = "") -> Response:  # noqa: ARG001 - the route hands the rest of the path over
    """Answer what no other route does: a write anywhere is 405, any other address is unknown."""
    if request.method in WRITE_METHODS or is_known(request.path):
        raise ReadOnly
    raise NotFoundException(detail="There is no such SCIM endpoint.")
