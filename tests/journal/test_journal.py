"""The journal, and the vault that hands a password over: killed anywhere, they lose nothing."""

import logging
import os
import stat
from contextlib import suppress
from dataclasses import replace

import pytest

from connector.errors import RotationBusy, VaultUnavailable, VaultUnfit
from connector.journal.journal import Entry, Journal, Stage
from connector.journal.journal_vault import JournalVault
from connector.journal.seal import Sealer
from connector.rotation.model.policy import PasswordPolicy
from connector.rotation.model.ports import KeptPasswords
from connector.rotation.model.secret import Secret
from tests.rotation.engine.memory import IDENTITY, OLD, Crash, Failpoints, MemoryTarget, rotation

NEW, NEWER = Secret("New-password-00000"), Secret("Newer-password-000")
KEY = b"k" * 32
POLICY = PasswordPolicy()
ENTRY = Entry(IDENTITY, NEW, OLD, POLICY.digest(), "admin")


@pytest.fixture
def journal(tmp_path):
    """A journal in a directory that is not there yet."""
    return Journal(tmp_path / "journal", Sealer(KEY))


def files(journal, kind="entry"):
    """Return the files of a kind."""
    return sorted(journal._directory.glob(f"*.{kind}"))


def test_entry_is_found_again_by_another_process(journal, tmp_path):
    """P26: what was written is there after the process has ended."""
    journal.write(ENTRY)

    assert Journal(tmp_path / "journal", Sealer(KEY)).find(IDENTITY) == ENTRY
    assert journal.find("cognito-user pool/bob") is None


def test_several_accounts_have_an_entry_each(journal):
    """P26: one account's rotation leaves the others' alone."""
    bob = replace(ENTRY, account="cognito-user pool/bob", old=None)
    journal.write(ENTRY)
    journal.write(bob)

    assert journal.survey().entries == (ENTRY, bob)
    journal.remove(IDENTITY)
    assert journal.survey().entries == (bob,)


def test_journal_is_the_owners_alone(journal):
    """P27: directory 0700, files 0600, and no password in clear in any of them."""
    with journal.hold(IDENTITY):
        journal.write(ENTRY)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in journal._directory.iterdir()}
    contents = b"".join(path.read_bytes() for path in journal._directory.iterdir())
    assert (stat.S_IMODE(journal._directory.stat().st_mode), modes) == (0o700, {0o600})
    assert not [word for word in (OLD.reveal(), NEW.reveal(), "alice") if word.encode() in contents]


@pytest.mark.parametrize("step", ["fsync", "replace", "unlink"])
@pytest.mark.parametrize("nth", [1, 2])
def test_kill_while_writing_leaves_the_old_entry_or_the_new_one(journal, monkeypatch, step, nth):
    """P26: whichever call of the file system is the last one, an entry is whole."""
    journal.write(ENTRY)
    newer, calls = replace(ENTRY, new=NEWER), []

    def kill(real):
        def call(*args, **options):
            calls.append(step)
            if len(calls) == nth:
                raise Crash
            return real(*args, **options)

        return call

    owner = os if step == "fsync" else type(journal._directory)
    monkeypatch.setattr(owner, step, kill(getattr(owner, step)))
    with suppress(Crash):
        journal.write(newer)
    monkeypatch.undo()

    assert journal.find(IDENTITY) in (ENTRY, newer)
    journal.write(newer)
    assert journal.find(IDENTITY) == newer


def test_file_and_directory_are_synced_before_an_entry_counts_as_kept(journal, monkeypatch):
    """P26: the entry outlives a power cut: its content is synced before it is moved, the directory after."""
    done, sync, move = [], os.fsync, type(journal._directory).replace

    monkeypatch.setattr(os, "fsync", lambda file: (done.append(stat.S_ISDIR(os.fstat(file).st_mode)), sync(file)))
    monkeypatch.setattr(type(journal._directory), "replace", lambda *of: (done.append("moved"), move(*of)))
    journal.write(ENTRY)

    assert done == [False, "moved", True]


