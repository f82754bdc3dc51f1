"""Who keeps a contested user name."""

from hypothesis import given
from hypothesis import strategies as st

from connector.directory.contested_names import SUB, USERNAME, WANTED, losers
from connector.directory.contested_names import NameClaim as Claim
from connector.directory.rows import fold

OLD, NEW = "2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z"


def winner(*claims: Claim, owner: str | None = None) -> str | None:
    """Return the user who keeps the name."""
    fallen = losers(claims, owner=owner)
    kept = [claim.user_id for claim in claims if claim not in fallen]
    assert len(kept) <= 1
    return kept[0] if kept else None


def test_who_is_published_under_the_name_keeps_it():
    """P16: a newcomer never takes over an account that an importer linked by name."""
    assert (
        winner(Claim("a", WANTED, published=False, created=OLD), Claim("b", WANTED, published=True, created=NEW)) == "b"
    )


def test_the_older_user_keeps_the_name_when_neither_is_published():
    """P16: the first sync is as predictable as the second."""
    assert (
        winner(Claim("b", WANTED, published=False, created=OLD), Claim("a", WANTED, published=False, created=NEW))
        == "b"
    )


def test_a_wanted_name_wins_over_a_fallback():
    """P16: who falls back does not push others off their names."""
    assert (
        winner(Claim("a", USERNAME, published=True, created=OLD), Claim("b", WANTED, published=False, created=NEW))
        == "b"
    )


def test_a_sub_is_a_name_for_nobody_else():
    """P16: the last resort of a user cannot be taken by anybody, published or not."""
    assert winner(Claim("a", WANTED, published=True, created=OLD), owner="victim") is None
    assert winner(Claim("a", WANTED, published=True, created=OLD), Claim("x", SUB, published=False, created=NEW)) == "x"


claims = st.builds(
    Claim,
    user_id=st.uuids().map(str),
    rank=st.sampled_from([WANTED, USERNAME]),
    published=st.booleans(),
    created=st.sampled_from([OLD, NEW]),
)


@given(st.lists(claims, min_size=1, unique_by=lambda claim: claim.user_id), st.randoms(use_true_random=False))
def test_the_order_of_claims_does_not_matter(rivals, random):
    """P16: the same claims have the same winner, however they come."""
    shuffled = list(rivals)
    random.shuffle(shuffled)

    assert winner(*rivals) == winner(*shuffled)


def test_names_are_compared_without_case_and_in_one_normal_form():
    """P16: NFC and lower case (RFC 7643, section 2.1)."""
    assert fold("Zoe\u0308 BOB") == fold("zo\u00eb bob")
    assert fold("İ") != fold("i")
