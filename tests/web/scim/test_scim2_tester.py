"""scim2-tester against the endpoint: everything it asks of a SCIM server, but for making resources.

Its checks make what they then read; here they are given a resource of the published directory instead.
"""

import pytest
from scim2_tester import Status, check_server
from scim2_tester.utils import ResourceManager

from connector.store.migrations import open_database
from tests.store.population import Directory, people, publish_directory, team
from tests.web.endpoint import connect

READ_ONLY = "read-only"
NO_PATCH = "PATCH operations not supported by server"
KINDS = ("User", "Group")
TAGS = {"discovery", "misc", "crud:read", "crud:read:attributes", "crud:update", "crud:delete", "patch"}

DIFFERENCES = {
    # RFC 7644, section 3.2, names the methods of an endpoint; the pool is the only place to write to, so that PUT and
    # DELETE are refused with 405 (RFC 9110, section 15.5.6), which these two checks count as an error.
    "object_replacement": (Status.ERROR, READ_ONLY),
    "object_deletion": (Status.ERROR, READ_ONLY),
    # RFC 7643, section 5: patch.supported is false, and the checks keep to it.
    "check_add_attribute": (Status.SKIPPED, NO_PATCH),
    "check_remove_attribute": (Status.SKIPPED, NO_PATCH),
    "check_replace_attribute": (Status.SKIPPED, NO_PATCH),
    # Left out: without a POST it would look at a resource that nobody made, and find it well.
    "object_creation": (Status.SKIPPED, "tag filtering"),
}

ASKED = {
    "access_invalid_resource_type": 1,
    "access_invalid_schema": 1,
    "access_schema_by_id": 5,
    "object_list_with_attributes": 4,
    "object_query": 2,
    "object_query_with_attributes": 4,
    "object_query_without_id": 2,
    "query_all_resource_types": 1,
    "query_all_schemas": 1,
    "query_resource_type_by_id": 2,
    "random_url": 1,
    "resource_types_endpoint_methods": 4,
    "resource_types_schema_validation": 2,
    "schemas_endpoint_methods": 4,
    "search_with_attributes": 4,
    "service_provider_config_endpoint": 1,
    "service_provider_config_endpoint_methods": 4,
}
"""What must be asked, and how often: a check that falls silent is not one that passes."""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What the checks found in a small published directory."""
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('tester')}/store.db")
    teams = [team("g1"), team("g2")]
    publish_directory(database, Directory(people(5), teams, {"g1": ["u00001", "u00005"], "g2": ["u00002"]}))

    def fetch(manager, model, **_):
        return manager.context.client.query(model).resources[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ResourceManager, "create_and_register", fetch)
        yield check_server(connect(database), include_tags=TAGS)
    database.close()


def test_every_check_of_a_reader_succeeds(results):
    """RFC 7644, sections 3.4, 3.9, 3.12 and 4: discovery, resources, lists, searches, projections and errors."""
    usual = [result for result in results if result.title not in DIFFERENCES]

    assert [result for result in usual if result.status is not Status.SUCCESS] == []
    assert {title: sum(result.title == title for result in usual) for title in ASKED} == ASKED
    assert {result.title for result in usual} == set(ASKED)


@pytest.mark.parametrize("title", DIFFERENCES)
def test_each_difference_is_the_listed_one(results, title):
    """RFC 7643, section 5: where a check does not succeed, the reason is the one listed, for users and for groups."""
    status, reason = DIFFERENCES[title]
    found = [result for result in results if result.title == title]

    assert [(result.status, result.resource_type) for result in found] == [(status, kind) for kind in KINDS]
    assert [result.reason for result in found if reason not in result.reason] == []
