"""The schemas: JSON documents that are served, and the models that are built from them (RFC 7643, section 7).

A wheel carries the documents as `connector/schemas`; an editable install reads them from the repository.
"""

import json
from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import Any

from scim2_models import Resource, ResourceType, Schema, ScimProvider, SearchRequest

import connector
from connector.directory.rows import Kind

SCHEMAS = ("user", "group", "enterprise_user", "cognito_user", "cognito_group")
RESOURCE_TYPES = ("resource_type_user", "resource_type_group")
SERVICE_PROVIDER_CONFIG = "service_provider_config"

_NAMES = {Kind.USERS: "User", Kind.GROUPS: "Group"}


def locate_schemas(package: Path = Path(connector.__file__).parent) -> Path:
    """Return the folder of the documents: inside the package, or beside it in an editable install."""
    packed = package / "schemas"
    return packed if packed.is_dir() else package.parent / "schemas"


def read_document(name: str) -> dict[str, Any]:
    """Return one document, by its file name without the ending."""
    document: dict[str, Any] = json.loads((locate_schemas() / f"{name}.json").read_text("utf-8"))
    return document


@cache
def schemas_of(kind: Kind) -> tuple[dict[str, Any], ...]:
    """Return the schema of a kind and, after it, those of its extensions."""
    documents = {document["id"]: document for document in map(read_document, SCHEMAS)}
    resource_type = read_document(f"resource_type_{_NAMES[kind].lower()}")
    extensions = (extension["schema"] for extension in resource_type["schemaExtensions"])
    return tuple(documents[urn] for urn in (resource_type["schema"], *extensions))


@cache
def resource_model(kind: Kind) -> type[Resource[Any]]:
    """Return the model of a kind, with its extensions; e-mail addresses in it are plain strings."""
    model: type[Resource[Any]] = _provider().model_for(_NAMES[kind])  # type: ignore[assignment]
    return model


@cache
def search_model(*kinds: Kind) -> Any:
    """Return the model of a search over some kinds; it refuses attributes that none of them has."""
    bound: Any = SearchRequest
    return bound[reduce(or_, map(resource_model, kinds))]


@cache
def _provider() -> ScimProvider:
    return ScimProvider.from_discovery(
        schemas=[Schema.model_validate(read_document(name)) for name in SCHEMAS],
        resource_types=[ResourceType.model_validate(read_document(name)) for name in RESOURCE_TYPES],
    )
