"""Ctrl-C at whatever is asked: a clean end with 130, and nothing half-written, here or at AWS."""

import sys
from pathlib import Path

import pytest

from connector.cli.main import execute
from tests.access.conftest import PROGRAMS, Machine
from tests.cli.test_init import Talk
from tests.fakes.people_cloud import PASSWORD, TEMPORARY, PeopleCloud
from tests.fakes.terminal import Interrupted

POOL, IDENTITY_POOL = "us-east-1_Abc123", "us-east-1:01234567-89ab-cdef-0123-456789abcdef"
ADMIN = "aws-cognito-admin"
QUESTIONS: dict[str, tuple[tuple[str, ...], list[tuple[str, ...]]]] = {
    "configure": (("aws-cognito-auth", "configure"), [(), (POOL,), (POOL, "c"), (POOL, "c", IDENTITY_POOL)]),
    "login": (("cognito-scim", "login"), [(), ("ann",), ("new", TEMPORARY), ("new", TEMPORARY, "N3w-Passw0rd!")]),
    "login as it was": (("aws-cognito-auth", "login"), [(), ("ann",)]),
    "identity pool": ((ADMIN, "setup-identity-pool"), [(), (POOL,)]),
    "web identity": ((ADMIN, "setup-web-identity"), [(), (POOL,)]),
    "key of the proxy": ((ADMIN, "lambda", "deploy", "--access-key-id", "AKIAIOSFODNN7EXAMPLE"), [()]),
    "init": (
        ("cognito-scim", "init"),
        [(), ("n",), ("n", ""), ("n", "", POOL), ("n", "", POOL, "", "AKIAX", "s", "e")],
    ),
}


@pytest.mark.parametrize("asked", QUESTIONS)
def test_ctrl_c_at_a_question_leaves_nothing(
    asked: str, machine: Machine, pools: PeopleCloud, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    """At the first, the second, and each after it; the one who signs in for the first time keeps the old password."""
    (program, *arguments), stops = QUESTIONS[asked]
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _prompt: sys.stdin.readline().rstrip("\n"))
    for name in ("COGNITO_USER_POOL_ID", "COGNITO_CLIENT_ID") if asked in {"identity pool", "web identity"} else ():
        monkeypatch.delenv(name)
    if program == ADMIN:
        machine.set(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")
    roles = [role["RoleName"] for role in pools.client("iam").list_roles()["Roles"]]
    for answers in stops:
        capsys.readouterr()
        monkeypatch.setattr(sys, "stdin", Interrupted(*answers))
        code = execute(arguments, PROGRAMS[program], program)
        shown = capsys.readouterr()

        assert (code, shown.err.splitlines()[-1]) == (130, f"{program}: interrupted"), (answers, shown)
        assert PASSWORD not in shown.out + shown.err
        assert [path for path in machine.home.rglob("*") if path.is_file() and path.suffix != ".lock"] == [], answers
        assert [role["RoleName"] for role in pools.client("iam").list_roles()["Roles"]] == roles


def test_ctrl_c_at_the_password_of_a_real_terminal(machine: Machine, pools: PeopleCloud) -> None:
    """The terminal sends the signal, echoes again, and no login is there."""
    assert pools
    talk = Talk(Path.cwd(), "login", "ann")
    talk.press("Password: ", "\x03")
    shown, code = talk.end()

    assert (code, "Traceback" in shown, "interrupted" in shown) == (130, False, True)
    assert list(machine.home.rglob("*.json")) == []
