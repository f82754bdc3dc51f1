"""`aws rotate-key`: a key that works is there at every instant, whatever happens (P26)."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from moto.iam.models import AccessKeyLastUsed

from connector.config import load_settings
from connector.errors import KeyInUse, ProvisioningError, SetUpUnfit
from connector.provisioning.keys.rotate_key import RETIRED, RotateKey
from tests.fakes.aws_account.account import Account
from tests.fakes.faults import Fault
from tests.provisioning.conftest import Run, hurried
from tests.provisioning.setting_up import Crash, Mishap, Workplace, failing

USER = "serviceAccountUser"


def rotation(workplace: Workplace) -> RotateKey:
    """Return a rotation, as a new process makes it."""
    set_up = workplace.set_up()
    return RotateKey(
        set_up.caller,
        set_up.vault,
        set_up.wishes.role_arn,
        workplace.account.region,
        hurried()(workplace.said.append),
        datetime.now(UTC),
    )


def configured_key_works(workplace: Workplace) -> bool:
    """Tell whether what the configuration names lets the connector in."""
    settings = load_settings(workplace.place.path, {}, reads_pool=True)
    account, aws = workplace.account, settings.aws
    key = account.backend.access_keys.get(aws.access_key_id)
    return (
        key is not None
        and key.secret_access_key == aws.secret_access_key.get_secret_value()
        and account.lets_in(aws.access_key_id, aws.role_arn, aws.external_id.get_secret_value())
    )


def keys_of(account: Account) -> list[tuple[str, str]]:
    """Return the service user's keys."""
    return [(key.access_key_id, key.status) for key in account.backend.get_user(USER).access_keys]


def use(account: Account, key_id: str, *, service: str, hours: float, region: str = "eu-west-1") -> None:
    """Let a key have been used some hours ago."""
    at = datetime.now(UTC) - timedelta(hours=hours)
    account.backend.access_keys[key_id].last_used = AccessKeyLastUsed(timestamp=at, service=service, region=region)


@pytest.fixture
def workplace(account: Account, folder: Path) -> Workplace:
    """A pool that is set up."""
    made = Workplace(account, folder)
    made.apply()
    return made


def test_a_key_is_replaced_and_the_old_one_deactivated(account: Account, run: Run) -> None:
    """The next rotation deletes it; no secret is on the screen."""
    run("aws", "apply", account.pool_arn, "--yes")
    ((first, _),) = keys_of(account)
    rotated = run("--log-level", "debug", "aws", "rotate-key", "--json")
    second = rotated.document["key"]
    after_one = dict(keys_of(account))
    again = run("aws", "rotate-key", "--json")
    secrets = [key.secret_access_key for key in account.backend.get_user(USER).access_keys]

    assert (rotated.code, rotated.document["deactivated"], after_one) == (
        0,
        first,
        {first: "Inactive", second: "Active"},
    )
    assert (again.code, again.document["deleted"]) == (0, first)
    assert dict(keys_of(account)) == {second: "Inactive", again.document["key"]: "Active"}
    assert run("check").code == 0
    assert [secret for secret in secrets if secret in rotated.out + rotated.err + again.out + again.err] == []


def test_a_key_is_proved_in_the_region_whose_sts_is_configured(account: Account, run: Run, folder: Path) -> None:
    """`aws.sts_region`: where the connector will ask, also where that is not the pool's; at apply and rotate-key."""
    (folder / "config.yaml").write_text("aws:\n  sts_region: eu-central-1\n")
    applied = run("aws", "apply", account.pool_arn, "--yes")
    at_apply = {region for service, region in account.asked if service == "sts"}
    account.asked.clear()
    rotated = run("aws", "rotate-key")

    assert (applied.code, rotated.code) == (0, 0), applied.err + rotated.err
    assert "eu-central-1" in at_apply
    assert ("sts", "eu-central-1") in account.asked


def test_finish_deletes_the_old_key_and_begins_nothing(account: Account, run: Run) -> None:
    """For a timer of one's own."""
    run("aws", "apply", account.pool_arn, "--yes")
    nothing = run("aws", "rotate-key", "--finish", "--json")
    run("aws", "rotate-key")
    finished = run("aws", "rotate-key", "--finish", "--json")

    assert nothing.document["outcome"] == "nothing pending"
    assert finished.document["outcome"] == "finished"
    assert len(keys_of(account)) == 1
    assert account.state()["users"][USER]["tags"].keys() == {"managed-by", "cognito-scim-pool"}


def _counts(operation: str) -> bool:
    """Count what changes something, and the proofs."""
    return not operation.startswith(("Get", "List", "Describe", "Simulate"))


@pytest.mark.parametrize("mishap", Mishap)
def test_one_mishap_at_any_call_loses_no_key(mishap: Mishap, workplace: Workplace) -> None:
    """P26: killed before or after any call, or its reply lost: a key works at every instant, a repeat finishes."""
    number = 0
    while True:
        with failing(mishap, number, _counts) as called, suppress(Crash, ProvisioningError):
            rotation(workplace).rotate()
        assert configured_key_works(workplace), (number, called)
        if len(called) <= number:
            break
        rotation(workplace).rotate()
        rotation(workplace).finish()

        assert configured_key_works(workplace), (number, called)
        assert [status for _, status in keys_of(workplace.account)] == ["Active"], (number, called)
        number += 1
    assert number >= 7


