"""Sync, check and rotation against an emulator that others wrote: it verifies signatures, IAM policies, trust, SRP."""

import json

import pytest

from tests.cli.conftest import Run
from tests.fakes.growing_pool import access_to, add_user, demand_exact
from tests.ministack.scene import EXTERNAL_ID, OLD, Scene
from tests.ministack.server import REGION


def statuses(done) -> dict[str, str]:
    """Return the status of each check."""
    return {check["name"]: check["status"] for check in done.document["checks"]}


def test_check_passes_on_a_side_that_is_set_up_as_it_should_be(scene: Scene, run: Run) -> None:
    """Contract: every permission, and a trust policy that refuses without and with a wrong ExternalId."""
    scene.cognito.create_group(UserPoolId=scene.pool_id, GroupName="staff")

    done = run("check", "--json")

    assert done.code == 0, done.out
    assert set(statuses(done).values()) <= {"passed", "skipped"}, done.out


def test_check_warns_of_a_role_that_asks_for_no_external_id(scene: Scene, run: Run) -> None:
    """P16: a trust policy without the condition lets anybody in who knows the role (confused deputy)."""
    scene.trust(scene.reader, external_id=False)

    assert statuses(run("check", "--json"))["external_id"] == "warning"


@pytest.mark.parametrize("action", ["ListUsers", "ListGroups"])
def test_check_names_the_permission_that_is_missing(scene: Scene, run: Run, action: str) -> None:
    """Contract: each failure names what is denied."""
    scene.deny(scene.reader, f"cognito-idp:{action}")

    done = run("check", "--json")

    failed = [check for check in done.document["checks"] if check["status"] == "failed"]
    assert done.code == 4
    assert action in json.dumps(failed)


def test_a_sync_publishes_what_the_pool_holds(scene: Scene, run: Run) -> None:
    """P01: users, groups and memberships, and a second sync finds nothing to change."""
    for group in ("staff", "robots"):
        scene.cognito.create_group(UserPoolId=scene.pool_id, GroupName=group)
    for number in range(65):  # more than a page
        scene.add_user(f"user-{number:02}", ("staff",) if number % 2 else ())
    scene.add_user("robot", ("staff", "robots"))

    first, second = run("sync", "--json"), run("sync", "--json")

    assert first.code == 0, first.err
    told = {name: first.document[name] for name in ("outcome", "users", "groups", "memberships")}
    assert told == {"outcome": "published", "users": 66, "groups": 2, "memberships": 34}
    assert second.document["outcome"] == "unchanged"


def test_a_sync_that_is_denied_publishes_nothing(scene: Scene, run: Run) -> None:
    """P09: AccessDenied is the credentials' fault and ends with 77."""
    scene.deny(scene.reader, "cognito-idp:ListUsers")

    assert run("sync", "--json").code == 77


@pytest.mark.parametrize(
    ("flow", "mode", "secret"),
    [
        ("USER_SRP_AUTH", "admin", True),
        ("USER_SRP_AUTH", "self", False),
        ("USER_PASSWORD_AUTH", "self", True),
        ("ADMIN_USER_PASSWORD_AUTH", "admin", True),
    ],
)
def test_a_password_is_rotated_and_proved_by_whatever_flow_the_client_allows(
    scene: Scene, run: Run, flow: str, mode: str, *, secret: bool
) -> None:
    """P26: SRP, SECRET_HASH and ChangePassword as an independent implementation verifies them."""
    if flow.startswith("ADMIN"):
        scene.allow_rotator("cognito-idp:AdminInitiateAuth", "cognito-idp:AdminRespondToAuthChallenge")
    scene.add_user("ann")
    client_id, client_secret = scene.add_client(flow, secret=secret)
    about = {"clientid": client_id} | ({"client_secret": client_secret} if client_secret else {})
    secret_id = scene.add_secret("ann", **about)

    done = run("rotate", "cognito-user", "ann", "--vault", f"secretsmanager:{secret_id}", "--mode", mode, "--json")

    assert (done.code, done.document["proof"]) == (0, "accepted"), done.err
    looks, _ = scene.add_client("USER_PASSWORD_AUTH")
    new = scene.kept(secret_id)["password"]
    assert (new != OLD, scene.signs_in(looks, "ann", new), scene.signs_in(looks, "ann", OLD)) == (True, True, False)


@pytest.mark.parametrize(
    ("wrong", "code"), [("flow", 78), ("secret", 78), ("right", 77)], ids=["no flow", "another secret", "no right"]
)
def test_nothing_is_set_where_no_proof_would_be_possible(scene: Scene, run: Run, wrong: str, code: int) -> None:
    """P26: what is wrong with the app client, or a right that is missing, is known before anything is set."""
    scene.add_user("ann")
    flows = {"flow": ("CUSTOM_AUTH",), "secret": ("USER_SRP_AUTH",), "right": ("ADMIN_USER_PASSWORD_AUTH",)}[wrong]
    if wrong == "flow":
        scene.allow_rotator("cognito-idp:AdminInitiateAuth")
    client_id, client_secret = scene.add_client(*flows, secret=True)
    kept = f"{client_secret}-not" if wrong == "secret" else client_secret
    secret_id = scene.add_secret("ann", clientid=client_id, client_secret=kept)

    done = run("rotate", "cognito-user", "ann", "--vault", f"secretsmanager:{secret_id}")

    looks, _ = scene.add_client("USER_PASSWORD_AUTH")
    assert done.code == code, done.err
    assert scene.signs_in(looks, "ann", OLD)
    assert scene.kept(secret_id)["password"] == OLD


def test_a_rotation_role_that_another_caller_knows_is_of_no_use_without_the_external_id(scene: Scene) -> None:
    """P16: the trust of the rotation's role asks for the ExternalId as well."""
    sts = scene.stack.client("sts", (*scene.source, ""))

    with pytest.raises(sts.exceptions.ClientError, match="AccessDenied"):
        sts.assume_role(RoleArn=scene.rotator, RoleSessionName="nobody")
    assert sts.assume_role(RoleArn=scene.rotator, RoleSessionName="nobody", ExternalId=EXTERNAL_ID)["Credentials"]


def test_a_pool_that_grows_while_it_is_read_is_read_exactly(scene: Scene) -> None:
    """P11: attribute by attribute; whoever was there before is read, and nobody as somebody else."""
    before = {f"early-{number:03}" for number in range(125)}  # three pages
    for name in before:
        add_user(scene.cognito, scene.pool_id, name)

    access = access_to(
        scene.stack.url, scene.pool_id, region=REGION, key=scene.source, role=(scene.reader, EXTERNAL_ID)
    )
    demand_exact(access, scene.cognito, scene.pool_id, before)
