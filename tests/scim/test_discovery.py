import json
from typing import Any

import pytest
from scim2_models import ForbiddenException, ListResponse, ResourceType, Schema, ServiceProviderConfig

from connector.scim.discovery import Discovery, describe_service, list_documents, refuse_filter

BASE_URL = "https://scim.example.com/scim/v2"


@pytest.fixture
def discovery() -> Discovery:
    """What a server of at most 5000 results says of itself."""
    return describe_service(BASE_URL, 5000, 3600)


def test_the_configuration_says_what_is_true(discovery: Discovery) -> None:
    """RFC 7643, section 5: what is not there is not announced, and limits are those of this server."""
    config = ServiceProviderConfig.model_validate_json(discovery.service_provider_config).model_dump()

    assert {name: config[name]["supported"] for name in ("patch", "bulk", "changePassword", "sort", "etag")} == {
        "patch": False,
        "bulk": False,
        "changePassword": False,
        "sort": True,
        "etag": True,
    }
    assert config["filter"] == {"supported": True, "maxResults": 5000}
    assert config["pagination"] == {
        "cursor": True,
        "index": True,
        "defaultPaginationMethod": "index",
        "defaultPageSize": 5000,
        "maxPageSize": 5000,
        "cursorTimeout": 3600,
    }
    assert [(scheme["type"], scheme["primary"]) for scheme in config["authenticationSchemes"]] == [
        ("oauthbearertoken", True),
        ("httpbasic", False),
        ("oauth2", False),
    ]
    assert config["meta"] == {
        "resourceType": "ServiceProviderConfig",
        "location": f"{BASE_URL}/ServiceProviderConfig",
    }


def _documents(listing: str) -> list[dict[str, Any]]:
    return list(json.loads(listing)["Resources"])


def test_every_schema_is_listed_and_found_by_its_id(discovery: Discovery) -> None:
    """RFC 7644, section 4: each schema has schemas, id and meta, in the list as by itself."""
    listing = list_documents(discovery.schemas)

    assert ListResponse[Schema].model_validate_json(listing).total_results == 5
    assert _documents(listing) == [json.loads(document) for document in discovery.schemas.values()]
    assert {document["id"]: document["meta"] for document in _documents(listing)} == {
        identifier: {"resourceType": "Schema", "location": f"{BASE_URL}/Schemas/{identifier}"}
        for identifier in discovery.schemas
    }


def test_every_resource_type_is_listed_and_found_by_its_id(discovery: Discovery) -> None:
    """RFC 7644, section 4: importers ask for /ResourceTypes/User and /ResourceTypes/Group by these names."""
    listing = list_documents(discovery.resource_types)

    assert [document.id for document in ListResponse[ResourceType].model_validate_json(listing).resources or []] == [
        "User",
        "Group",
    ]
    assert {document["id"]: document["meta"]["location"] for document in _documents(listing)} == {
        "User": f"{BASE_URL}/ResourceTypes/User",
        "Group": f"{BASE_URL}/ResourceTypes/Group",
    }


def test_resource_types_name_only_published_schemas(discovery: Discovery) -> None:
    """RFC 7643, section 6: a reader can follow every schema that a resource type names."""
    named = set()
    for document in _documents(list_documents(discovery.resource_types)):
        named |= {document["schema"], *(extension["schema"] for extension in document["schemaExtensions"])}

    assert named == set(discovery.schemas)


@pytest.mark.parametrize("name", ["filter", "FILTER"])
def test_discovery_cannot_be_filtered(name: str) -> None:
    """RFC 7644, section 4: a filter on discovery is forbidden."""
    with pytest.raises(ForbiddenException):
        refuse_filter([("count", "200"), (name, "id pr")])


def test_other_parameters_of_discovery_are_ignored() -> None:
    """RFC 7644, section 4: paging, sorting and an empty filter change nothing."""
    refuse_filter([("startIndex", "1"), ("count", "200"), ("sortBy", "id"), ("filter", "")])
