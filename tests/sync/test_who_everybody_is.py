"""A sync that would change who everybody is: new names, other addresses, groups without anybody, a new mapping."""

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from connector.directory.mapping import Fallbacks, Rules
from connector.directory.safeguard import Limits
from connector.store.changes.changes_reader import ChangesReader, Wanted
from connector.store.sql.tables import generations
from tests.fakes.population import a_user, people
from tests.fakes.simulated_pool import SimulatedPool
from tests.sync.syncing import Connector

NUMBER = 30


@pytest.fixture
def pool():
    """A pool of thirty people, each with a login of their own, in as many groups of one."""
    users = [
        a_user(f"p{n:02}", email=f"p{n:02}@example.com", **{"custom:login": f"login{n:02}"}) for n in range(NUMBER)
    ]
    with SimulatedPool(users, {f"g{n:02}": [f"p{n:02}"] for n in range(NUMBER)}) as simulated:
        yield simulated


@pytest.fixture
def connector(pool, database):
    """The pool, published, under the limits that nobody configured."""
    connector = replace(Connector(pool, database), limits=Limits())
    assert connector.sync().outcome == "published"
    return connector


def test_another_source_of_user_names_waits_for_approval(connector):
    """P02, P03: every user would be renamed; the refusal shows old and new, and who approves it is heard."""
    before = connector.published()
    connector.rules = Rules(user_name="custom:login")
    refused = connector.sync()

    assert (refused.outcome, connector.published()) == ("refused", before)
    assert refused.reasons == (
        "the mapping was changed (mapping.user_name from 'auto' to 'custom:login'), and 30 users would be changed",
        "30 of 30 users would be renamed; sync.safeguard.max_renamed_users allows 10 or 10%",
    )
    examples = refused.as_json()["examples"]
    assert [one["now"]["userName"] for one in examples] == [
        one["was"]["userName"].replace("p", "login") for one in examples
    ]
    assert len(examples) == 10
    assert connector.approve(refused.plan.digest).outcome == "published"
    assert connector.sync().outcome == "unchanged"


def test_a_new_mapping_that_changes_one_user_waits_for_approval_once(connector, pool):
    """P02: whatever the limits; what was approved is the mapping that the next plan is compared with."""
    connector.rules = Rules(title="custom:title")
    assert connector.sync().outcome == "unchanged"
    connector.rules = Rules(nick_name="custom:login", custom_attributes="none")
    refused = connector.sync()
    connector.approve(refused.plan.digest)
    pool.directory.add_user(a_user("new"))

    assert [reason.split(" (")[0] for reason in refused.reasons] == ["the mapping was changed"]
    assert connector.sync().outcome == "published"


def test_attributes_that_are_all_gone_wait_for_approval(connector, pool):
    """P02: a reader that lost its rights to them sees blanks; nobody gets a made-up address for that."""
    for n in range(NUMBER):
        pool.directory.user(f"p{n:02}")["Attributes"] = [
            one for one in pool.directory.user(f"p{n:02}")["Attributes"] if one["Name"] == "sub"
        ]
    refused = connector.sync()

    assert refused.reasons == (
        "30 of 30 users would get another e-mail address; sync.safeguard.max_changed_emails allows 10 or 10%",
    )
    example = refused.as_json()["examples"][0]
    assert (example["was"]["emails"][0]["value"], example["change"]) == (f"{example['name']}@example.com", "updated")
    assert example["now"]["emails"][0]["value"].endswith("@no-email.example.com")


def test_groups_that_lose_everybody_wait_for_approval(connector, pool):
    """P02: eleven groups of one each are within the limit of memberships of a group, not within this one."""
    for n in range(11):
        pool.directory.remove_member(f"g{n:02}", f"p{n:02}")
        pool.directory.add_member("g29", f"p{n:02}")
    refused = connector.sync()

    assert "11 of 30 groups would become empty; sync.safeguard.max_emptied_groups allows 10 or 10%" in (refused.reasons)
    emptied = [one for one in refused.as_json()["examples"] if one["now"].get("members") == 0]
    assert len(emptied) >= 3


def test_a_first_address_is_no_other_one(database):
    """P02: nobody was found by an address that was not there; names that differ in case find the same people."""
    bare = [{**one, "Attributes": [a for a in one["Attributes"] if a["Name"] == "sub"]} for one in people(NUMBER)]
    with SimulatedPool(bare) as pool:
        connector = Connector(pool, database, rules=Rules(fallbacks=Fallbacks(email="")), limits=Limits())
        connector.sync()
        for one in people(NUMBER):
            pool.directory.user(one["Username"])["Attributes"] = one["Attributes"]

        assert connector.sync().outcome == "published"


def test_a_generation_that_recorded_no_mapping_counts_as_made_with_todays(connector):
    """P02: a store from before this was recorded is not refused for it; from then on it is known."""
    with connector.database.writing() as connection:
        connection.execute(update(generations).values(mapping="{}", release=""))
    assert connector.sync().outcome == "unchanged"

    with connector.database.reading() as connection:
        recorded = connection.execute(select(generations.c.mapping, generations.c.release)).one()
    assert ('"user_name": "auto"' in recorded.mapping, recorded.release != "") == (True, True)


def test_everything_that_a_refusal_counts_can_be_listed(connector):
    """P06: the reasons lead to all of them, not to ten."""
    connector.rules = Rules(user_name="custom:login")
    refused = connector.sync()
    listed = ChangesReader(connector.database).of_run(refused.run)

    assert len(list(listed.stream(Wanted(change="renamed")))) == refused.plan.renamed == NUMBER
