from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scim2_models import ResourceType, Schema, ServiceProviderConfig

from connector.directory.rows import Kind
from connector.scim.schemas import (
    RESOURCE_TYPES,
    SCHEMAS,
    SERVICE_PROVIDER_CONFIG,
    locate_schemas,
    read_document,
    resource_model,
)

CHARACTERISTICS = {
    "name": str,
    "type": str,
    "multiValued": bool,
    "description": str,
    "required": bool,
    "caseExact": bool,
    "mutability": str,
    "returned": str,
    "uniqueness": str,
}


def _attributes(attributes: list[dict[str, Any]], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for attribute in attributes:
        name = f"{path}{attribute['name']}"
        yield name, attribute
        yield from _attributes(attribute.get("subAttributes", []), f"{name}.")


ALL_ATTRIBUTES = [
    pytest.param(attribute, id=f"{document}:{path}")
    for document in SCHEMAS
    for path, attribute in _attributes(read_document(document)["attributes"])
]


@pytest.mark.parametrize("attribute", ALL_ATTRIBUTES)
def test_every_characteristic_is_explicit(attribute: dict[str, Any]) -> None:
    """RFC 7643, section 7: importers trip over characteristics that are left to their defaults."""
    assert {name: type(attribute[name]) for name in CHARACTERISTICS} == CHARACTERISTICS
    assert attribute["mutability"] == "readOnly"


@pytest.mark.parametrize("attribute", ALL_ATTRIBUTES)
def test_complex_attributes_and_only_they_have_sub_attributes(attribute: dict[str, Any]) -> None:
    """RFC 7643, section 2.3.8: a reader may walk the sub-attributes of every complex attribute."""
    assert (attribute["type"] == "complex") == bool(attribute.get("subAttributes"))
    assert (attribute["type"] == "reference") == bool(attribute.get("referenceTypes"))


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_parse_strictly_and_completely(name: str) -> None:
    """RFC 7643, section 7: a schema document is one to a strict reader, and nothing in it is unknown."""
    document = read_document(name)

    assert Schema.model_validate(document).model_dump() == document


@pytest.mark.parametrize("name", RESOURCE_TYPES)
def test_resource_types_parse_strictly_and_completely(name: str) -> None:
    """RFC 7643, section 6: the id of a resource type is its name, and its endpoint is relative to the base."""
    document = read_document(name)

    assert ResourceType.model_validate(document).model_dump() == document
    assert (document["id"], document["endpoint"]) == (document["name"], f"/{document['name']}s")


def test_the_service_provider_config_parses_strictly_and_completely() -> None:
    """RFC 7643, section 5: the configuration is one to a strict reader."""
    document = read_document(SERVICE_PROVIDER_CONFIG)

    assert ServiceProviderConfig.model_validate(document).model_dump() == document


def test_what_is_not_served_is_not_in_the_schemas() -> None:
    """P31: passwords and other attributes of the RFC that we never serve are unknown here."""
    named = {name for document in SCHEMAS for name, _ in _attributes(read_document(document)["attributes"])}

    assert not named & {"password", "x509Certificates", "ims", "manager", "name.honorificPrefix"}


@pytest.mark.parametrize(
    ("kind", "extensions"), [(Kind.USERS, ["EnterpriseUser", "CognitoUser"]), (Kind.GROUPS, ["CognitoGroup"])]
)
def test_models_carry_their_extensions(kind: Kind, extensions: list[str]) -> None:
    """RFC 7643, section 6: the model of a resource knows every extension its resource type names."""
    assert [model.__name__ for model in resource_model(kind).get_extension_models().values()] == extensions


def test_email_addresses_are_plain_text() -> None:
    """P17: an address such as `a@corp.local` is kept verbatim."""
    user = resource_model(Kind.USERS).model_validate(
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": "ann",
            "emails": [{"value": "Ann@CORP.local"}],
        }
    )

    assert user["emails.value"] == ["Ann@CORP.local"]


def test_documents_are_found_inside_the_package_first(tmp_path: Path) -> None:
    """The wheel carries the documents; a folder beside an installed package is not ours."""
    package = tmp_path / "connector"
    (package / "schemas").mkdir(parents=True)
    (tmp_path / "schemas").mkdir()

    assert locate_schemas(package) == package / "schemas"


def test_documents_are_found_beside_the_package_in_an_editable_install(tmp_path: Path) -> None:
    """In a checkout the documents lie in the repository."""
    assert locate_schemas(tmp_path / "connector") == tmp_path / "schemas"