@pytest.mark.parametrize("damage", ["other key", "cut short", "other account's"])
def test_entry_that_does_not_open_is_told_and_kept(journal, tmp_path, damage):
    """P26: with a foreign key or a damaged file nothing is deleted, and the others can still be read."""
    bob = replace(ENTRY, account="cognito-user pool/bob")
    journal.write(ENTRY)
    [path] = files(journal)
    before = path.read_bytes()
    if damage == "cut short":
        path.write_bytes(before[:-1])
    if damage == "other account's":
        journal.write(bob)
        [other] = set(files(journal)) - {path}
        path.write_bytes(other.read_bytes())
    reader = Journal(tmp_path / "journal", Sealer(b"K" * 32)) if damage == "other key" else journal
    damaged = path.read_bytes()

    with pytest.raises(VaultUnfit, match=r"cannot be opened") as caught:
        reader.find(IDENTITY)

    survey = reader.survey()
    assert [str(path) in str(fault) for fault in survey.faults] == [True]
    assert survey.entries == ((bob,) if damage == "other account's" else ())
    assert path.read_bytes() == damaged
    assert "rotation.journal_key_file" in caught.value.remedy


def test_one_rotation_of_an_account_at_a_time(journal):
    """P26: the second one refuses; another account is free."""
    with journal.hold(IDENTITY):
        with journal.hold("cognito-user pool/bob"):
            pass
        with pytest.raises(RotationBusy) as caught, journal.hold(IDENTITY):
            raise AssertionError("never entered")

    assert caught.value.exit_code == 75
    with journal.hold(IDENTITY):
        pass


def test_journal_that_cannot_be_written_says_so(tmp_path):
    """P26: a candidate that cannot be kept is never set; the error has exit code 75."""
    (tmp_path / "file").write_text("no directory")
    journal = Journal(tmp_path / "file" / "journal", Sealer(KEY))

    for attempt in (lambda: journal.write(ENTRY), lambda: journal.hold(IDENTITY).__enter__()):
        with pytest.raises(VaultUnavailable) as caught:
            attempt()
        assert caught.value.exit_code == 75


def test_each_run_counts_as_an_attempt(journal, caplog):
    """P26: the log tells how often the same candidate was tried, and for which policy it was made."""
    caplog.set_level(logging.INFO)
    journal.write(ENTRY)

    for _ in range(2):
        with journal.hold(IDENTITY):
            pass

    assert journal.find(IDENTITY).attempt == 3
    assert f"attempt 3 with a candidate for policy {POLICY.digest()}" in caplog.text


def handing_over(journal, given, **options):
    """Return a vault that hands passwords to a list."""
    return JournalVault(journal, IDENTITY, hand_over=given.append, **options)


def test_password_is_handed_over_once_it_is_proven(journal):
    """P26: standard output receives the live password, and the journal is empty then."""
    given, target = [], MemoryTarget()

    rotation(target, handing_over(journal, given)).rotate()

    assert given == [target.password]
    assert journal.survey().entries == ()


def test_candidate_that_is_there_already_stays(journal):
    """P26: staging twice keeps the first candidate."""
    vault = handing_over(journal, [])

    assert vault.stage(NEW, policy=POLICY) == NEW
    assert vault.stage(NEWER, policy=POLICY) == NEW
    vault.discard_pending()
    assert vault.read() == KeptPasswords()


def test_current_password_is_kept_beside_the_candidate(journal):
    """P26, self-service: who resumes does not have to know the current password again."""
    handing_over(journal, [], mode="self", current=OLD).stage(NEW, policy=POLICY)

    assert handing_over(journal, []).read() == KeptPasswords(current=OLD, pending=NEW)
    assert handing_over(journal, [], current=NEWER).read() == KeptPasswords(current=NEWER, pending=NEW, previous=OLD)


def test_reader_who_goes_away_loses_no_password(journal):
    """P26: when standard output breaks, the entry stays and the next run hands the same password over."""
    target, given = MemoryTarget(), []

    def broken_pipe(_):
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        rotation(target, JournalVault(journal, IDENTITY, hand_over=broken_pipe)).rotate()
    rotation(target, handing_over(journal, given)).recover()

    assert given == [target.password]


