"""The seal of the journal: published vectors for its parts, and what it owes as a whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.journal.seal import BrokenSeal, Sealer, derive

KEY, OTHER_KEY = b"k" * 32, b"K" * 32


def test_keys_are_derived_as_rfc_5869_says():
    """RFC 5869, appendix A.1: the published test case of HKDF with SHA-256."""
    key = bytes.fromhex("0b" * 22)
    salt, info = bytes(range(13)), bytes(range(0xF0, 0xFA))

    derived = derive(key, salt=salt, info=info, length=42)

    assert derived.hex() == ("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")


@given(st.binary(max_size=2000), st.binary(max_size=40))
def test_what_was_sealed_opens(content, about):
    """P27: the right key gives back what was sealed, whatever it is."""
    sealed = Sealer(KEY).seal(content, about=about)

    assert Sealer(KEY).open(sealed, about=about) == content


@given(st.data())
def test_any_changed_bit_breaks_the_seal(data):
    """P27: nobody can alter an entry without being noticed."""
    sealed = bytearray(Sealer(KEY).seal(b"old and new", about=b"entry"))
    place = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[place // 8] ^= 1 << place % 8

    with pytest.raises(BrokenSeal):
        Sealer(KEY).open(bytes(sealed), about=b"entry")


@given(st.integers(0, 600))
def test_any_part_of_a_seal_is_none(length):
    """P26: a file that was cut short is told from a whole one."""
    sealed = Sealer(KEY).seal(b"old and new", about=b"entry")

    with pytest.raises(BrokenSeal):
        Sealer(KEY).open(sealed[: min(length, len(sealed) - 1)], about=b"entry")


@pytest.mark.parametrize(("key", "about"), [(OTHER_KEY, b"entry"), (KEY, b"another entry")])
def test_seal_opens_with_its_key_for_its_entry_alone(key, about):
    """P27: a foreign key does not open it, nor does it pass for another account's entry."""
    sealed = Sealer(KEY).seal(b"old and new", about=b"entry")

    with pytest.raises(BrokenSeal):
        Sealer(key).open(sealed, about=about)


def test_equal_contents_give_unlike_seals_of_one_length():
    """P27: neither equality nor the length of a password shows."""
    seals = [Sealer(KEY).seal(content, about=b"entry") for content in (b"a", b"a", b"a" * 300)]

    assert len(set(seals)) == 3
    assert len({len(seal) for seal in seals}) == 1


def test_key_stream_is_used_once():
    """P27: two seals under one key share no key stream: their masks differ."""
    one, other = (Sealer(KEY).seal(bytes(300), about=b"entry") for _ in range(2))

    assert one[60:300] != other[60:300]


def test_short_key_is_refused():
    """P27: fewer than 256 bits are no key."""
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(b"k" * 31)
