"""Secrets Manager as a vault, over HTTP against the strict fake."""

import json

import pytest

from connector.errors import OutcomeUnknown, RotationBusy, RotationDenied, VaultUnavailable, VaultUnfit
from connector.rotation.engine.backoff import Backoff
from connector.rotation.model.policy import PasswordPolicy
from connector.rotation.model.ports import KeptPasswords
from connector.rotation.model.secret import Secret
from connector.rotation.vaults.secret_versions import Order, Owner
from connector.rotation.vaults.secrets_manager import SecretsManagerVault
from tests.fakes.faults import Fault
from tests.fakes.rotation.cloud import POOL_ID, Cloud

NAME = "pool/alice"
OLD, NEW, NEWER = Secret("Old-password-0000"), Secret("New-password-00000"), Secret("Newer-password-000")
POLICY = PasswordPolicy()
DOCUMENT = {
    "clientid": "app",
    "username": "alice",
    "password": OLD.reveal(),
    "port": 5432,
    "tags": {"team": ["a", "é"]},
}
LOST_REPLIES = [Fault.RESET, Fault.FAILED_AFTER]


@pytest.fixture
def cloud():
    """An AWS with one secret about alice that no function rotates."""
    with Cloud() as cloud:
        cloud.secrets.create(NAME, json.dumps(DOCUMENT)).rotation_enabled = None
        yield cloud


def vault(cloud, **options):
    """Return the vault, which waits in no time."""
    client = cloud.client("secretsmanager")
    return SecretsManagerVault(client, NAME, backoff=Backoff((0, 0), cloud.clock.sleep), **options)


def rotate(cloud, password):
    """Let another process stage and promote a password."""
    other = vault(cloud)
    other.stage(password, policy=POLICY)
    other.promote()


def secret(cloud):
    """Return the secret as AWS has it."""
    return cloud.secrets.secret(NAME)


def test_candidate_is_staged_and_promoted_with_every_other_key_as_it_was(cloud):
    """P26: foreign keys go through unchanged, and the old password stays as the previous one."""
    in_place = vault(cloud)

    assert in_place.stage(NEW, policy=POLICY) == NEW
    assert in_place.read() == KeptPasswords(current=OLD, pending=NEW)
    in_place.promote()

    assert in_place.read() == KeptPasswords(current=NEW, previous=OLD)
    assert json.loads(secret(cloud).text("AWSCURRENT")) == {**DOCUMENT, "password": NEW.reveal()}


def test_second_rotation_in_place_follows_the_first(cloud):
    """P26: what the first one left behind does not stop the second."""
    for password in (NEW, NEWER):
        rotate(cloud, password)

    assert vault(cloud).read() == KeptPasswords(current=NEWER, previous=NEW)


@pytest.mark.parametrize("fault", [*LOST_REPLIES, Fault.UNHEARD, Fault.THROTTLE])
@pytest.mark.parametrize(
    "operation", ["DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"]
)
def test_fault_at_any_call_is_repeated_without_harm(cloud, operation, fault):
    """P26: every call of Secrets Manager may be sent again; a lost reply is found out."""
    cloud.fail(operation, call=1, fault=fault)

    in_place = vault(cloud)
    assert in_place.stage(NEW, policy=POLICY) == NEW
    in_place.promote()

    assert vault(cloud).read() == KeptPasswords(current=NEW, previous=OLD)
    assert len(secret(cloud).versions) == 2


def test_service_that_stays_away_may_be_tried_again_later(cloud):
    """P26: backoff is bounded; the error says that trying again may help."""
    cloud.fail("PutSecretValue", call=1, fault=Fault.THROTTLE, times=99)

    with pytest.raises(VaultUnavailable) as caught:
        vault(cloud).stage(NEW, policy=POLICY)

    assert (caught.value.exit_code, caught.value.retryable) == (75, True)


