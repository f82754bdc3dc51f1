"""What earlier versions sealed: still opened, and sealed anew when its account is next held."""

import base64
import hashlib

import pytest

from connector.errors import VaultUnfit
from connector.journal.journal import Journal, Stage
from connector.journal.old_seal import derive
from connector.journal.seal import BrokenSeal, Sealer, is_outdated
from tests.rotation.engine.memory import IDENTITY

KEY = b"k" * 32
SEALED = base64.b64decode(
    "Y29nbml0by1zY2ltIGpvdXJuYWwgMQojxHoyOOPYPhTgenJRV4Y9knkgRU+5O3NelRYrpcDWVlnwcqc8mFDA/w/ViG5dBQ+op2aN"
    "Mu3iXIzhO+h5mUVujOyaC4jnUBZK38cYfzXnHppaEyR/OYsGmaeVoZYVqPifdmp0qZgKuWHcxZhzbFmp13u91KLowG2xWOVe8Q2e"
    "wxoZac/i4UEz4khbHa2+qGbopTrl68oPkLlHQ5WuIgXCYwxmstTnGmijTNRP/LKMbdVLlAZfeDoJPeWQ8fMk4K+SON0TOqcH1/Vv"
    "J0Xqs/Ls/z/yRJARsb4noP5my/wWSK+2yo9Q4lqQKNhG2NDs3Wx9huPCZLXAXL5Oi/6+sJxq0Eo8HvU+KorMjIeToxDMbMgGH0GX"
    "y7nXXfs55+IlUJ8MCsILv32md4FTt7Snkj2NF/btu+Lw1VudBYPxHbwL8ZbSFOeYmmSsgGeyYclXrEVBhm08smzPle/bvDMeFxRn"
    "rW+n0ZGaHEmFnqWfSxfXwG4IQaY1TdXs7v4IlIep8/w1AS8WR2MC0n2/XA4o9kyZtAZvWqO2JKuWmJMKuGZ+vvqFWwGOmgK6TFQ6"
    "ny38yOwhWshhUU+KHk6swZv1/E1LaDHLXuFS8Z5wcoF2ec+OVFoWVqJuJtlGS8gpviBsVMIeO/yFavq5elGzvSL7QgoeWMZQZhgn"
    "/p57ARvgA3MNuOtipC4kThC5GjvoC8Tp0bsm1OnVwUobbz96QhCwkD1z6P0g1/ujtvNKOTT9INlTRXkj57Sk1HM3xbd3+OGhPC4="
)
"""An entry of IDENTITY as the last version with the old seal wrote it."""


def entry_file(journal, stage=Stage.PENDING):
    """Return where the entry is."""
    return journal._directory / f"{hashlib.sha256(IDENTITY.encode()).hexdigest()[:32]}{stage}"


@pytest.fixture
def journal(tmp_path):
    """A journal with an entry that an earlier version left."""
    kept = Journal(tmp_path / "journal", Sealer(KEY))
    kept._directory.mkdir(mode=0o700)
    entry_file(kept).write_bytes(SEALED)
    return kept


def test_keys_are_derived_as_rfc_5869_says():
    """RFC 5869, appendix A.1: the published test case of HKDF with SHA-256."""
    key = bytes.fromhex("0b" * 22)
    salt, info = bytes(range(13)), bytes(range(0xF0, 0xFA))

    derived = derive(key, salt=salt, info=info, length=42)

    assert derived.hex() == ("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")


def test_what_was_sealed_the_old_way_is_still_opened(journal):
    """P26: an upgrade between a crash and its recovery loses no password."""
    (entry,) = journal.survey().entries

    assert (entry.account, entry.new.reveal()) == (IDENTITY, "New-password-00000")


def test_what_was_sealed_the_old_way_is_sealed_anew_when_its_account_is_held(journal):
    """P27: the old seal goes with the first rotation or recovery, and the entry stays as it was."""
    with journal.hold(IDENTITY):
        sealed = entry_file(journal).read_bytes()

        assert not is_outdated(sealed)
        assert journal.find(IDENTITY).new.reveal() == "New-password-00000"


@pytest.mark.parametrize("damage", ["bit", "cut", "key"])
def test_old_seal_that_is_broken_does_not_open_and_is_kept(journal, tmp_path, damage):
    """P26: a damaged entry is told, and left for the operator as it is."""
    damaged = {"bit": SEALED[:100] + bytes([SEALED[100] ^ 1]) + SEALED[101:], "cut": SEALED[:60], "key": SEALED}[damage]
    entry_file(journal).write_bytes(damaged)
    reader = Journal(tmp_path / "journal", Sealer(b"K" * 32)) if damage == "key" else journal

    with pytest.raises(VaultUnfit), reader.hold(IDENTITY):
        pass
    assert entry_file(journal).read_bytes() == damaged
    with pytest.raises(BrokenSeal):
        Sealer(b"K" * 32 if damage == "key" else KEY).open(damaged, about=entry_file(journal).name.encode())
