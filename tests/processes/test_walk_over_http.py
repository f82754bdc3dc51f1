"""The whole way: a pool put into moto, synced, served by `serve`, and walked by a SCIM client that knows none of it.

What the client gets is compared, attribute by attribute, with what the pool's own API says; the comparison shares no
code with the mapping or the rendering.
"""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import datetime

import boto3
import pytest
from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import SearchRequest

from connector.demo.configuration import write_configuration
from connector.demo.embedded import embedded_pool
from connector.demo.local_environment import environment_for
from connector.demo.sample_directory import sample_directory
from connector.demo.serve_process import choose_port, serving

COGNITO = "urn:ietf:params:scim:schemas:extension:cognito:2.0"
USERS = 250


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder for configuration and store."""
    return tmp_path_factory.mktemp("walk")


@pytest.fixture(scope="module")
def pool():
    """A pool with the sample directory."""
    with embedded_pool() as embedded:
        embedded.fill(sample_directory(users=USERS, groups=12, pool_id=embedded.pool_id))
        yield embedded


@pytest.fixture(scope="module")
def client(pool, folder):
    """A SCIM client of the served directory, made by the commands alone."""
    port = choose_port(0)
    config = write_configuration(pool, folder, port=port)
    environment = environment_for(pool.endpoint, os.environ)

    def command(*words):
        line = [sys.executable, "-m", "connector", "--config", str(config), *words, "--json"]
        done = subprocess.run(line, env=environment, capture_output=True, text=True, check=True, timeout=120)
        return json.loads(done.stdout)

    assert command("sync")["outcome"] == "published"
    token = command("client", "create", "walker")["token"]
    with serving(config, port), _connected(f"http://127.0.0.1:{port}/scim/v2", token) as connected:
        yield connected


@contextmanager
def _connected(base, token):
    headers = {"Authorization": f"Bearer {token}"}
    with Client(base_url=base, headers=headers, timeout=60, trust_env=False) as http:
        scim = SyncSCIMClient(http)
        scim.discover()
        yield scim


@pytest.fixture(scope="module")
def source(pool):
    """The pool as its own API shows it: users and groups with their members, by name."""
    cognito = boto3.client(
        "cognito-idp",
        endpoint_url=pool.endpoint,
        region_name=pool.region,
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    asked = {"UserPoolId": pool.pool_id}
    users = cognito.get_paginator("list_users").paginate(**asked).build_full_result()["Users"]
    groups = cognito.get_paginator("list_groups").paginate(**asked).build_full_result()["Groups"]
    members = {
        group["GroupName"]: {
            user["Username"]
            for user in cognito.get_paginator("list_users_in_group")
            .paginate(GroupName=group["GroupName"], **asked)
            .build_full_result()["Users"]
        }
        for group in groups
    }
    return users, groups, members


def walk(client, resource_type, size):
    """Return every resource as JSON, read in pages of one size."""
    found, start, total = [], 1, 1
    while start <= total:
        page = client.query(resource_type, query_parameters=SearchRequest(start_index=start, count=size))
        total = page.total_results
        assert page.items_per_page == len(page.resources) == min(size, total - start + 1)
        found += [resource.model_dump(mode="json") for resource in page.resources]
        start += size
    return found


def cut(date):
    """Return a date as exact as SCIM shows it, to the millisecond."""
    return date.replace(microsecond=date.microsecond // 1000 * 1000)


def expected_user(user, groups, ids, base):
    """Return what RFC 7643 makes of a Cognito user under the default mapping."""
    given = {attribute["Name"]: attribute["Value"] for attribute in user["Attributes"]}
    generated = user["Username"] == given["sub"] or user["UserStatus"] == "EXTERNAL_PROVIDER"
    verified = [given[name] for name in ("email", "phone_number") if given.get(f"{name}_verified") == "true"]
    whole = " ".join(given[part] for part in ("given_name", "family_name") if given.get(part))
    known = verified[0] if generated and verified else user["Username"]
    return {
        "id": given["sub"],
        "externalId": user["Username"],
        "userName": known,
        "active": user["Enabled"],
        "displayName": given.get("name") or whole or known,
        "familyName": given.get("family_name") or known,
        "givenName": given.get("given_name") or known,
        "email": given.get("email") or f"{given['sub']}@no-email.example.com",
        "phone": given.get("phone_number"),
        "locale": given.get("locale"),
        "zone": given.get("zoneinfo"),
        "address": json.loads(given["address"])["locality"] if "address" in given else None,
        "status": user["UserStatus"],
        "verified": given.get("email_verified") == "true",
        "custom": {name: value for name, value in given.items() if name.startswith("custom:")},
        "identities": [one["userId"] for one in json.loads(given.get("identities", "[]"))],
        "created": cut(user["UserCreateDate"]),
        "changed": cut(user["UserLastModifiedDate"]),
        "groups": {(ids[name], name, "direct", f"{base}/Groups/{ids[name]}") for name in groups},
        "location": f"{base}/Users/{given['sub']}",
    }


def served_user(user):
    """Return the same of a user as served."""
    extension = user[f"{COGNITO}:User"]
    one = {name: (user.get(name) or [{}])[0] for name in ("emails", "phoneNumbers", "addresses")}
    return {
        **{name: user[name] for name in ("id", "externalId", "userName", "active", "displayName")},
        "familyName": user["name"]["familyName"],
        "givenName": user["name"].get("givenName"),
        "email": one["emails"].get("value"),
        "phone": one["phoneNumbers"].get("value"),
        "locale": user.get("locale"),
        "zone": user.get("timezone"),
        "address": one["addresses"].get("locality"),
        "status": extension["status"],
        "verified": extension["emailVerified"],
        "custom": {entry["name"]: entry["value"] for entry in extension.get("customAttributes", [])},
        "identities": [entry["userId"] for entry in extension.get("identities", [])],
        "created": datetime.fromisoformat(user["meta"]["created"]),
        "changed": datetime.fromisoformat(extension["lastModifiedAt"]),
        "groups": {
            (group["value"], group["display"], group["type"], group["$ref"]) for group in user.get("groups", [])
        },
        "location": user["meta"]["location"],
    }


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_a_client_gets_exactly_the_pool_at_any_page_size(client, source, size):
    """P09, P34: every user and group, every attribute, both sides of every membership, at any page size."""
    base = str(client.client.base_url).rstrip("/")
    users, groups, members = source
    served_groups = walk(client, "Group", size)
    served_users = walk(client, "User", size)

    ids = {group["displayName"]: group["id"] for group in served_groups}
    assert len(ids) == len(served_groups) == len(groups)
    expected = [
        expected_user(user, {name for name, folk in members.items() if user["Username"] in folk}, ids, base)
        for user in users
    ]
    by_id = {user["id"]: served_user(user) for user in served_users}
    assert len(by_id) == len(served_users) == USERS
    for user in expected:
        assert by_id[user["id"]] == user

    names = {user["externalId"]: user for user in expected}
    for group in served_groups:
        shown = {(one["value"], one["display"], one["type"], one["$ref"]) for one in group.get("members", [])}
        assert shown == {
            (names[one]["id"], names[one]["userName"], "User", names[one]["location"])
            for one in members[group["displayName"]]
        }


def test_a_single_read_is_the_row_of_the_list(client):
    """RFC 7644, section 3.4.1: a resource is the same, asked for alone or among others."""
    for resource_type in ("User", "Group"):
        listed = walk(client, resource_type, 1000)
        model = client.get_resource_model(resource_type)
        for row in listed[:15]:
            assert client.query(model, row["id"]).model_dump(mode="json") == row