def test_two_rotations_that_begin_together_agree_on_one_candidate(cloud):
    """P26: the second one is given what the first one staged, and promotes it or finds it promoted."""
    one, other = vault(cloud), vault(cloud)

    assert one.stage(NEW, policy=POLICY) == NEW
    assert other.stage(NEWER, policy=POLICY) == NEW
    one.promote()
    other.promote()

    assert other.read() == KeptPasswords(current=NEW, previous=OLD)


def test_candidate_that_another_rotation_finished_is_not_mistaken_for_the_next_one(cloud):
    """P26: stopped after its proof, it finds its own candidate current and another pending, which nobody has set."""
    stopped = vault(cloud)
    stopped.stage(NEW, policy=POLICY)
    other = vault(cloud)
    other.read()
    other.promote()
    vault(cloud).stage(NEWER, policy=POLICY)

    stopped.promote()

    assert vault(cloud).read() == KeptPasswords(current=NEW, pending=NEWER, previous=OLD)


def stage_anew(cloud):
    """Replace what is pending."""
    other = vault(cloud)
    other.read()
    other.discard_pending()
    other.stage(NEWER, policy=POLICY)


def stage_anew_under_another_id(cloud):
    """Replace what is pending while AWS still keeps the version without label."""
    secret(cloud).labels["bookmark"] = secret(cloud).labels.pop("AWSPENDING")
    vault(cloud).stage(NEWER, policy=POLICY)


def store_by_hand(cloud):
    """Store another current value, as the console does."""
    text = json.dumps({**DOCUMENT, "password": NEWER.reveal()})
    cloud.client("secretsmanager").put_secret_value(SecretId=NAME, SecretString=text)


def take_label(cloud):
    """Take AWSPENDING away; AWS deletes what has no label."""
    secret(cloud).labels.pop("AWSPENDING")
    secret(cloud).drop_bare_versions()


@pytest.mark.parametrize("meddle", [stage_anew, stage_anew_under_another_id, store_by_hand, take_label])
def test_nothing_but_the_candidate_that_was_shown_is_promoted(cloud, meddle):
    """P26: where its label is gone, or another version pending or current, nobody is told that it is kept."""
    in_place = vault(cloud)
    in_place.stage(NEW, policy=POLICY)
    meddle(cloud)
    before = secret(cloud).labels["AWSCURRENT"]

    with pytest.raises(OutcomeUnknown, match="somebody else") as caught:
        in_place.promote()

    assert "rotate verify" in caught.value.remedy
    assert secret(cloud).labels["AWSCURRENT"] == before


def test_candidate_that_lost_its_label_is_promoted_while_aws_keeps_it(cloud):
    """P26: it is live, so it is to be found; its version is named, so no other can be meant."""
    in_place = vault(cloud)
    in_place.stage(NEW, policy=POLICY)
    secret(cloud).labels["bookmark"] = secret(cloud).labels.pop("AWSPENDING")

    in_place.promote()

    assert vault(cloud).read() == KeptPasswords(current=NEW, previous=OLD)


def test_current_version_that_changes_under_the_move_stops_it(cloud):
    """P26: the move names the version that it replaces (API reference: UpdateSecretVersionStage)."""
    in_place = vault(cloud)
    in_place.stage(NEW, policy=POLICY)
    cloud.before("UpdateSecretVersionStage", call=1, do=lambda: secret(cloud).move("AWSCURRENT", "by-hand"))
    secret(cloud).versions["by-hand"] = json.dumps(DOCUMENT)

    with pytest.raises(OutcomeUnknown, match="somebody else"):
        in_place.promote()


@pytest.mark.parametrize("meddle", [stage_anew, stage_anew_under_another_id])
def test_candidate_of_another_rotation_is_not_discarded(cloud, meddle):
    """P26: that the one that was shown is dead says nothing of the one that is pending now."""
    slow = vault(cloud)
    slow.stage(NEW, policy=POLICY)
    meddle(cloud)

    with pytest.raises(RotationBusy):
        slow.discard_pending()

    assert vault(cloud).read().pending == NEWER


