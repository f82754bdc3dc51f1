"""A 4xx after the effect, at every changing call of every target and vault: no refusal is believed without a sign-in.

A public report has AdminSetUserPassword answer so, and triggers that fail behind a change do. Promise P26.
"""

import json
from pathlib import Path

import pytest

from connector.errors import OutcomeUnknown, RotationError
from connector.journal.journal import Journal
from connector.journal.journal_vault import JournalVault
from connector.journal.seal import Sealer
from connector.rotation.aws.aws_clients import AwsDoor
from connector.rotation.engine.backoff import Backoff
from connector.rotation.engine.engine import AccountRotation
from connector.rotation.model.allowed import EVERYONE
from connector.rotation.model.ports import Target, Vault
from connector.rotation.model.secret import Secret
from connector.rotation.targets.iam_user import IamUser
from connector.rotation.vaults.secrets_manager import SecretsManagerVault
from tests.fakes.faults import RefusedAfter
from tests.fakes.refusals import Refusal
from tests.fakes.rotation.cloud import Cloud
from tests.rotation.people import NEW, OLD, WRONG, administered, self_served

REFUSALS = [
    "UserNotFoundException",
    "NotAuthorizedException",
    "ResourceNotFoundException",
    "InvalidPasswordException",
    "PasswordHistoryPolicyViolationException",
    "InvalidParameterException",
    "UserLambdaValidationException",
    "UnexpectedLambdaException",
    "LimitExceededException",
    "SomethingNew",
]
OF_IAM = [
    "NoSuchEntity",
    "PasswordPolicyViolation",
    "EntityTemporarilyUnmodifiable",
    "LimitExceeded",
    "ValidationError",
]


@pytest.fixture
def ann(cloud: Cloud) -> Cloud:
    """Ann with a secret about her, and Bo with a console password."""
    cloud.pool.add_client("app")
    cloud.pool.add_user("ann", OLD.reveal())
    cloud.account.add_user("bo", OLD.reveal())
    cloud.secrets.create("ann", json.dumps({"username": "ann", "password": OLD.reveal()})).rotation_enabled = None
    return cloud


def refuse(cloud: Cloud, operation: str, code: str) -> None:
    """Let the next call of an operation have its effect, and be refused."""
    refusal = RefusedAfter(Refusal(code, "It is said to have failed."))
    cloud.fail(operation, call=cloud.calls[operation] + 1, fault=refusal)


def secret_vault(cloud: Cloud, door: AwsDoor) -> Vault:
    """Return the secret as a vault."""
    return SecretsManagerVault(door.secrets_manager(), "ann", backoff=Backoff((0.1,), cloud.clock.sleep))


def rotate(cloud: Cloud, target: Target, vault: Vault) -> RotationError | None:
    """Rotate, and return how it failed."""
    try:
        AccountRotation(target, vault, backoff=Backoff((0.1,), cloud.clock.sleep)).rotate()
    except RotationError as error:
        return error
    return None


def kept(cloud: Cloud) -> dict[str, str]:
    """Return the passwords that the secret keeps, by label."""
    secret = cloud.secrets.secret("ann")
    return {label: json.loads(secret.text(label) or "{}").get("password", "") for label in secret.labels}


@pytest.mark.parametrize("code", REFUSALS)
def test_a_change_that_is_refused_after_its_effect_is_found_by_a_sign_in(ann: Cloud, door: AwsDoor, code: str) -> None:
    """P26: AdminSetUserPassword."""
    refuse(ann, "AdminSetUserPassword", code)

    assert rotate(ann, administered(ann, door), secret_vault(ann, door)) is None

    assert ann.pool.signs_in("ann", kept(ann)["AWSCURRENT"])
    assert kept(ann)["AWSCURRENT"] != OLD.reveal()


@pytest.mark.parametrize("code", REFUSALS)
def test_the_own_way_is_no_different(ann: Cloud, door: AwsDoor, code: str) -> None:
    """P26: ChangePassword, whose NotAuthorizedException may mean that the old password is gone by now."""
    refuse(ann, "ChangePassword", code)

    assert rotate(ann, self_served(ann, door), secret_vault(ann, door)) is None

    assert ann.pool.signs_in("ann", kept(ann)["AWSCURRENT"])


@pytest.mark.parametrize("code", REFUSALS)
def test_nor_is_a_first_password(ann: Cloud, door: AwsDoor, code: str) -> None:
    """P26: the answer to NEW_PASSWORD_REQUIRED."""
    ann.pool.users["ann"].status = "FORCE_CHANGE_PASSWORD"
    ann.pool.clients["app"].flows = {"ALLOW_USER_PASSWORD_AUTH"}
    refuse(ann, "RespondToAuthChallenge", code)

    assert rotate(ann, self_served(ann, door), secret_vault(ann, door)) is None

    assert ann.pool.signs_in("ann", kept(ann)["AWSCURRENT"])


