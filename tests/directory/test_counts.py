import pytest

from connector.directory.counts import count_of


@pytest.mark.parametrize(
    ("number", "noun", "many", "said"),
    [
        (0, "user", "", "0 users"),
        (1, "user", "", "1 user"),
        (2, "user", "", "2 users"),
        (1, "match", "matches", "1 match"),
        (1200, "match", "matches", "1,200 matches"),
    ],
)
def test_a_number_and_its_noun_agree(number: int, noun: str, many: str, said: str) -> None:
    """One is told of as one, everywhere."""
    assert count_of(number, noun, many) == said
