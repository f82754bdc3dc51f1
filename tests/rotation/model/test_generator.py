"""The generator of passwords, over every policy that Cognito and IAM can have."""

import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import ConfigError
from connector.rotation.model.generator import SAFE_SYMBOLS, Recipe, generate
from connector.rotation.model.policy import COGNITO_SYMBOLS, IAM_DEFAULT, IAM_SYMBOLS, CharacterClass, PasswordPolicy
from connector.rotation.model.secret import Secret

POLICIES = st.builds(
    PasswordPolicy,
    minimum_length=st.integers(6, 99),
    maximum_length=st.sampled_from([99, 128, 256]),
    required=st.frozensets(st.sampled_from(CharacterClass)),
    least_classes=st.integers(0, 4),
    symbols=st.sampled_from([COGNITO_SYMBOLS, IAM_SYMBOLS]),
    history=st.integers(0, 24),
)
RECIPES = st.builds(Recipe, length=st.integers(1, 300))


@given(POLICIES, RECIPES)
def test_what_is_generated_conforms_to_the_policy(policy, recipe):
    """P26: a candidate meets every pool's and account's policy by construction."""
    password = generate(policy, recipe)

    assert policy.faults(password) == ()


@given(POLICIES, RECIPES)
def test_length_is_the_recipes_within_the_policy(policy, recipe):
    """P26: more characters where the policy demands more, fewer where it allows no more."""
    length = len(generate(policy, recipe).reveal())

    assert length == min(max(recipe.length, policy.minimum_length), policy.maximum_length)


@given(POLICIES)
def test_only_printable_characters_of_the_recipe_are_drawn(policy):
    """P26: no white space, which Cognito's PasswordType refuses, and no symbol that the policy does not count."""
    drawn = set(generate(policy).reveal())

    assert drawn <= set(string.ascii_letters + string.digits + SAFE_SYMBOLS) & set("".join(policy.classes().values()))


def test_every_conforming_password_is_equally_likely():
    """P26: drawing until it conforms favours none of the passwords that conform."""
    policy = PasswordPolicy(minimum_length=2, required=frozenset({CharacterClass.DIGIT, CharacterClass.LOWERCASE}))
    rounds = 4000

    drawn = Counter(generate(policy, Recipe(length=2, characters="ab1")).reveal() for _ in range(rounds))

    assert set(drawn) == {"a1", "b1", "1a", "1b"}
    # Five standard deviations of a fair draw: a fair generator fails this once in a million runs.
    assert all(abs(count - rounds / 4) < 5 * (rounds * 3 / 16) ** 0.5 for count in drawn.values())


def test_password_used_before_is_not_drawn_again():
    """P26: what the account has had is refused by its history."""
    policy = PasswordPolicy(minimum_length=1, required=frozenset())

    drawn = {generate(policy, Recipe(1, "ab"), avoid=[Secret("a")]).reveal() for _ in range(50)}

    assert drawn == {"b"}


@pytest.mark.parametrize(
    ("policy", "characters", "missing"),
    [
        (PasswordPolicy(), string.ascii_letters + string.digits, "symbol"),
        (PasswordPolicy(), string.ascii_lowercase + "1!", "uppercase"),
        (PasswordPolicy(symbols=IAM_SYMBOLS), string.ascii_letters + string.digits + '"', "symbol"),
        (IAM_DEFAULT, string.ascii_letters, "3 classes"),
        (PasswordPolicy(required=frozenset()), "\u00e9", "1 classes"),
    ],
)
def test_characters_that_cannot_meet_the_policy_are_a_fault_of_the_configuration(policy, characters, missing):
    """P26: rather than draw for ever, the generator says which class the characters lack."""
    with pytest.raises(ConfigError, match=missing):
        generate(policy, Recipe(characters=characters))
