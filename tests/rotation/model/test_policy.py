"""What a policy has against a password, and the wrapper that keeps one out of sight."""

import pickle
from dataclasses import replace

import pytest

from connector.rotation.model.policy import ASSUMED, IAM_DEFAULT, CharacterClass, PasswordPolicy
from connector.rotation.model.secret import Secret

LOOSE = PasswordPolicy(minimum_length=1, required=frozenset())


@pytest.mark.parametrize(
    ("policy", "password", "faults"),
    [
        (replace(LOOSE, minimum_length=3), "ab", ("it has fewer than 3 characters",)),
        (replace(LOOSE, maximum_length=3), "abcd", ("it has more than 3 characters",)),
        (replace(LOOSE, required=frozenset({CharacterClass.UPPERCASE})), "a1!", ("it has no uppercase",)),
        (replace(LOOSE, required=frozenset({CharacterClass.LOWERCASE})), "A1!", ("it has no lowercase",)),
        (replace(LOOSE, required=frozenset({CharacterClass.DIGIT})), "aA!", ("it has no digit",)),
        (
            replace(LOOSE, required=frozenset({CharacterClass.SYMBOL})),
            "aA1 ",
            ("it has no symbol", "it has white space"),
        ),
        (IAM_DEFAULT, "abcdefgh1", ("it mixes fewer than 3 classes",)),
        (IAM_DEFAULT, 'Abcdefgh"', ("it mixes fewer than 3 classes",)),
        (IAM_DEFAULT, "Abcdefgh1", ()),
        (ASSUMED, "Sixteen-charact3", ()),
    ],
)
def test_policy_names_what_it_has_against_a_password(policy, password, faults):
    """P26: a value that the target would refuse is known before it is sent."""
    assert faults == policy.faults(Secret(password))


def test_digest_changes_with_the_demands_alone():
    """P26: the journal can tell that a policy has changed since."""
    assert LOOSE.digest() == replace(LOOSE).digest()
    assert LOOSE.digest() != replace(LOOSE, history=1).digest()


def test_secret_never_shows_itself():
    """P27: neither repr, str, format nor a pickle gives a secret away."""
    secret = Secret("canary")

    assert not any("canary" in shown for shown in (repr(secret), str(secret), f"{secret}", f"{[secret]}"))
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret)


def test_secrets_are_equal_by_their_text():
    """A value read back is the one that was stored."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


def test_empty_secret_does_not_exist():
    """Nobody's password is empty; an empty value is a fault of who wrote it."""
    with pytest.raises(ValueError, match="never empty"):
        Secret("")