@pytest.mark.parametrize("step", range(4))
@pytest.mark.parametrize("after", [False, True])
def test_killed_while_a_file_is_written_loses_no_key(step, after, workplace) -> None:
    """P26: each file is whole or not there, and the configuration switches id and secret at once."""
    written: list[str] = []

    def write(path: Path, text: str) -> None:
        written.append(path.name)
        if len(written) - 1 == step and not after:
            raise Crash
        path.write_text(text)
        if len(written) - 1 == step and after:
            raise Crash

    with pytest.MonkeyPatch.context() as patch, suppress(Crash):
        patch.setattr("connector.bootstrap.aws_side.write_private", write)
        rotation(workplace).rotate()
    assert configured_key_works(workplace), written
    rotation(workplace).rotate()
    rotation(workplace).finish()

    assert configured_key_works(workplace)
    assert [status for _, status in keys_of(workplace.account)] == ["Active"]


def test_a_new_key_is_waited_for_and_proved_twice(workplace: Workplace) -> None:
    """Before it takes the place of the old one, and as it is configured."""
    workplace.account.slow_keys = 3
    rotation(workplace).rotate()

    assert sum("Proving access key" in line for line in workplace.said) == 2
    assert sum("Waiting until AWS lets" in line for line in workplace.said) >= 3


def test_a_key_that_never_works_does_not_take_the_place_of_one_that_does(workplace: Workplace) -> None:
    """The old one stays configured and active."""
    before = keys_of(workplace.account)
    workplace.account.slow_keys = 1000

    with pytest.raises(SetUpUnfit, match="does not let the access key"):
        rotation(workplace).rotate()

    assert before[0] in keys_of(workplace.account)
    assert configured_key_works(workplace)


@pytest.mark.parametrize(("service", "hours"), [("s3", 1), ("cognito-idp", 23), ("sts", -1)])
def test_a_key_that_something_else_uses_is_not_removed(service: str, hours: float, workplace: Workplace) -> None:
    """Used within a day by another service, or still after the switch: it stays active, and no third is made."""
    account = workplace.account
    ((first, _),) = keys_of(account)
    rotation(workplace).rotate()
    account.backend.access_keys[first].status = "Active"
    use(account, first, service=service, hours=hours)

    still = rotation(workplace).rotate()

    assert still.deactivated == ""
    assert "something else used it within a day" in still.notes[0]
    assert dict(keys_of(account))[first] == "Active"

    account.backend.access_keys[first].status = "Inactive"
    with pytest.raises(KeyInUse, match="is not removed"):
        rotation(workplace).finish()
    use(account, first, service=service, hours=25)
    assert rotation(workplace).finish().deleted == first


def test_our_own_last_use_does_not_keep_a_key(workplace: Workplace) -> None:
    """The connector asks STS of its Region, up to the switch."""
    account = workplace.account
    ((first, _),) = keys_of(account)
    use(account, first, service="sts", hours=0.5)

    assert rotation(workplace).rotate().deactivated == first


def test_two_keys_that_nobody_knows_are_named(workplace: Workplace) -> None:
    """IAM allows no third, and neither may be the one to go."""
    workplace.account.client("iam").create_access_key(UserName=USER)

    with pytest.raises(SetUpUnfit, match="has two access keys already"):
        rotation(workplace).rotate()
    assert configured_key_works(workplace)


def test_a_user_that_is_not_ours_is_left_alone(account: Account, run: Run) -> None:
    """Unless it is adopted."""
    run("aws", "apply", account.pool_arn, "--yes")
    account.client("iam").untag_user(UserName=USER, TagKeys=["managed-by"])
    refused = run("aws", "rotate-key")

    assert (refused.code, "was not made by this program" in refused.err) == (78, True)
    assert run("aws", "rotate-key", "--adopt").code == 0


def test_in_secrets_manager_the_pair_is_switched_at_once(account: Account, run: Run) -> None:
    """One PutSecretValue; a broken one leaves the old key, and no key behind."""
    options = ("--vault", "secretsmanager:scim/pool")
    run("aws", "apply", account.pool_arn, "--yes", *options)
    account.script.fail("PutSecretValue", call=account.script.calls["PutSecretValue"] + 1, fault=Fault.ACCESS_DENIED)
    broken = run("aws", "rotate-key", *options)
    keys = keys_of(account)
    rotated = run("aws", "rotate-key", *options, "--json")

    assert (broken.code, len(keys)) == (77, 1)
    assert rotated.code == 0
    assert (
        rotated.document["key"]
        in account.client("secretsmanager").get_secret_value(SecretId="scim/pool")["SecretString"]
    )


def test_nothing_configured_is_one_sentence(account: Account, run: Run, folder: Path) -> None:
    """Without a key there is none to rotate."""
    (folder / "config.yaml").write_text(f"cognito:\n  user_pool_id: {account.pool_id}\n")
    refused = run("aws", "rotate-key")

    assert refused.code == 78
    assert "No access key is configured" in refused.err
    assert RETIRED not in refused.err