def test_discarded_candidate_may_be_discarded_again(cloud):
    """P26: harmless when already done."""
    in_place = vault(cloud)
    in_place.stage(NEW, policy=POLICY)

    in_place.discard_pending()
    in_place.discard_pending()

    assert vault(cloud).read() == KeptPasswords(current=OLD)


def test_rotation_overtaken_by_a_finished_one_stops(cloud):
    """P26: between its look and its put another rotation came to its end; nothing is staged over it."""

    def overtake():
        rotate(cloud, NEW)
        cloud.secrets.end_rotation(NAME)

    cloud.before("PutSecretValue", call=1, do=overtake)

    with pytest.raises(RotationBusy):
        vault(cloud).stage(NEWER, policy=POLICY)

    assert vault(cloud).read() == KeptPasswords(current=NEW, previous=OLD)


def test_discarded_candidate_makes_room_for_another(cloud):
    """P26: after a poison pending value was removed, another one can be staged."""
    in_place = vault(cloud)
    in_place.stage(NEW, policy=POLICY)
    in_place.discard_pending()

    assert vault(cloud).read() == KeptPasswords(current=OLD)
    assert in_place.stage(NEWER, policy=POLICY) == NEWER


def test_discarded_version_that_aws_still_keeps_is_passed_over(cloud):
    """P26: a version without label may live on for a day; its id is taken, so the next id is used."""
    vault(cloud).stage(NEW, policy=POLICY)
    kept = secret(cloud)
    kept.labels["bookmark"] = kept.labels.pop("AWSPENDING")

    assert vault(cloud).stage(NEWER, policy=POLICY) == NEWER
    assert vault(cloud).read() == KeptPasswords(current=OLD, pending=NEWER)


def test_discarding_and_promoting_without_pending_value_do_nothing(cloud):
    """P26: both may be repeated."""
    vault(cloud).discard_pending()
    vault(cloud).promote()

    assert cloud.calls["UpdateSecretVersionStage"] == 0


def test_announced_version_without_value_is_not_pending(cloud):
    """P26: after a failure AWSPENDING may be on an empty version; that is no password."""
    token = cloud.secrets.begin_rotation(NAME)

    assert vault(cloud).read() == KeptPasswords(current=OLD)
    assert vault(cloud, order=Order(token)).stage(NEW, policy=POLICY) == NEW
    assert secret(cloud).labels["AWSPENDING"] == token


def test_ordered_version_that_has_a_value_is_kept(cloud):
    """P26, create: ResourceExistsException: what is stored under the token is what is pending."""
    order = Order(cloud.secrets.begin_rotation(NAME))

    assert vault(cloud, order=order).stage(NEW, policy=POLICY) == NEW
    assert vault(cloud, order=order).stage(NEWER, policy=POLICY) == NEW


def test_ordered_version_is_promoted_once(cloud):
    """P26, finish: AWSCURRENT on the token already is a success."""
    order = Order(cloud.secrets.begin_rotation(NAME))
    vault(cloud, order=order).stage(NEW, policy=POLICY)

    vault(cloud, order=order).promote()
    vault(cloud, order=order).promote()

    assert cloud.calls["UpdateSecretVersionStage"] == 1
    assert secret(cloud).labels["AWSCURRENT"] == order.version


def test_rotation_token_is_shown_to_put_secret_value(cloud):
    """Rotations across roles and accounts need it (API reference: PutSecretValue, RotationToken)."""
    order = Order(cloud.secrets.begin_rotation(NAME), rotation_token="proof-" + "0" * 40)

    vault(cloud, order=order).stage(NEW, policy=POLICY)

    assert secret(cloud).rotation_tokens == [order.rotation_token]


