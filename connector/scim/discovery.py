"""What the endpoint says of itself: ServiceProviderConfig, ResourceTypes and Schemas (RFC 7644, section 4).

Rendered once from the documents in `schemas/`; importers read them at start and give up over the smallest gap.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scim2_models import ForbiddenException

from connector.scim.encoding import encode
from connector.scim.list_response import Batch, list_response
from connector.scim.schemas import RESOURCE_TYPES, SCHEMAS, SERVICE_PROVIDER_CONFIG, read_document


@dataclass(frozen=True, slots=True)
class Discovery:
    """The discovery documents as JSON; those that come in several are found by their id."""

    service_provider_config: str
    resource_types: Mapping[str, str]
    schemas: Mapping[str, str]


def describe_service(base: str, max_results: int, cursor_timeout: int) -> Discovery:
    """Render the discovery documents.

    Args:
        base: the public SCIM base URL.
        max_results: how many resources one response holds at most.
        cursor_timeout: seconds for which a cursor is good (RFC 9865, section 4).
    """
    config = read_document(SERVICE_PROVIDER_CONFIG)
    config["filter"]["maxResults"] = max_results
    config["pagination"] |= {
        "defaultPageSize": max_results,
        "maxPageSize": max_results,
        "cursorTimeout": cursor_timeout,
    }
    return Discovery(
        service_provider_config=_render(config, "ServiceProviderConfig", f"{base}/ServiceProviderConfig"),
        resource_types=_render_all(RESOURCE_TYPES, "ResourceType", f"{base}/ResourceTypes"),
        schemas=_render_all(SCHEMAS, "Schema", f"{base}/Schemas"),
    )


def list_documents(documents: Mapping[str, str]) -> str:
    """Return all documents of one kind as one list response, whatever page was asked for (RFC 7644, section 4)."""
    number = len(documents)
    return "".join(list_response([Batch(number, (",".join(documents.values()),))], total=number, start=1, rows=number))


def refuse_filter(parameters: Iterable[tuple[str, str]]) -> None:
    """Discovery cannot be filtered.

    Raises:
        ForbiddenException: there is a filter.
    """
    if any(name.lower() == "filter" and value.strip() for name, value in parameters):
        raise ForbiddenException(detail="Discovery documents cannot be filtered.")


def _render_all(names: Iterable[str], resource_type: str, collection: str) -> dict[str, str]:
    documents = [read_document(name) for name in names]
    return {
        document["id"]: _render(document, resource_type, f"{collection}/{document['id']}") for document in documents
    }


def _render(document: Mapping[str, Any], resource_type: str, location: str) -> str:
    return encode({**document, "meta": {"resourceType": resource_type, "location": location}})
