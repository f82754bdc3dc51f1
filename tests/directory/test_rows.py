import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.directory.rows import fold


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("GROSS", "groß"),
        ("GROSS", "GRO\N{LATIN CAPITAL LETTER SHARP S}"),
        ("CAFE\N{COMBINING ACUTE ACCENT}", "café"),
        ("\N{ANGSTROM SIGN}ke", "åke"),
        ("\N{LATIN SMALL LIGATURE FI}n", "FIN"),
    ],
)
def test_names_that_differ_only_in_case_are_equal(one: str, other: str) -> None:
    """P16, RFC 7643, section 2.2: whatever the language."""
    assert fold(one) == fold(other)


def test_letters_that_differ_stay_different() -> None:
    """P16: the fold takes no accents away, and no dot of a Turkish i."""
    assert (
        len(
            {
                fold(name)
                for name in (
                    "Zoe",
                    "Zoë",
                    "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}sa",
                    "Isa",
                    "\N{LATIN SMALL LETTER DOTLESS I}sa",
                )
            }
        )
        == 5
    )


def test_a_word_is_found_by_its_beginning() -> None:
    """RFC 7644, section 3.4.2.2, `sw`: a sigma at the end of what is asked for stands within the word."""
    assert fold("ΣΊΣΥΦΟΣ").startswith(fold("ΣΊΣ"))


@given(st.text())
@example("\u03b1\u0345\u0301")
@example("\u01f0\u0390\u1e96")
def test_a_folded_name_stays_as_it_is(name: str) -> None:
    """P16: stored keys are compared as they are, and what was stored in lower case can be folded from there."""
    folded = fold(name)

    assert fold(folded) == folded == fold(unicodedata.normalize("NFD", name))
    assert fold(unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).lower())) == folded
