"""Who keeps a user name that several want (P16).

Names are compared as `fold` says. The user already published under the name keeps it, else the older one; the others
fall back to their Cognito username and at last to their sub, which nobody else may take as a name. The answer depends
on who wants what, never on the order in which they came.
"""

from collections.abc import Iterable
from dataclasses import dataclass

WANTED, USERNAME, SUB = range(3)


@dataclass(frozen=True, slots=True)
class NameClaim:
    """One user's claim to a name.

    Args:
        user_id: the sub of the user.
        rank: which name it is: WANTED, USERNAME, or SUB, the last resort that nobody can contest.
        published: whether the user is served under this name today.
        created: when the user was made, as RFC 3339 in UTC.
    """

    user_id: str
    rank: int
    published: bool
    created: str


def losers(claims: Iterable[NameClaim], *, owner: str | None = None) -> list[NameClaim]:
    """Return the claims that have to fall back.

    Args:
        claims: everybody who wants the same name.
        owner: the user whose sub the name is, if it is one.
    """
    in_order = sorted(claims, key=lambda claim: (claim.rank != SUB and claim.user_id != owner, *_standing(claim)))
    fallen = in_order[1:] if owner in {None, in_order[0].user_id} else in_order
    return [claim for claim in fallen if claim.rank != SUB]


def _standing(claim: NameClaim) -> tuple[int, bool, str, str]:
    return (claim.rank, not claim.published, claim.created, claim.user_id)
