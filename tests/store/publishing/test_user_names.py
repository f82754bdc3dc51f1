"""Contested user names are settled over the whole harvest, on each database."""

from connector.directory.rows import Kind
from connector.store.publishing.user_names import Renamed
from connector.store.reading.reader import DirectoryReader
from tests.store.population import Directory, person, publish_directory


def names(database):
    """Return the user name under which each user is served."""
    reader = DirectoryReader(database)
    page = reader.page(Kind.USERS, reader.newest(), start=1, count=100)
    return {found.id: found.body.split('"userName":"')[1].split('"')[0] for found in page.resources}


def claimant(identifier, wanted, username, *, age=0):
    """Return a person who wants a name that is not their username."""
    return person(identifier, age=age, names=(wanted, username, identifier))


def test_the_older_account_keeps_the_name_and_the_other_falls_back_to_its_username(database):
    """P16: nobody is left out, and the report says who is served under another name."""
    rivals = [claimant("u1", "bob@x.y", "Google_1"), claimant("u2", "Bob@X.y", "Google_2", age=9)]

    published = publish_directory(database, Directory(rivals))

    assert names(database) == {"u1": "Google_1", "u2": "Bob@X.y"}
    assert published.renamed == [Renamed("u1", "bob@x.y", "Google_1")]


def test_who_is_published_under_the_name_keeps_it_against_an_older_account(database):
    """P16: a link that an importer made by name stays with its user."""
    publish_directory(database, Directory([claimant("u1", "bob@x.y", "Google_1")]))

    publish_directory(
        database, Directory([claimant("u1", "bob@x.y", "Google_1"), claimant("u0", "BOB@x.y", "okta_0", age=99)])
    )

    assert names(database) == {"u1": "bob@x.y", "u0": "okta_0"}


def test_usernames_that_differ_by_case_alone_fall_back_to_the_sub(database):
    """P16: in a case-sensitive pool, names that importers take for one are told apart."""
    publish_directory(database, Directory([person("u1", "Bob"), person("u2", "bob", age=1), person("u3", "BOB")]))

    assert names(database) == {"u1": "u1", "u2": "bob", "u3": "u3"}


def test_a_sub_cannot_be_taken_as_a_name(database):
    """P16: who wants another's sub as a name falls back, also when nobody else wants it."""
    publish_directory(database, Directory([claimant("u1", "u2", "mallory"), person("u2", "victim")]))

    assert names(database) == {"u1": "mallory", "u2": "victim"}


def test_a_fallback_may_be_contested_in_turn(database):
    """P16: settling goes on until every name is unique."""
    folk = [claimant("u1", "same", "taken"), claimant("u2", "same", "free", age=1), person("u3", "Taken")]

    publish_directory(database, Directory(folk))

    assert names(database) == {"u1": "u1", "u2": "same", "u3": "Taken"}


def test_normal_forms_of_one_name_are_one_name(database):
    """P16: NFC and NFD look alike and link to one account."""
    publish_directory(database, Directory([person("u1", "zo\u00eb"), person("u2", "zoe\u0308", age=1)]))

    assert names(database) == {"u1": "u1", "u2": "zoe\\u0308"}
