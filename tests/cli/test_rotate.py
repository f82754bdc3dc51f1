"""`rotate`, against the strict fake over HTTP."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from connector.cli.main import execute
from connector.journal.journal import Journal
from connector.journal.journal_vault import JournalVault
from connector.journal.seal import Sealer
from connector.rotation.model.policy import PasswordPolicy
from connector.rotation.model.secret import Secret
from tests.cli.conftest import Run
from tests.fakes.rotation.cloud import EXTERNAL_ID, POOL_ID, ROLE_ARN, ROTATOR, Cloud

OLD = "Old-passw0rd-0000"
KEY = "a journal key of thirty-two characters or more"
CONFIG = f"""
cognito: {{user_pool_id: {POOL_ID}}}
rotation:
  allow: [alice, service]
  client_id: app
  role_arn: {ROLE_ARN}
"""
SECRET = "pool/alice"
ALICE = ("cognito-user", "alice")


@pytest.fixture
def cloud(folder: Path, monkeypatch):
    """A pool with alice, a secret about her, and an IAM user; the configuration in the folder names them."""
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "key").write_text(KEY)
    with Cloud() as cloud:
        cloud.pool.add_user("alice", OLD)
        cloud.pool.add_client("app", flows={"ALLOW_USER_SRP_AUTH"})
        cloud.account.add_user("service", OLD)
        document = {"username": "alice", "password": OLD, "clientid": "app", "note": "kept"}
        cloud.secrets.create(SECRET, json.dumps(document)).rotation_enabled = None
        monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint_url)
        monkeypatch.setenv("COGNITO_SCIM_AWS__ACCESS_KEY_ID", ROTATOR.key_id)
        monkeypatch.setenv("COGNITO_SCIM_AWS__SECRET_ACCESS_KEY", ROTATOR.secret)
        monkeypatch.setenv("COGNITO_SCIM_ROTATION__EXTERNAL_ID", EXTERNAL_ID)
        monkeypatch.setenv("COGNITO_SCIM_ROTATION__JOURNAL_KEY_FILE", str(folder / "key"))
        yield cloud


def kept(cloud, label="AWSCURRENT"):
    """Return what the secret says under a label."""
    return json.loads(cloud.secrets.secret(SECRET).text(label))


def stage(folder, password, account=f"cognito-user {POOL_ID}/alice", current=None, mode="admin"):
    """Leave a rotation in the journal that was interrupted before it set the password."""
    journal = Journal(folder / "cognito-scim-journal", Sealer(KEY.encode()))
    JournalVault(journal, account, hand_over=lambda _: None, current=current, mode=mode).stage(
        Secret(password), policy=PasswordPolicy()
    )


@pytest.mark.parametrize("mode", ["admin", "self"])
def test_password_in_a_secret_is_rotated_proved_and_promoted(cloud, run: Run, mode):
    """P26: the secret's current password signs in, the old one does not, other keys are as they were."""
    done = run("rotate", *ALICE, "--vault", f"secretsmanager:{SECRET}", "--mode", mode, "--json")

    new = kept(cloud)["password"]
    assert (done.code, done.document["outcome"], done.document["proof"]) == (0, "rotated", "accepted")
    assert cloud.pool.signs_in("alice", new)
    assert not cloud.pool.signs_in("alice", OLD)
    assert kept(cloud)["note"] == "kept"
    assert cloud.calls["AssumeRole"] == 1
    assert new not in done.out + done.err


def say_in_secret(cloud, **keys):
    """Write more keys into the secret."""
    secret = cloud.secrets.secret(SECRET)
    secret.versions[secret.labels["AWSCURRENT"]] = json.dumps(kept(cloud) | keys)


@pytest.mark.parametrize("of", [[*ALICE, "--vault", f"secretsmanager:{SECRET}"], ["secret", SECRET]], ids=str)
@pytest.mark.parametrize(("asked", "own_way"), [([], 1), (["--mode", "admin"], 0), (["--mode", "self"], 1)], ids=str)
def test_secret_says_which_way_unless_the_command_does(cloud, run: Run, of, asked, own_way):
    """One way to say it: `mode` in the secret, as for the rotation function; --mode is for once."""
    say_in_secret(cloud, mode="self")

    done = run("rotate", *of, *asked)

    assert done.code == 0, done.err
    assert (cloud.calls["ChangePassword"], cloud.calls["AdminSetUserPassword"]) == (own_way, 1 - own_way)
    assert cloud.pool.signs_in("alice", kept(cloud)["password"])