@pytest.mark.parametrize("nth", range(1, 9))
@pytest.mark.parametrize("step", ["fsync", "replace", "unlink", "exists", "read_bytes"])
def test_kill_at_any_call_of_the_file_system_loses_no_password(journal, monkeypatch, step, nth):
    """P26: at every instant the live password is the old one or in the journal; the next run hands it over."""
    points, given, calls = Failpoints(), [], []
    target = MemoryTarget(points)
    owner = os if step == "fsync" else type(journal._directory)
    real = getattr(owner, step)

    def kill(*args, **options):
        calls.append(step)
        if len(calls) == nth:
            raise Crash
        return real(*args, **options)

    monkeypatch.setattr(owner, step, kill)
    with suppress(Crash):
        rotation(target, handing_over(journal, given)).rotate()
    monkeypatch.undo()
    entry = journal.find(IDENTITY)
    assert target.password in (OLD, *([entry.new] if entry else ()), *given)

    rotation(target, handing_over(journal, given)).rotate()

    assert given[-1] == target.password != OLD
    assert journal.survey().entries == ()


def test_copy_of_what_was_handed_over_stays_until_the_next_rotation(journal):
    """P26: that a pipe took the password says not that somebody has read it; the copy is pending no more."""
    given, target = [], MemoryTarget()
    rotation(target, handing_over(journal, given)).rotate()
    first = journal.find(IDENTITY, Stage.GIVEN).new

    rotation(target, handing_over(journal, given)).rotate()

    assert first == given[0] != given[1] == target.password == journal.find(IDENTITY, Stage.GIVEN).new
    assert len(files(journal, "given")) == 1


def test_copy_is_the_current_password_of_the_next_rotation(journal):
    """P26, self-service: what was handed over sets the next one."""
    target = MemoryTarget(needs_current=True)
    rotation(target, handing_over(journal, [], mode="self", current=OLD)).rotate()

    rotation(target, handing_over(journal, [], mode="self")).rotate()

    assert journal.find(IDENTITY, Stage.GIVEN).new == target.password


def test_copy_that_does_not_open_stops_no_rotation(journal, tmp_path):
    """P26: with another key the copy is of no help, and the next one replaces it."""
    rotation(MemoryTarget(), handing_over(journal, [])).rotate()
    other = Journal(tmp_path / "journal", Sealer(b"K" * 32))

    rotation(MemoryTarget(), handing_over(other, [])).rotate()

    assert other.survey(Stage.GIVEN).faults == ()


@pytest.mark.parametrize("mode", [0o777, 0o720, 0o702])
def test_journal_that_others_may_write_into_is_refused(journal, mode):
    """P26: who may write there could remove the only copy of a password, so none is put there."""
    journal._directory.mkdir()
    journal._directory.chmod(mode)

    with pytest.raises(VaultUnfit, match="Others may write"):
        journal.write(ENTRY)

    assert files(journal) == []


def test_own_way_without_current_password_leaves_no_candidate(journal):
    """P26: what cannot be set is not begun, so the administrator's way is free for the next rotation."""
    with pytest.raises(VaultUnfit, match="current password") as caught:
        rotation(MemoryTarget(needs_current=True), handing_over(journal, [], mode="self")).rotate()

    assert "--current-password-file" in caught.value.remedy
    assert files(journal) == []


def test_journal_of_another_owner_is_refused(journal, monkeypatch):
    """P27: whoever owns the directory could plant files in it, or take the only copy of a password."""
    journal.write(ENTRY)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)

    for use in (lambda: journal.write(ENTRY), lambda: journal.find(IDENTITY), journal.survey):
        with pytest.raises(VaultUnfit, match="belongs to another user"):
            use()


def test_journal_that_is_a_link_is_refused(journal, tmp_path):
    """P27: a link may lead to a place of somebody else's choice."""
    journal.write(ENTRY)
    (tmp_path / "link").symlink_to(journal._directory)
    linked = Journal(tmp_path / "link", Sealer(KEY))

    with pytest.raises(VaultUnfit, match="symbolic link"), linked.hold(IDENTITY):
        pass
    with pytest.raises(VaultUnfit, match="symbolic link"):
        linked.find(IDENTITY)


@pytest.mark.parametrize("kind", ["lock", "entry", "unfinished"])
def test_planted_link_makes_nobody_write_or_read_elsewhere(journal, tmp_path, kind):
    """P27: a lock, an entry or an unfinished one that is a link is not followed."""
    journal.write(ENTRY)
    name = files(journal)[0].with_suffix(f".{kind}")
    name.unlink(missing_ok=True)
    elsewhere = tmp_path / "elsewhere"
    name.symlink_to(elsewhere)

    with suppress(VaultUnavailable), journal.hold(IDENTITY):
        journal.write(ENTRY)
    assert not elsewhere.exists()
