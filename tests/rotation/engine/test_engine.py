"""The engine against a target and a vault in memory: every row of the fault table that is the engine's."""

import logging
from dataclasses import replace

import pytest

from connector.errors import (
    CurrentRefused,
    NewSecretRejected,
    NotProven,
    OutcomeUnknown,
    RotationBusy,
    RotationDenied,
    TargetUnavailable,
    TargetUnfit,
    VaultUnfit,
)
from connector.rotation.engine.backoff import REFUSALS_AT_MOST
from connector.rotation.model.policy import PasswordPolicy
from connector.rotation.model.ports import KeptPasswords, Verdict
from connector.rotation.model.results import RotationOutcome
from connector.rotation.model.secret import Secret
from tests.rotation.engine.memory import (
    KEPT,
    OLD,
    OLDER,
    Failpoints,
    Fault,
    MemoryTarget,
    MemoryVault,
    rotation,
)

NEW = Secret("New-password-00000")
WEAK = Secret("weak")


def parts(faults=None, *, kept=KEPT, **target):
    """Return a target and a vault that share their failpoints."""
    points = Failpoints(faults or {})
    return MemoryTarget(points, **target), MemoryVault(points, kept)


@pytest.mark.parametrize("needs_current", [False, True])
def test_rotation_ends_with_the_new_password_current_and_the_old_one_previous(needs_current):
    """P26: the candidate is kept before it is set, and promoted after it was proven."""
    target, vault = parts(needs_current=needs_current)

    result = rotation(target, vault).rotate()

    assert target.points.calls == ["examine", "read", "rehearse", "stage", "set_password", "prove", "promote"]
    assert vault.kept == KeptPasswords(current=target.password, previous=OLD)
    assert target.password != OLD
    assert (result.outcome, result.proof.verdict) == (RotationOutcome.ROTATED, Verdict.ACCEPTED)


def test_rotation_without_verification_promotes_what_the_target_took():
    """--no-verify trusts the target's answer, and says that nobody tried."""
    target, vault = parts()

    result = rotation(target, vault, verify=False).rotate()

    assert "prove" not in target.points.calls
    assert result.as_json()["proof"] == "not tried"


def test_pending_value_is_kept_never_regenerated():
    """P26, create: a pending value that is not live yet is the one that is set."""
    target, vault = parts(kept=KeptPasswords(current=OLD, pending=NEW))

    result = rotation(target, vault).rotate()

    assert target.password == NEW
    assert result.outcome is RotationOutcome.FINISHED


def test_pending_value_that_signs_in_is_only_promoted():
    """P26, set: after a crash between set and promote nothing is set again."""
    target, vault = parts(kept=KeptPasswords(current=OLD, pending=NEW), password=NEW)

    rotation(target, vault).rotate()

    assert "set_password" not in target.points.calls
    assert vault.kept == KeptPasswords(current=NEW, previous=OLD)


def test_lost_reply_is_settled_by_a_sign_in():
    """P26, set: a time-out after the change is a success, and the password is not sent twice."""
    target, vault = parts({4: Fault.REPLY_LOST})

    result = rotation(target, vault).rotate()

    assert target.points.calls.count("set_password") == 1
    assert result.outcome is RotationOutcome.ROTATED


def test_call_without_effect_is_repeated_with_the_same_password():
    """P26, set: throttling costs time; the candidate stays."""
    target, vault = parts({4: Fault.NOT_SENT, 5: Fault.NOT_SENT})

    rotation(target, vault).rotate()

    assert target.points.calls.count("set_password") == 3
    assert target.points.calls.count("stage") == 1


def test_throttling_ends_in_an_error_that_may_be_tried_again():
    """P26, set: backoff is bounded, and what was staged stays for the next run."""
    target, vault = parts(dict.fromkeys(range(4, 40), Fault.NOT_SENT))

    with pytest.raises(TargetUnavailable) as caught:
        rotation(target, vault).rotate()

    assert caught.value.retryable
    assert vault.kept.pending is not None
    assert target.password == OLD