@pytest.mark.parametrize("of", [[], [*ALICE, "--vault", "stdout"]], ids=["everything", "one account"])
def test_what_was_begun_the_users_own_way_is_recovered_so(cloud, run: Run, folder: Path, of):
    """One way to say it: the journal's entry says how it was begun, for who has no rights on the pool."""
    stage(folder, "Staged-passw0rd-0000!", current=Secret(OLD), mode="self")
    cloud.deny("AdminGetUser")

    done = run("rotate", "recover", *of)

    assert (done.code, done.out) == (0, "Staged-passw0rd-0000!\n")
    assert cloud.calls["ChangePassword"] == 1


def test_verify_goes_the_way_that_the_secret_says(cloud, run: Run):
    """`mode: self` is for who has no rights on the pool, and so is `rotate verify` of it."""
    say_in_secret(cloud, mode="self")
    cloud.deny("AdminGetUser")
    verify = ("rotate", "verify", *ALICE, "--vault", f"secretsmanager:{SECRET}")

    assert run(*verify).code == 0
    assert run(*verify, "--mode", "admin").code == 77


def test_what_contradicts_the_secret_is_told(cloud, run: Run):
    """78: sessions end the administrator's way only; the secret's own function goes its own way."""
    say_in_secret(cloud, mode="self")
    signed_out = run("rotate", "secret", SECRET, "--sign-out")
    cloud.secrets.secret(SECRET).rotation_enabled = True
    told_how = run("rotate", "secret", SECRET, "--mode", "self")

    assert (signed_out.code, "--mode admin" in signed_out.err) == (78, True)
    assert (told_how.code, "Leave --mode out" in told_how.err) == (78, True)
    assert cloud.calls["ChangePassword"] + cloud.calls["PutSecretValue"] == 0


def test_what_was_begun_under_one_name_is_finished_under_another(cloud, run: Run, folder):
    """P26: an alias and the user's name are one account, with one lock and one entry in the journal."""
    cloud.pool.users["alice"].aliases = {"service"}
    stage(folder, "Staged-passw0rd-0000!")

    done = run("rotate", "cognito-user", "service", "--vault", "stdout")

    assert (done.code, done.out) == (0, "Staged-passw0rd-0000!\n")
    assert cloud.pool.signs_in("alice", "Staged-passw0rd-0000!")


@pytest.mark.parametrize("of", [[*ALICE, "--vault", f"secretsmanager:{SECRET}"], ["secret", SECRET]], ids=str)
def test_what_the_journal_has_to_finish_is_rotated_into_no_other_vault(cloud, run: Run, folder, of):
    """P26: or the journal's older password would overrule the vault's, once it is recovered."""
    stage(folder, "Staged-passw0rd-0000!")

    done = run("rotate", *of)

    assert done.code == 78
    assert "rotate recover" in done.err
    assert cloud.pool.signs_in("alice", OLD)
    assert cloud.calls["PutSecretValue"] == 0


def test_recovery_of_everything_overrules_nobody_unless_the_account_is_named(cloud, run: Run, folder):
    """P26: somebody has reset the password since; the journal's candidate is set only on request."""
    stage(folder, "Staged-passw0rd-0000!", current=Secret(OLD))
    cloud.pool.users["alice"].set_password("By-the-helpdesk-00!", "CONFIRMED")

    everything = run("rotate", "recover")
    assert (everything.code, everything.out) == (4, "")
    assert cloud.pool.signs_in("alice", "By-the-helpdesk-00!")

    named = run("rotate", "recover", *ALICE, "--vault", "stdout")
    assert (named.code, named.out) == (0, "Staged-passw0rd-0000!\n")


def test_configured_vault_is_a_pattern(cloud, run: Run, monkeypatch):
    """rotation.vault names the secret of each account by {username}."""
    monkeypatch.setenv("COGNITO_SCIM_ROTATION__VAULT", "secretsmanager:pool/{username}")

    done = run("rotate", *ALICE)

    assert done.code == 0
    assert done.out.startswith(f"cognito-user {POOL_ID}/alice: rotated; the new password is in secret {SECRET};")
    assert cloud.pool.signs_in("alice", kept(cloud)["password"])


def test_standard_output_has_the_password_and_nothing_else(cloud, run: Run):
    """P26: on explicit request the live password alone is on stdout; the rest is on stderr."""
    done = run("rotate", *ALICE, "--vault", "stdout")

    assert done.code == 0
    assert cloud.pool.signs_in("alice", done.out.removesuffix("\n"))
    assert "rotated" in done.err
    assert done.out.strip() not in done.err


