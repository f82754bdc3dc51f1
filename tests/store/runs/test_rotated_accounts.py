"""What is known of each account under rotation, on each database."""

import pytest

from connector.store.runs.figures import Measures
from connector.store.runs.rotated_accounts import FAILED, WAITING, AccountRecord, RotatedAccounts, RotationFigures

ANN, BO = "cognito-user eu-west-1_Ab1/ann", "cognito-user eu-west-1_Ab1/bo"
ROTATED = AccountRecord(ANN, "secret ann", "rotated", "accepted")
DENIED = AccountRecord(ANN, "secret ann", FAILED, "not tried", "AWS refuses it.", "Allow it.")


@pytest.fixture
def accounts(database):
    """The records."""
    return RotatedAccounts(database)


def figures(database):
    """Read the figures of the rotation."""
    return Measures(database, walk_timeout=3600).read().rotation


def known(accounts):
    """Return what is known, by account."""
    return {state.last.account: state for state in accounts.all()}


def test_before_any_rotation_there_is_nothing_to_tell(accounts, database):
    """P37: no account, no figure."""
    assert (accounts.all(), figures(database)) == ([], RotationFigures())


def test_a_scheduled_account_is_known_before_it_is_rotated(accounts, database):
    """P37: an account that never was rotated is the oldest."""
    accounts.schedule({ANN: "secret ann", BO: "secret bo"}, complete=True)
    accounts.note(ROTATED, run=7)
    ann, bo = known(accounts)[ANN], known(accounts)[BO]
    told = figures(database)

    assert (ann.last, ann.run, ann.scheduled, ann.needs_operator) == (ROTATED, 7, True, False)
    assert (bo.last.outcome, bo.run, bo.rotated_at, bo.tried_at) == (WAITING, None, None, None)
    assert ann.rotated_at == ann.tried_at is not None
    assert (told.accounts, told.needing_operator, told.oldest, told.last > 0) == (2, 0, None, True)


def test_a_failure_keeps_the_time_of_the_last_success(accounts, database):
    """P37: what failed needs an operator until it has succeeded; it is told first."""
    accounts.schedule({BO: "secret bo", ANN: "secret ann"}, complete=True)
    accounts.note(ROTATED, run=7)
    rotated_at = known(accounts)[ANN].rotated_at
    accounts.note(DENIED, run=8)
    failed = accounts.all()[0]

    assert (failed.last, failed.run, failed.rotated_at, failed.needs_operator) == (DENIED, 8, rotated_at, True)
    assert figures(database).needing_operator == 1
    accounts.note(ROTATED, run=9)
    assert (known(accounts)[ANN].last, figures(database).needing_operator) == (ROTATED, 0)


@pytest.mark.parametrize(("complete", "left"), [(True, {BO}), (False, {ANN, BO})])
def test_who_left_the_list_is_scheduled_no_more(accounts, database, complete, left):
    """P37: unless the list could not be read to its end; the history of the account stays."""
    accounts.schedule({ANN: "secret ann"}, complete=True)
    accounts.note(DENIED, run=1)
    accounts.schedule({BO: "secret bo"}, complete=complete)

    assert {account for account, state in known(accounts).items() if state.scheduled} == left
    assert known(accounts)[ANN].last == DENIED
    assert figures(database).needing_operator == (ANN in left)


def test_a_slip_of_the_pen_is_no_account(accounts):
    """P37: a rotation by hand that failed makes no account known that was not."""
    accounts.note(DENIED, run=1, known_only=True)

    assert accounts.all() == []