def test_history_that_refuses_the_second_send_means_that_the_first_one_worked():
    """P26, set: PasswordHistoryPolicyViolationException on a password that signs in is a success."""
    target, vault = parts(kept=KeptPasswords(current=OLD, pending=NEW), password=NEW, policy=PasswordPolicy(history=3))
    target.verdicts = [Verdict.REFUSED]  # not seen yet, the moment after the first send

    rotation(target, vault).rotate()

    assert vault.kept.current == NEW


@pytest.mark.parametrize(
    ("living", "set_anew"), [(OLD, True), (Secret("By-the-helpdesk-00"), False)], ids=["as it was", "changed since"]
)
def test_recovery_of_a_remainder_overrules_nobody_who_changed_the_password_since(living, set_anew):
    """P26, recover: neither the candidate nor the one before signs in, so a later change stands, and is told."""
    target, vault = parts(kept=KeptPasswords(current=OLD, pending=NEW), password=living)
    remainder = rotation(target, vault, overrule=False)

    if set_anew:
        remainder.recover()
    else:
        with pytest.raises(NotProven, match="somebody else has changed it"):
            remainder.recover()

    assert target.password == (NEW if set_anew else living)
    assert (vault.kept.pending is None) is set_anew


def test_recovery_that_cannot_tell_who_changed_the_password_sets_nothing():
    """P26, recover: as above, where the sign-in with the one before is not decided."""
    target, vault = parts(kept=KeptPasswords(current=OLD, pending=NEW), password=OLDER)
    target.verdicts = [Verdict.REFUSED, Verdict.UNDECIDED]

    with pytest.raises(OutcomeUnknown):
        rotation(target, vault, overrule=False).recover()

    assert (target.password, vault.kept.pending) == (OLDER, NEW)


def test_fresh_candidate_that_is_refused_is_proven_dead_and_forgotten():
    """P26, set: a refused candidate is never tried again, and blocks no later rotation."""
    target, vault = parts(enforced=PasswordPolicy(minimum_length=99))

    with pytest.raises(NewSecretRejected):
        rotation(target, vault).rotate()

    assert target.points.calls[-3:] == ["set_password", "prove", "discard_pending"]
    assert vault.kept == KeptPasswords(current=OLD)


def test_refusal_after_an_attempt_without_answer_keeps_the_candidate():
    """P26: while an unanswered attempt may still take effect, its candidate has to stay."""
    target, vault = parts({4: Fault.REPLY_LOST}, policy=PasswordPolicy(history=1))
    target.verdicts = [Verdict.REFUSED, Verdict.REFUSED]

    with pytest.raises(OutcomeUnknown):
        rotation(target, vault).rotate()

    assert vault.kept.pending == target.password


def test_poison_pending_value_is_found_before_the_target_is_asked():
    """P26, create: a value against a policy tightened since is reported, with proof that it is not live, and kept."""
    target, vault = parts(kept=KeptPasswords(current=OLD, pending=WEAK))

    with pytest.raises(NewSecretRejected, match="not live") as caught:
        rotation(target, vault).rotate()

    assert "set_password" not in target.points.calls
    assert vault.kept.pending == WEAK
    assert "Remove the pending value" in caught.value.remedy


def test_poison_pending_value_goes_when_asked_and_proven_dead():
    """P26, create: --discard-unfit removes it after the proof, and rotates."""
    target, vault = parts(kept=KeptPasswords(current=OLD, pending=WEAK))

    rotation(target, vault, discard_unfit=True).rotate()

    assert target.points.calls.index("prove") < target.points.calls.index("discard_pending")
    assert vault.kept == KeptPasswords(current=target.password, previous=OLD)


def test_pending_value_that_lives_is_never_discarded_however_unfit():
    """P26: a live password stays, whatever the policy says and whoever asks."""
    target, vault = parts(kept=KeptPasswords(current=OLD, pending=WEAK), password=WEAK)

    rotation(target, vault, discard_unfit=True).rotate()

    assert "discard_pending" not in target.points.calls
    assert vault.kept == KeptPasswords(current=WEAK, previous=OLD)


