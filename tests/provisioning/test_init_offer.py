"""`init` offers to set up the AWS side, and then needs nothing but the pool's ARN."""

from pathlib import Path

from connector.config import load_settings
from tests.cli.test_init import Talk
from tests.fakes.aws_account.account import Account


def test_init_sets_up_the_aws_side(account: Account, folder: Path) -> None:
    """At a terminal: yes, the ARN, yes; an ARN that is none is asked for again."""
    talk = Talk(folder)
    for prompt, answer in (
        ("Shall I set up the AWS side? [y/N]: ", "y"),
        ("ARN of the user pool: ", account.pool_id),
        ("ARN of the user pool: ", account.pool_arn),
        ("Make these changes? [y/N]: ", "y"),
    ):
        talk.answer(prompt, answer)
    shown, code = talk.end()
    settings = load_settings(folder / "config.yaml", {}, reads_pool=True)

    assert code == 0, shown
    assert "is not the ARN of a user pool" in shown
    assert "10 checks" in shown
    assert settings.aws.external_id.get_secret_value() not in shown
    assert settings.aws.secret_access_key.get_secret_value() not in shown


def test_no_is_no(account: Account, folder: Path) -> None:
    """Declined at the last question, nothing is made and nothing is written."""
    talk = Talk(folder)
    for prompt, answer in (
        ("Shall I set up the AWS side? [y/N]: ", "y"),
        ("ARN of the user pool: ", account.pool_arn),
        ("Make these changes? [y/N]: ", "n"),
    ):
        talk.answer(prompt, answer)
    _, code = talk.end()

    assert (code, account.state()["roles"], (folder / "config.yaml").exists()) == (130, {}, False)