def test_standard_output_as_json_is_one_document(cloud, run: Run):
    """--json: one document, with the password in it."""
    done = run("rotate", *ALICE, "--vault", "stdout", "--json")

    assert done.document.keys() == {"account", "vault", "password"}
    assert cloud.pool.signs_in("alice", done.document["password"])


@pytest.mark.parametrize("mode", ["self", "admin"])
def test_own_way_to_standard_output_reads_the_current_password(cloud, run: Run, folder: Path, mode):
    """--mode self: the current password comes from a file, never from an argument."""
    (folder / "current").write_text(f"{OLD}\n")

    done = run(
        "rotate", *ALICE, "--vault", "stdout", "--mode", mode, "--current-password-file", str(folder / "current")
    )

    assert done.code == 0
    assert cloud.pool.signs_in("alice", done.out.removesuffix("\n"))
    assert cloud.calls["ChangePassword" if mode == "self" else "AdminSetUserPassword"] == 1


def test_iam_user_is_rotated_and_called_not_verifiable(cloud, run: Run):
    """P26: IAM gives no proof, and the result says so."""
    done = run("rotate", "iam-user", "service", "--vault", "stdout")

    assert done.code == 0
    assert cloud.account.users["service"].password == done.out.removesuffix("\n")
    assert "not verifiable" in done.err


def test_secret_without_function_is_rotated_in_place(cloud, run: Run):
    """`rotate secret`: the secret says whose password it is."""
    done = run("rotate", "secret", SECRET)

    assert done.code == 0
    assert cloud.pool.signs_in("alice", kept(cloud)["password"])


@pytest.mark.parametrize(("finishes", "code"), [(True, 0), (False, 75)])
def test_secret_with_a_function_is_left_to_it(cloud, run: Run, finishes, code):
    """`rotate secret` asks Secrets Manager, and waits until the new version is current."""
    secret = cloud.secrets.secret(SECRET)
    secret.rotation_enabled = True

    def rotate_secret(asked):
        secret.versions[asked["ClientRequestToken"]] = "{}"
        secret.move("AWSCURRENT" if finishes else "AWSPENDING", asked["ClientRequestToken"])
        return {"ARN": secret.arn}

    cloud._signed["RotateSecret"] = rotate_secret
    done = run("rotate", "secret", SECRET, "--wait", "0")

    assert done.code == code
    assert cloud.calls["AdminSetUserPassword"] == 0
    assert ("own function" in done.out) is finishes


def test_verify_tells_which_value_signs_in(cloud, run: Run):
    """P26: 0 where the current value signs in, 4 where readers would fail."""
    good = run("rotate", "verify", *ALICE, "--vault", f"secretsmanager:{SECRET}", "--json")
    cloud.pool.add_user("alice", "Somebody-else-1")
    bad = run("rotate", "verify", *ALICE, "--vault", f"secretsmanager:{SECRET}")

    assert (good.code, good.document["live"]) == (0, "current")
    assert (bad.code, "no value" in bad.out) == (4, True)


def test_recover_finishes_what_the_journal_keeps(cloud, run: Run, folder: Path):
    """P26: after a crash, `rotate recover` sets, proves and prints the same password."""
    stage(folder, "Staged-passw0rd-1")

    done = run("rotate", "recover")

    assert (done.code, done.out) == (0, "Staged-passw0rd-1\n")
    assert cloud.pool.signs_in("alice", "Staged-passw0rd-1")
    assert "Nothing is pending in the journal.\n" in run("rotate", "recover").err


def test_recover_of_one_account_begins_nothing(cloud, run: Run):
    """P26: where nothing is pending, recover changes nothing."""
    done = run("rotate", "recover", *ALICE, "--vault", f"secretsmanager:{SECRET}", "--json")

    assert (done.code, done.document["outcome"]) == (0, "nothing pending")
    assert cloud.pool.signs_in("alice", OLD)


@pytest.mark.parametrize("of", [[], [*ALICE, "--vault", "stdout"]], ids=["everything", "one account"])
def test_recover_discards_what_cannot_end_and_begins_nothing(cloud, run: Run, folder: Path, of):
    """P26: --discard-unfit leaves the password as it is, prints none, and leaves nothing to recover."""
    stage(folder, "weak", current=Secret(OLD))

    kept_back = run("rotate", "recover", *of)
    done = run("rotate", "recover", *of, "--discard-unfit", "--json")

    told = json.loads(done.out) if of else json.loads(done.out)[0]
    assert (kept_back.code, "--discard-unfit" in kept_back.err) == (78, True)
    assert (done.code, told["outcome"], told["proof"]) == (0, "discarded", "accepted")
    assert cloud.pool.signs_in("alice", OLD)
    assert cloud.calls["AdminSetUserPassword"] == 0
    assert "Nothing is pending" not in done.err
    idle = run("rotate", "recover", *ALICE, "--vault", "stdout")
    assert (idle.code, idle.out, "nothing is pending" in idle.err) == (4, "", True)