@pytest.mark.parametrize("verdict", [Verdict.UNDECIDED, Verdict.UNVERIFIABLE])
def test_poison_pending_value_without_proof_is_kept(verdict):
    """P26: without a sign-in that proves it dead, a pending value stays, even when its removal is asked for."""
    target, vault = parts(kept=KeptPasswords(current=OLD, pending=WEAK))
    target.verdicts = [verdict]

    with pytest.raises(OutcomeUnknown):
        rotation(target, vault, discard_unfit=True).rotate()

    assert vault.kept.pending == WEAK


def test_pending_value_refused_by_an_unreadable_policy_is_reported_and_kept():
    """P26, set: InvalidPasswordException on a value from an earlier run takes the same path."""
    unreadable = PasswordPolicy(known=False)
    target, vault = parts(kept=KeptPasswords(OLD, NEW), policy=unreadable, enforced=PasswordPolicy(minimum_length=40))

    with pytest.raises(NewSecretRejected, match="not live"):
        rotation(target, vault).rotate()
    with pytest.raises(NewSecretRejected):
        rotation(target, vault, discard_unfit=True).rotate()

    assert vault.kept == KeptPasswords(current=OLD)


@pytest.mark.parametrize(
    "target_says",
    [{}, {"policy": PasswordPolicy(known=False), "enforced": PasswordPolicy(minimum_length=12)}],
    ids=["policy read", "policy not readable"],
)
@pytest.mark.parametrize(
    "kept", [KeptPasswords(OLD, WEAK, OLDER), KeptPasswords(None, WEAK)], ids=["current kept", "nothing else kept"]
)
def test_recovery_undoes_what_cannot_end_and_begins_nothing(target_says, kept):
    """P26, recover: --discard-unfit leaves the password that was live before, and the vault without the dead one."""
    target, vault = parts(kept=kept, **target_says)

    result = rotation(target, vault, discard_unfit=True).recover()

    assert result.outcome is RotationOutcome.DISCARDED
    assert (target.password, vault.kept) == (OLD, replace(kept, pending=None))
    assert "stage" not in target.points.calls
    assert (result.as_json()["proof"] == "accepted", "current one signs in" in result.sentence()) == (
        (kept.current is not None,) * 2
    )


@pytest.mark.parametrize(
    ("told", "error"),
    [(Verdict.REFUSED, NotProven), (Verdict.UNDECIDED, OutcomeUnknown)],
    ids=["changed", "cannot tell"],
)
def test_recovery_that_would_leave_no_known_password_discards_nothing(told, error):
    """P26, recover: where the current one does not sign in either, a new rotation is what is advised, not begun."""
    target, vault = parts(kept=KeptPasswords(current=OLD, pending=WEAK), password=Secret("By-the-helpdesk-00"))
    target.verdicts = [Verdict.REFUSED, told]

    with pytest.raises(error, match="Nothing was changed") as caught:
        rotation(target, vault, discard_unfit=True).recover()

    assert vault.kept == KeptPasswords(current=OLD, pending=WEAK)
    assert "set_password" not in target.points.calls
    assert ("--discard-unfit" in caught.value.remedy) is (told is Verdict.REFUSED)


def test_recovery_keeps_what_cannot_end_unless_asked():
    """P26, recover: without --discard-unfit the pending value stays, and the error says what removes it."""
    target, vault = parts(kept=KeptPasswords(current=OLD, pending=WEAK))

    with pytest.raises(NewSecretRejected) as caught:
        rotation(target, vault).recover()

    assert vault.kept.pending == WEAK
    assert "--discard-unfit" in caught.value.remedy


def test_pending_value_that_the_target_refuses_makes_room_when_asked():
    """P26, set: --discard-unfit keeps its promise also where only the target knows the policy: discard, then rotate."""
    target, vault = parts(kept=KeptPasswords(OLD, WEAK), policy=PasswordPolicy(known=False), enforced=PasswordPolicy())

    result = rotation(target, vault, discard_unfit=True).rotate()

    assert result.outcome is RotationOutcome.ROTATED
    assert vault.kept == KeptPasswords(current=target.password, previous=OLD)


