"""The seal of the journal: what it owes as a whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.journal.seal import BrokenSeal, Sealer

KEY, OTHER_KEY = b"k" * 32, b"K" * 32


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
    """P27: each seal has a key of its own, so that equal contents do not show."""
    one, other = (Sealer(KEY).seal(bytes(300), about=b"entry") for _ in range(2))

    assert one[60:300] != other[60:300]


def test_short_key_is_refused():
    """P27: fewer than 256 bits are no key."""
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(b"k" * 31)