@pytest.mark.usefixtures("cloud")
def test_entry_that_fails_stops_no_other(run: Run, folder: Path):
    """P26: each entry of the journal is for itself; the exit code is that of the first failure."""
    stage(folder, "Staged-passw0rd-1")
    stage(folder, "Staged-passw0rd-2", "cognito-user eu-west-1_Other/alice")
    stage(folder, "Staged-passw0rd-3", f"cognito-user {POOL_ID}/nobody")

    done = run("rotate", "recover", "--json")

    listed = json.loads(done.out)
    assert done.code == 78
    assert [entry.get("password") for entry in listed].count("Staged-passw0rd-1") == 1
    assert sorted(entry["exit_code"] for entry in listed if "error" in entry) == [78, 78]


@pytest.mark.usefixtures("cloud")
def test_json_of_an_empty_journal_is_an_empty_list(run: Run):
    """--json: one document, whatever there is."""
    assert json.loads(run("rotate", "recover", "--json").out) == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("cognito-user", "bob", "--vault", "stdout"), 78, "bob"),
        (("cognito-user", "carol", "--vault", "stdout"), 78, "rotation.allow"),
        (("cognito-user", "alice"), 78, "No vault"),
        (("cognito-user", "alice", "--vault", "paper"), 2, "is not a vault"),
        (("iam-user", "service", "--vault", f"secretsmanager:{SECRET}"), 78, "another account than service"),
        (("cognito-user", "alice", "--vault", "secretsmanager:missing"), 78, "secret missing"),
        (("recover", "cognito-user"), 2, "NAME"),
        (("verify", "iam-user", "service", "--vault", "stdout", "--mode", "self"), 78, "no own way"),
        (("cognito-user", "alice", "--vault", "stdout", "--mode", "self"), 78, "--current-password-file"),
        (
            ("cognito-user", "alice", "--vault", f"secretsmanager:{SECRET}", "--mode", "self", "--sign-out"),
            78,
            "sessions",
        ),
        (("cognito-user", "alice", "--vault", "stdout", "--current-password-file", "/dev/null"), 2, "empty"),
    ],
)
def test_what_cannot_be_rotated_is_told_with_the_exit_code_of_the_contract(cloud, run: Run, arguments, code, words):
    """78 configuration, 2 usage; nothing is written."""
    cloud.pool.add_user("carol", OLD)

    done = run("rotate", *arguments)

    assert done.code == code
    assert words in done.err
    assert cloud.calls["AdminSetUserPassword"] + cloud.calls["PutSecretValue"] == 0


def test_client_and_key_are_missed_before_anything_is_asked(cloud, run: Run, folder: Path, monkeypatch):
    """Without a client nothing can be proved, without a key nothing can be kept: exit code 78."""
    monkeypatch.delenv("COGNITO_SCIM_ROTATION__JOURNAL_KEY_FILE")
    unsealed = run("rotate", *ALICE, "--vault", "stdout")
    (folder / "config.yaml").write_text(CONFIG.replace("  client_id: app\n", ""))
    unproven = run("rotate", *ALICE, "--vault", "stdout")

    assert (unsealed.code, "openssl rand" in unsealed.err) == (78, True)
    assert (unproven.code, "--no-verify" in unproven.err) == (78, True)
    assert cloud.calls["AdminSetUserPassword"] == 0


def test_denied_rotation_has_the_exit_code_of_denial(cloud, run: Run):
    """77: AWS refuses the caller; the message names the action to allow."""
    cloud.deny("AdminSetUserPassword")

    done = run("rotate", *ALICE, "--vault", f"secretsmanager:{SECRET}")

    assert (done.code, "cognito-idp:AdminSetUserPassword" in done.err) == (77, True)
    assert cloud.pool.signs_in("alice", OLD)


def test_reader_who_went_away_finds_the_password_in_the_journal(cloud, run: Run, monkeypatch):
    """P26: a broken pipe is no success; recover prints the password that is live."""
    with monkeypatch.context() as patched:
        patched.setattr("connector.cli.rotate.click.echo", _break_pipe)
        broken = run("rotate", *ALICE, "--vault", "stdout")

    assert broken.code == 75
    assert not cloud.pool.signs_in("alice", OLD)
    assert cloud.pool.signs_in("alice", run("rotate", "recover").out.removesuffix("\n"))