def test_lock_out_is_not_taken_for_a_wrong_password():
    """P26, set: "Password attempts exceeded" changes nothing and asks for time."""
    target, vault = parts(kept=KeptPasswords(current=OLD, pending=NEW), failures=5)

    with pytest.raises(OutcomeUnknown, match="attempts exceeded") as caught:
        rotation(target, vault).rotate()

    assert "set_password" not in target.points.calls
    assert caught.value.exit_code == 75


def test_own_way_uses_the_previous_password_where_the_current_one_is_dead():
    """P26, set: current dead, previous alive."""
    target, vault = parts(kept=KeptPasswords(current=NEW, previous=OLDER), password=OLDER, needs_current=True)

    rotation(target, vault).rotate()

    assert vault.kept == KeptPasswords(current=target.password, previous=NEW)


def test_own_way_changes_nothing_where_nothing_signs_in():
    """P26, set: nothing signs in; the user's own way gives up before the lock-out."""
    pending = Secret("Pending-password-0")
    target, vault = parts(kept=KeptPasswords(current=NEW, pending=pending, previous=OLDER), needs_current=True)

    with pytest.raises(CurrentRefused):
        rotation(target, vault).rotate()

    assert target.password == OLD
    assert target.most_failures <= 3


def test_own_way_finds_the_change_that_a_sign_in_did_not_see_yet():
    """P26, set: the reply was lost, the change not seen at once; the old password's refusal leads to another look."""
    target, vault = parts({4: Fault.REPLY_LOST}, needs_current=True)
    target.verdicts = [Verdict.REFUSED]

    rotation(target, vault).rotate()

    assert vault.kept == KeptPasswords(current=target.password, previous=OLD)
    assert target.points.calls.count("set_password") == 2


class ChangesItsMind(MemoryTarget):
    """A target that fails in another way each time the password is set; the first time it is set all the same."""

    def fail_with(self, *errors):
        """Choose the errors; the last one stays."""
        self.errors = list(errors)
        return self

    def set_password(self, candidate, *, current):
        """Set it the first time, and fail."""
        if self.password == OLD:
            super().set_password(candidate, current=current)
        raise self.errors.pop(0) if len(self.errors) > 1 else self.errors[0]


@pytest.mark.parametrize("later", [TargetUnavailable, RotationDenied, TargetUnfit])
@pytest.mark.parametrize("verdict", [Verdict.UNVERIFIABLE, Verdict.UNDECIDED, Verdict.REFUSED])
def test_after_an_attempt_without_answer_no_refusal_says_that_nothing_changed(later, verdict):
    """P26, set: only a sign-in settles what one attempt left open; another attempt's refusal does not."""
    target = ChangesItsMind(verdicts=[verdict] * 9)
    target.fail_with(OutcomeUnknown("No answer."), later("Refused.", remedy="Nothing has changed."))
    vault = MemoryVault()

    with pytest.raises(OutcomeUnknown, match="nobody can know") as caught:
        rotation(target, vault).rotate()

    assert "Nothing has changed" not in str(caught.value)
    assert vault.kept == KeptPasswords(current=OLD, pending=target.password)


class NeverAnswers(MemoryTarget):
    """A target to which no change gets through, and that does not say so."""

    def set_password(self, *_, **__):
        """Time out."""
        raise OutcomeUnknown("No answer.")


def test_sign_ins_stop_before_the_lock_out():
    """P26, set: however often the outcome is unknown, no fifth sign-in in a row may fail."""
    target, vault = NeverAnswers(), MemoryVault()

    with pytest.raises(OutcomeUnknown):
        rotation(target, vault).rotate()

    assert target.most_failures == REFUSALS_AT_MOST < 5
    assert vault.kept.pending is not None


def test_administrators_way_sets_the_candidate_where_nothing_signs_in():
    """P26, set: nothing signs in; an administrator needs none of the old ones."""
    target, vault = parts(kept=KeptPasswords(current=NEW, previous=OLDER))

    rotation(target, vault).rotate()

    assert vault.kept.current == target.password


