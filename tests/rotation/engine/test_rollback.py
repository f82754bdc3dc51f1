"""Going back to the password before, where that is possible, and the truth where it is not."""

import pytest

from connector.errors import NoWayBack
from connector.rotation.engine.rollback import can_roll_back, roll_back
from connector.rotation.model.policy import PasswordPolicy
from connector.rotation.model.ports import Account, Verdict
from connector.rotation.model.secret import Secret
from tests.rotation.engine.memory import IDENTITY, OLD, Failpoints, Fault, MemoryTarget, without_waiting

NEW = Secret("New-password-00000")
VAULT = "the Keeper vault"


@pytest.mark.parametrize(
    ("policy", "prior", "possible"),
    [
        (PasswordPolicy(), OLD, True),
        (PasswordPolicy(), None, False),
        (PasswordPolicy(history=1), OLD, False),
        (PasswordPolicy(known=False), OLD, False),
    ],
)
def test_the_way_back_is_promised_only_where_it_is_known_to_exist(policy, prior, possible):
    """P26, Keeper: no prior password, a history or an unreadable policy: no rollback is promised."""
    assert can_roll_back(Account(IDENTITY, "CONFIRMED", policy), prior) is possible


def test_rollback_sets_the_password_before_and_proves_it():
    """P26, Keeper: the rollback signs in before it reports success."""
    target = MemoryTarget(password=NEW)

    result = roll_back(target, prior=OLD, new=NEW, vault=VAULT, backoff=without_waiting())

    assert target.password == OLD
    assert result.proof.accepted


def test_rollback_after_a_change_without_effect_does_nothing():
    """P26, Keeper: where the change failed, the password before still signs in and is not set again."""
    target = MemoryTarget(password=OLD, policy=PasswordPolicy(history=5))

    roll_back(target, prior=OLD, new=NEW, vault=VAULT, backoff=without_waiting())

    assert "set_password" not in target.points.calls


def test_lost_reply_of_a_rollback_is_settled_by_a_sign_in():
    """P26: the same rules hold on the way back."""
    points = Failpoints()
    target = MemoryTarget(points, password=NEW)
    points.faults = {3: Fault.REPLY_LOST}

    roll_back(target, prior=OLD, new=NEW, vault=VAULT, backoff=without_waiting())

    assert target.password == OLD


@pytest.mark.parametrize(
    ("prior", "target", "words"),
    [
        (None, {"password": NEW}, "the new one is live"),
        (OLD, {"password": NEW, "policy": PasswordPolicy(history=1)}, "the new one is live"),
        (OLD, {"password": NEW, "enforced": PasswordPolicy(minimum_length=99)}, "the new one is live"),
        (None, {"password": OLD}, "the one before is not known"),
        (OLD, {"password": Secret("somebody else's"), "policy": PasswordPolicy(history=1)}, "no sign-in shows"),
        (OLD, {"verifiable": False, "policy": PasswordPolicy(history=1)}, "There is no sign-in to try"),
    ],
)
def test_impossible_rollback_says_which_password_lives(prior, target, words):
    """P26, Keeper: never the value, always which one."""
    with pytest.raises(NoWayBack, match=words) as caught:
        roll_back(MemoryTarget(**target), prior=prior, new=NEW, vault=VAULT, backoff=without_waiting())

    assert not [secret for secret in (OLD, NEW) if secret.reveal() in str(caught.value)]


@pytest.mark.parametrize("living", [NEW, OLD])
@pytest.mark.parametrize("verdict", [Verdict.UNDECIDED, Verdict.UNVERIFIABLE])
def test_rollback_sets_the_password_before_also_where_nothing_can_be_proved(living, verdict):
    """P26, Keeper: a lock-out, a missing right or a missing app client stops no rollback, and its result says so."""
    target = MemoryTarget(password=living, verdicts=[verdict] * 9)

    result = roll_back(target, prior=OLD, new=NEW, vault=VAULT, backoff=without_waiting())

    assert target.password == OLD
    assert target.points.calls.count("set_password") == 1
    assert result.proof.verdict is verdict


def test_rollback_that_is_refused_and_cannot_be_proved_names_the_vault_it_has():
    """P26, Keeper: what nobody can know is said so, in words of the vault that the Gateway has."""
    target = MemoryTarget(password=NEW, verdicts=[Verdict.UNVERIFIABLE] * 9, enforced=PasswordPolicy(minimum_length=99))

    with pytest.raises(NoWayBack, match="no sign-in shows which one is live"):
        roll_back(target, prior=OLD, new=NEW, vault=VAULT, backoff=without_waiting())

    assert target.password == NEW
