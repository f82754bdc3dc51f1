"""The sealed copies of what `rotate` handed over: printed again, and forgotten one by one or all."""

from pathlib import Path

import pytest

from connector.journal.journal import Entry, Journal, Stage
from connector.journal.seal import Sealer
from connector.rotation.model.secret import Secret
from tests.cli.conftest import Run
from tests.cli.test_rotate import ALICE, KEY, cloud, stage  # noqa: F401 - the fixture
from tests.fakes.rotation.cloud import POOL_ID

HERS, NAMESAKE, ROBOT = f"cognito-user {POOL_ID}/alice", "cognito-user eu-west-1_Other/alice", "iam-user 1/alice"


def test_password_that_nobody_read_is_printed_again_until_it_is_forgotten(cloud, run: Run):  # noqa: F811 - the fixture
    """P26: a pipe takes a password that its reader never reads; the journal keeps a sealed copy."""
    lost = run("rotate", *ALICE, "--vault", "stdout")

    again = run("rotate", "recover", *ALICE, "--vault", "stdout")
    told = run("rotate", "recover")
    forgotten = run("rotate", "recover", "--forget")
    after = run("rotate", "recover", *ALICE, "--vault", "stdout")

    assert lost.out == again.out
    assert cloud.pool.signs_in("alice", again.out.removesuffix("\n"))
    assert ("--forget" in lost.err, f"{POOL_ID}/alice: a sealed copy" in told.err, told.out) == (True, True, "")
    assert forgotten.out == f"cognito-user {POOL_ID}/alice: forgotten.\n"
    assert (after.code, after.out) == (4, "")  # so that no script takes nothing for a password
    assert f"no password of cognito-user {POOL_ID}/alice" in after.err


def give(folder, password, account, key=KEY):
    """Leave the copy of a password that was handed over in the journal."""
    journal = Journal(folder / "cognito-scim-journal", Sealer(key.encode()))
    journal.write(Entry(account, Secret(password), None, "", "admin"), Stage.GIVEN)


def copies(run):
    """Return the accounts of which `rotate recover` lists a copy."""
    return [line.split(":")[0].strip() for line in run("rotate", "recover").err.splitlines() if "sealed copy" in line]


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(
    ("named", "kept"),
    [
        (["cognito-user", f"{POOL_ID}/alice"], [NAMESAKE, ROBOT]),
        (["iam-user", "alice"], [HERS, NAMESAKE]),
        ([], []),
    ],
    ids=str,
)
def test_one_copy_is_forgotten_by_its_name_or_as_it_is_listed(run: Run, folder: Path, named, kept):
    """--forget: an account that is named is the only one; without a name all of them."""
    for account in (HERS, NAMESAKE, ROBOT):
        give(folder, "Given-passw0rd-00", account)

    done = run("rotate", "recover", *named, "--forget", "--json")

    assert (done.code, {*done.document["forgotten"]}) == (0, {HERS, NAMESAKE, ROBOT} - {*kept})
    assert sorted(copies(run)) == sorted(kept)


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(
    ("named", "told"),
    [
        (["cognito-user", "alice"], "eu-west-1_Other/alice"),
        (["cognito-user", "bob"], "no copy"),
        (["iam-user"], "NAME"),
        (["cognito-user", ""], "NAME"),
    ],
    ids=str,
)
def test_name_that_is_not_one_copys_forgets_nothing(run: Run, folder: Path, named, told):
    """--forget: 2 where it is not clear which is meant, with those there are; a slip of the pen costs nothing."""
    for account in (HERS, NAMESAKE):
        give(folder, "Given-passw0rd-00", account)

    done = run("rotate", "recover", *named, "--forget")

    assert (done.code, told in done.err) == (2, True)
    assert copies(run) == [NAMESAKE, HERS]


def test_what_is_pending_is_never_forgotten(cloud, run: Run, folder: Path):  # noqa: F811 - the fixture
    """P26: --forget is for copies; a password that may be live and printed nowhere is none."""
    stage(folder, "Staged-passw0rd-1")

    assert run("rotate", "recover", *ALICE, "--forget").code == 2
    assert run("rotate", "recover", "--forget").out == "No password was kept.\n"
    assert run("rotate", "recover", "--forget", "--json").document == {"forgotten": []}
    assert run("rotate", "recover").out == "Staged-passw0rd-1\n"
    assert cloud.pool.signs_in("alice", "Staged-passw0rd-1")


@pytest.mark.usefixtures("cloud")
def test_copy_that_does_not_open_is_told_and_kept(run: Run, folder: Path):
    """--forget: 78, the others are forgotten, and nobody is told that nothing is left."""
    give(folder, "Given-passw0rd-00", HERS)
    give(folder, "Given-passw0rd-01", NAMESAKE, key=KEY[::-1])

    done, again = run("rotate", "recover", "--forget"), run("rotate", "recover", "--forget")

    assert (done.code, done.out, "cannot be opened" in done.err) == (78, f"{HERS}: forgotten.\n", True)
    assert (again.code, again.out) == (78, "")
    assert len(list((folder / "cognito-scim-journal").glob("*.given"))) == 1