def test_own_way_needs_a_password_to_begin_with():
    """P26: a vault without a password cannot rotate the user's own way, and is told so."""
    target, vault = parts(kept=KeptPasswords(), needs_current=True)

    with pytest.raises(VaultUnfit, match="keeps no password"):
        rotation(target, vault).rotate()

    assert target.password == OLD


def test_change_that_is_not_seen_at_once_is_waited_for():
    """P26, test: eventual consistency is waited out by the condition."""
    target, vault = parts(unseen=2)

    result = rotation(target, vault).rotate()

    assert result.proof.accepted
    assert target.most_failures < REFUSALS_AT_MOST


@pytest.mark.parametrize(("living", "words"), [(OLD, "the current one still signs in"), (OLDER, "was not seen")])
def test_new_password_that_does_not_sign_in_is_reported_and_kept(living, words):
    """P26, test: somebody reset it meanwhile; the pending value stays for another attempt."""
    target, vault = parts()
    candidate = rotation(target, vault).prepare()
    target.password = living

    with pytest.raises(NotProven, match=words):
        rotation(target, vault).confirm(candidate)

    assert vault.kept.pending == candidate.password
    assert target.most_failures < 5


def test_new_password_that_cannot_be_proven_now_stays_pending():
    """P26, test: a lock-out after the change proves nothing against it."""
    target, vault = parts()
    target.verdicts = [Verdict.UNDECIDED] * 9

    with pytest.raises(OutcomeUnknown, match="is set"):
        rotation(target, vault).rotate()

    assert vault.kept.pending == target.password


def test_outstanding_factor_passes_with_a_note():
    """P26, test: Cognito asks for a further factor only after the right password."""
    target, vault = parts(factor=True)

    result = rotation(target, vault).rotate()

    assert result.proof.verdict is Verdict.FACTOR_OUTSTANDING
    assert result.as_json()["notes"] == ["A note.", "SOFTWARE_TOKEN_MFA"]


def test_target_without_sign_in_is_reported_not_verifiable():
    """P26: what cannot be tried is never called proven (IAM console passwords)."""
    target, vault = parts(verifiable=False)

    result = rotation(target, vault).rotate()

    assert result.as_json()["proof"] == "not verifiable"
    assert vault.kept.current == target.password


def test_reuse_of_a_random_password_shows_that_it_was_set():
    """P26, IAM: a conforming candidate is refused as used before only if an attempt has set it."""
    target, vault = parts({4: Fault.REPLY_LOST}, verifiable=False, policy=PasswordPolicy(history=1))

    result = rotation(target, vault).rotate()

    assert "earlier attempt has set it" in result.proof.detail
    assert vault.kept.current == target.password


def test_reuse_of_what_an_earlier_run_left_does_not_show_that_it_lives():
    """P26, IAM: it was set once; somebody may have set another one since, and who recovers is told so."""
    target, vault = parts(kept=KeptPasswords(OLD, NEW), verifiable=False, policy=PasswordPolicy(history=5))
    target.set_password(NEW, current=None)
    target.set_password(Secret("By-the-helpdesk-00"), current=None)

    result = rotation(target, vault).recover()

    assert (result.outcome, result.proof.verdict) == (RotationOutcome.FINISHED, Verdict.UNVERIFIABLE)
    assert "cannot be known" in result.as_json()["notes"][-1]
    assert "Rotate again" in result.as_json()["notes"][-1]
    assert rotation(target, vault).rotate().outcome is RotationOutcome.ROTATED
    assert vault.kept.current == target.password


def test_refusal_without_sign_in_and_without_history_stays_open():
    """P26, IAM: what no evidence settles is left to a person, and kept."""
    target, vault = parts(kept=KeptPasswords(OLD, NEW), verifiable=False, enforced=PasswordPolicy(minimum_length=99))

    with pytest.raises(OutcomeUnknown, match="nobody can know") as caught:
        rotation(target, vault, discard_unfit=True).rotate()

    assert "by hand" in caught.value.remedy
    assert vault.kept.pending == NEW


