"""Killed before or after any call of an apply, or its reply lost: the next apply finishes, and nothing is left over."""

from contextlib import suppress
from pathlib import Path

import pytest

from connector.errors import ProvisioningError
from tests.fakes.aws_account.account import Account
from tests.provisioning.setting_up import Crash, Mishap, Workplace, failing, writes

WRITES = 9
"""Two policies, the user and its policy, the role and its policy; the user tagged, its key made, the tag taken."""


def interrupted(workplace: Workplace, mishap: Mishap, number: int) -> list[str]:
    """Apply with one mishap, whatever comes of it, and return the writing calls."""
    with failing(mishap, number, writes) as called, suppress(Crash, ProvisioningError):
        workplace.apply()
    return called


def assert_finished(workplace: Workplace) -> None:
    """One key, which lets the connector in; nothing to be done; the role only with its ExternalId."""
    account, set_up = workplace.account, workplace.set_up()
    kept = set_up.vault.read()

    assert set_up.plan().pending == ()
    assert kept.current is not None
    assert kept.pending is None
    assert [key.access_key_id for key in account.backend.get_user("serviceAccountUser").access_keys] == [
        kept.current.key_id
    ]
    assert account.lets_in(kept.current.key_id, set_up.wishes.role_arn, kept.external_ids.read)
    assert not account.lets_in(kept.current.key_id, set_up.wishes.role_arn)
    assert not account.lets_in(kept.current.key_id, set_up.wishes.role_arn, "another")


def finished_state(account: Account) -> dict[str, object]:
    """Return what is in the account, the ExternalId aside."""
    state = account.state()
    for role in state["roles"].values():
        for statement in role["trust"]["Statement"]:
            statement["Condition"] = list(statement["Condition"])
    return state


@pytest.mark.parametrize("mishap", Mishap)
def test_one_mishap_at_any_call_leaves_nothing_that_a_repeat_does_not_finish(
    mishap: Mishap, account: Account, folder: Path
) -> None:
    """The end state is the same, whichever call it was."""
    undisturbed = Workplace(account, folder / "undisturbed")
    undisturbed.apply()
    expected = finished_state(account)
    for number in range(WRITES):
        account.empty()
        workplace = Workplace(account, folder / f"{number}")
        called = interrupted(workplace, mishap, number)
        workplace.apply()

        assert len(called) > number, "the mishap never happened"
        assert_finished(workplace)
        assert finished_state(account) == expected, (mishap, called)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_while_a_file_is_written_leaves_nothing_that_a_repeat_does_not_finish(
    after, account: Account, folder: Path
) -> None:
    """ExternalId, configuration, pending key, its own file: whichever was or was not written, the next apply ends."""
    number = 0
    while True:
        account.empty()
        workplace, written = Workplace(account, folder / f"{number}"), _Written(number, after=after)
        with pytest.MonkeyPatch.context() as patches, suppress(Crash):
            patches.setattr("connector.bootstrap.aws_side.write_private", written.write)
            workplace.apply()
        workplace.apply()

        assert_finished(workplace)
        if len(written.names) <= number:
            break
        number += 1
    assert set(written.names) >= {"external_id", "config.yaml", "pending_access_key"}
    assert number >= 5


class _Written:
    """Writes files, and dies before or after one of them."""

    def __init__(self, last: int, *, after: bool) -> None:
        self.names: list[str] = []
        self._last, self._after = last, after

    def write(self, path: Path, text: str) -> None:
        self.names.append(path.name)
        is_last = len(self.names) - 1 == self._last
        if is_last and not self._after:
            raise Crash
        path.write_text(text)
        if is_last:
            raise Crash