def _break_pipe(*_, err=False, **__):
    if not err:
        raise BrokenPipeError(32, "Broken pipe")


def test_file_is_synced_before_the_rotation_has_come_to_its_end(cloud, run: Run, folder: Path, monkeypatch):
    """P26: a disk that fails is told while the journal still has the rotation as pending."""
    with (folder / "out").open("w") as out, monkeypatch.context() as patched:
        patched.setattr("sys.stdout", out)
        patched.setattr("connector.cli.password_output.os.fsync", _fail_to_sync(out.fileno()))
        code = execute(("rotate", *ALICE, "--vault", "stdout"))

    again = run("rotate", "recover")

    assert code == 75
    assert (folder / "out").read_text() == again.out
    assert cloud.pool.signs_in("alice", again.out.removesuffix("\n"))


@pytest.mark.parametrize(("redirection", "recovers"), [(">&-", ""), (">/dev/full", ""), (">/dev/full", "--json")])
def test_stdout_that_cannot_be_written_is_no_success_and_loses_nothing(cloud, run: Run, redirection, recovers):
    """P26: closed or full: 75, the way out is named, no traceback, and the journal has the password."""
    shell(f"rotate cognito-user alice --vault stdout {redirection}", code=75)
    told = shell(f"rotate recover {recovers} {redirection}", code=75)

    assert "rotate recover" in told
    assert "Traceback" not in told
    assert cloud.pool.signs_in("alice", run("rotate", "recover").out.removesuffix("\n"))


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_stderr_that_cannot_be_written_stops_no_rotation(cloud, redirection):
    """P26: the password is on stdout, and the exit code tells the truth."""
    shell(f"rotate cognito-user alice --vault stdout {redirection} >password", code=0)

    assert cloud.pool.signs_in("alice", Path("password").read_text().removesuffix("\n"))


def shell(line, *, code):
    """Run a command line in a shell; return what it told on stderr."""
    root = Path(__file__).parents[2]
    start = f"{sys.executable} -c 'from connector.cli.main import run; run()' {line}"
    done = subprocess.run(  # noqa: S602 - closes a stream, as only a shell does
        start, shell=True, env={**os.environ, "PYTHONPATH": str(root)}, stderr=subprocess.PIPE, timeout=60, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stderr.decode()


def _fail_to_sync(number):
    sync = os.fsync

    def fsync(file):
        if file == number:
            raise OSError(5, "Input/output error")
        sync(file)

    return fsync


def test_source_credentials_rotate_with_a_warning(cloud, run: Run, folder: Path, monkeypatch):
    """Without a role of its own a rotation works, and says that it should have one."""
    (folder / "config.yaml").write_text(CONFIG.replace(f"  role_arn: {ROLE_ARN}\n", ""))
    monkeypatch.delenv("COGNITO_SCIM_ROTATION__EXTERNAL_ID")

    done = run("rotate", *ALICE, "--vault", f"secretsmanager:{SECRET}")

    assert (done.code, "rotation.role_arn is not set" in done.err) == (0, True)
    assert cloud.calls["AssumeRole"] == 0


def test_debug_log_of_every_command_holds_no_secret(cloud, run: Run, folder: Path):
    """P27: with DEBUG logging, no password, session, token or hash is in any output but the one asked for."""
    (folder / "current").write_text(f"{OLD}\n")
    given = []
    outputs = []
    for arguments in (
        ("cognito-user", "alice", "--vault", f"secretsmanager:{SECRET}"),
        ("cognito-user", "alice", "--vault", f"secretsmanager:{SECRET}", "--mode", "self"),
        ("verify", *ALICE, "--vault", f"secretsmanager:{SECRET}"),
        ("cognito-user", "alice", "--vault", "stdout"),
        ("iam-user", "service", "--vault", "stdout"),
        ("recover",),
    ):
        done = run("--log-level", "debug", "rotate", *arguments)
        assert done.code == 0
        given += [done.out.strip()] if "stdout" in arguments else []
        outputs += [done.err] if "stdout" in arguments else [done.out, done.err]
    secret = cloud.secrets.secret(SECRET)
    passwords = {json.loads(text)["password"] for text in secret.versions.values()} | {OLD, *given}

    told = "".join(outputs)

    assert "DEBUG" in told.upper()
    assert not [password for password in passwords if password in told]
    assert not [
        word for word in (EXTERNAL_ID, ROTATOR.secret, KEY, "AccessToken", "SECRET_HASH", "eyJ") if word in told
    ]