def test_candidate_of_another_rotation_wins_over_ones_own():
    """P26, create: what the vault says is pending is what is set (ResourceExistsException)."""
    target, vault = parts()
    vault.stage = lambda *_, **__: NEW

    result = rotation(target, vault).rotate()

    assert target.password == NEW
    assert result.outcome is RotationOutcome.FINISHED


def test_second_rotation_at_once_refuses():
    """P26, any: one rotation of an account at a time."""
    target, vault = parts()

    with vault.hold(), pytest.raises(RotationBusy):
        rotation(target, vault).rotate()

    assert target.points.calls == []


def test_recover_begins_nothing():
    """P26: recovering where nothing is pending changes nothing and says so."""
    target, vault = parts()

    result = rotation(target, vault).recover()

    assert target.points.calls == ["read"]
    assert result.sentence() == "cognito-user eu-west-1_Ab1/alice: nothing is pending in the vault."


def test_recover_rolls_forward():
    """P26: recovering finishes with the password that was pending."""
    target, vault = parts(kept=KeptPasswords(current=OLD, pending=NEW))

    result = rotation(target, vault).recover()

    assert (vault.kept, result.outcome) == (KeptPasswords(current=NEW, previous=OLD), RotationOutcome.FINISHED)


@pytest.mark.parametrize(
    ("kept", "live", "ok", "words"),
    [
        (KeptPasswords(OLD), "current", True, "the current value of the vault signs in"),
        (KeptPasswords(NEW, OLD), "pending", False, "`rotate recover`"),
        (KeptPasswords(NEW, previous=OLD), "previous", False, "only the previous value"),
        (KeptPasswords(NEW, previous=OLDER), "", False, "no value of the vault is proven to sign in"),
        (KeptPasswords(), "", False, "it keeps none"),
    ],
)
def test_verify_tells_which_value_signs_in(kept, live, ok, words):
    """P26: drift between vault and target is found and named."""
    target, vault = parts(kept=kept)

    found = rotation(target, vault).verify()

    assert (found.live, found.ok) == (live, ok)
    assert words in found.sentence()
    assert found.as_json()["live"] == (live or None)
    assert vault.kept == kept


class EndsSessions(MemoryTarget):
    """A target that can end sessions."""

    fails = False

    def sign_out(self):
        """End every session."""
        self.points.calls.append("sign_out")
        if self.fails:
            raise TargetUnavailable("Throttled.")


@pytest.mark.parametrize(("fails", "notes"), [(False, ()), (True, ("Sessions were not ended: Throttled.",))])
def test_sessions_end_after_the_promotion_never_before(fails, notes):
    """P26: signing out is the last thing, and its failure fails no rotation."""
    target, vault = EndsSessions(), MemoryVault()
    target.fails = fails
    vault.points = target.points

    result = rotation(target, vault, sign_out=True).rotate()

    assert target.points.calls[-2:] == ["promote", "sign_out"]
    assert result.notes == ("A note.", *notes)


def test_target_that_cannot_end_sessions_says_so():
    """A request that cannot be met is answered, not dropped."""
    result = rotation(*parts(), sign_out=True).rotate()

    assert result.notes[-1] == "Sessions were not ended: the target cannot."


def test_nothing_that_a_rotation_says_holds_a_password(caplog):
    """P27: neither logs, results nor errors show old or new."""
    caplog.set_level(logging.DEBUG)
    target, vault = parts()
    result = rotation(target, vault).rotate()
    said = [caplog.text, repr(result), str(result.as_json()), result.sentence(), repr(vault.kept), repr(target)]

    assert not [text for text in said if OLD.reveal() in text or target.password.reveal() in text]


def test_waits_grow_and_are_bounded():
    """Backoff with jitter: 1, 2, 5 and 10 seconds, a fifth more or less."""
    waited = []
    backoff = replace(rotation(*parts())._backoff, sleep=waited.append)

    assert list(backoff.attempts()) == [1, 2, 3, 4, 5]
    assert all(0.8 * delay <= slept <= 1.2 * delay for delay, slept in zip((1, 2, 5, 10), waited, strict=True))