@pytest.mark.parametrize("code", OF_IAM)
def test_where_no_sign_in_is_possible_the_outcome_is_unknown(
    ann: Cloud, door: AwsDoor, code: str, tmp_path: Path
) -> None:
    """P26: UpdateLoginProfile; both values are kept, and nobody is told that nothing has changed."""
    journal = Journal(tmp_path / "journal", Sealer(b"k" * 32))
    target = IamUser(door.iam(), door.sts(), username="bo", allowed=EVERYONE)
    vault = JournalVault(journal, target.identity, hand_over=lambda _: None, current=OLD)
    for call in (1, 2):
        ann.fail("UpdateLoginProfile", call=call, fault=RefusedAfter(Refusal(code, "It is said to have failed.")))

    error = rotate(ann, target, vault)

    entry = journal.find(target.identity)
    assert isinstance(error, OutcomeUnknown)
    assert "Nothing has changed" not in str(error)
    assert entry is not None
    assert entry.new.reveal() == ann.account.users["bo"].password


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "InvalidParameterException", "AccessDeniedException"])
@pytest.mark.parametrize("operation", ["PutSecretValue", "UpdateSecretVersionStage"])
def test_a_vault_that_refuses_after_the_effect_loses_nothing(
    ann: Cloud, door: AwsDoor, operation: str, code: str
) -> None:
    """P26: what lives is kept at every instant, an error says what has changed, and running again ends well."""
    ann.observe(lambda: any(ann.pool.signs_in("ann", password) for password in kept(ann).values()))
    refuse(ann, operation, code)

    error = rotate(ann, administered(ann, door), secret_vault(ann, door))

    changed = not ann.pool.signs_in("ann", OLD.reveal())
    assert error is None or ("the new password is set" in error.message) is changed
    assert rotate(ann, administered(ann, door), secret_vault(ann, door)) is None
    assert all(lives for _, lives in ann.observations)
    assert ann.pool.signs_in("ann", kept(ann)["AWSCURRENT"])


def test_a_refusal_without_effect_is_told_as_what_it_is(ann: Cloud, door: AwsDoor) -> None:
    """P26: the sign-in that shows it costs one failure, and the current password stays."""
    ann.fail("AdminSetUserPassword", call=1, fault=Refusal("UserLambdaValidationException", "No."))

    error = rotate(ann, administered(ann, door), secret_vault(ann, door))

    assert error is not None
    assert "trigger" in error.message
    assert (ann.pool.signs_in("ann", OLD.reveal()), ann.pool.users["ann"].failures) == (True, 1)


@pytest.mark.parametrize(("wrong", "code"), [("flow", 78), ("secret", 78), ("right", 77), ("locked", 75)], ids=str)
def test_nothing_is_set_or_staged_where_no_proof_would_be_possible(
    ann: Cloud, door: AwsDoor, wrong: str, code: int
) -> None:
    """P26: a flow that is missing, a client secret that does not fit, a right, a lock-out: known before anything."""
    client = ann.pool.clients["app"]
    client.flows = {"flow": set(), "right": {"ALLOW_ADMIN_USER_PASSWORD_AUTH"}}.get(wrong, client.flows)
    client.secrets = ["another-client-secret"] if wrong == "secret" else []
    ann.pool.users["ann"].locked_until = 600.0 if wrong == "locked" else 0.0
    if wrong == "right":
        ann.deny("AdminInitiateAuth")

    error = rotate(ann, administered(ann, door), secret_vault(ann, door))

    assert error is not None
    assert error.exit_code == code
    assert (ann.calls["AdminSetUserPassword"], ann.calls["PutSecretValue"]) == (0, 0)


@pytest.mark.parametrize("state", ["CONFIRMED", "RESET_REQUIRED", "FORCE_CHANGE_PASSWORD"])
@pytest.mark.parametrize("live", [OLD, WRONG], ids=["current lives", "current is dead"])
def test_an_administrator_goes_on_where_a_proof_is_possible(
    ann: Cloud, door: AwsDoor, state: str, live: Secret
) -> None:
    """P26: the kept value may be dead, and a reset may be asked of the user: the new password is set and proved."""
    user = ann.pool.users["ann"]
    user.password, user.status = live.reveal(), state

    assert rotate(ann, administered(ann, door), secret_vault(ann, door)) is None

    assert ann.pool.signs_in("ann", kept(ann)["AWSCURRENT"])
    assert kept(ann)["AWSCURRENT"] not in (OLD.reveal(), WRONG.reveal(), NEW.reveal())