def test_promotion_without_holder_of_current_names_none(cloud):
    """P26, finish: RemoveFromVersionId is left out where AWSCURRENT is nowhere (templates issue 92)."""
    order = Order(cloud.secrets.begin_rotation(NAME))
    vault(cloud, order=order).stage(NEW, policy=POLICY)
    del secret(cloud).labels["AWSCURRENT"]

    vault(cloud, order=order).promote()

    assert secret(cloud).labels["AWSCURRENT"] == order.version


@pytest.mark.parametrize("changed", [{"username": "bob"}, {"clientid": "other"}, {"user_pool_id": "eu-west-1_Other"}])
def test_pending_version_about_another_account_is_refused(cloud, changed):
    """P26, set: a username, client or pool that differs between current and pending is a confused deputy."""
    token = cloud.secrets.begin_rotation(NAME)
    secret(cloud).versions[token] = json.dumps({**DOCUMENT, **changed})

    with pytest.raises(VaultUnfit, match="another account"):
        vault(cloud).read()


@pytest.mark.parametrize(
    ("owner", "fits"),
    [
        (Owner("alice", POOL_ID), True),
        (Owner("alice"), True),
        (Owner("bob", POOL_ID), False),
    ],
)
def test_secret_has_to_be_about_the_account_that_was_named(cloud, owner, fits):
    """P26: a password is never stored in the secret of somebody else."""
    if fits:
        assert vault(cloud, owner=owner).read().current == OLD
    else:
        with pytest.raises(VaultUnfit, match="another account than bob"):
            vault(cloud, owner=owner).stage(NEW, policy=POLICY)
    assert cloud.calls["PutSecretValue"] == 0


def test_secret_of_a_pools_user_is_not_that_of_an_iam_user(cloud):
    """P26: alice of the pool and alice of IAM are two."""
    secret(cloud).versions[secret(cloud).labels["AWSCURRENT"]] = json.dumps({**DOCUMENT, "user_pool_id": POOL_ID})

    with pytest.raises(VaultUnfit, match="another account"):
        vault(cloud, owner=Owner("alice")).read()


@pytest.mark.parametrize("text", ["not JSON", "[]", '{"username": "alice"}', '{"password": "x"}'])
def test_unusable_secret_is_found_before_anything_is_written(cloud, text):
    """P26, create: no JSON, or a key missing: nothing is put."""
    secret(cloud).versions[secret(cloud).labels["AWSCURRENT"]] = text

    with pytest.raises(VaultUnfit):
        vault(cloud).stage(NEW, policy=POLICY)

    assert cloud.calls["PutSecretValue"] == 0


def test_unreadable_previous_version_is_no_obstacle(cloud):
    """P26: the previous value only helps; one that cannot be read is left alone."""
    rotate(cloud, NEW)
    secret(cloud).versions[secret(cloud).labels["AWSPREVIOUS"]] = "not JSON"

    assert vault(cloud).read() == KeptPasswords(current=NEW)


def test_secret_that_a_function_rotates_is_not_rotated_in_place(cloud):
    """P26: one rotator a secret; the remedy names the command that asks Secrets Manager."""
    secret(cloud).rotation_enabled = True

    with pytest.raises(VaultUnfit, match="own function") as caught, vault(cloud).hold():
        raise AssertionError("never entered")

    assert f"rotate secret {NAME}" in caught.value.remedy


def test_missing_secret_and_missing_permission_are_told_apart():
    """A name that does not exist is a configuration fault (78), a refusal of AWS is 77."""
    with Cloud() as cloud:
        with pytest.raises(VaultUnfit) as missing:
            vault(cloud).read()
        cloud.secrets.create(NAME, json.dumps(DOCUMENT))
        cloud.deny("GetSecretValue")
        with pytest.raises(RotationDenied) as denied:
            vault(cloud).read()

    assert (missing.value.exit_code, denied.value.exit_code) == (78, 77)
    assert "secretsmanager:GetSecretValue" in denied.value.remedy
