"""Draw a password that meets a policy.

Drawn until it conforms: every conforming password of the length is then equally likely, which "one of each class, then
fill and shuffle" does not give. How many draws that takes depends on the policy alone, never on a secret.
"""

import secrets
import string
from collections.abc import Collection
from dataclasses import dataclass

from connector.errors import ConfigError
from connector.rotation.model.policy import CharacterClass, PasswordPolicy
from connector.rotation.model.secret import Secret

SAFE_SYMBOLS = "!@#$%^&*()_+-=[]{}|"
"""Symbols that Cognito and IAM both count."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a password is made of, within the policy.

    Args:
        length: characters; more where the policy demands more, fewer where it allows no more.
        characters: those to draw from; any that no class of the policy counts are left out.
    """

    length: int = 32
    characters: str = string.ascii_letters + string.digits + SAFE_SYMBOLS


def generate(policy: PasswordPolicy, recipe: Recipe = Recipe(), *, avoid: Collection[Secret] = ()) -> Secret:
    """Return a password that the policy has nothing against.

    Args:
        policy: what is demanded.
        recipe: length and characters within it.
        avoid: passwords that were used before.

    Raises:
        ConfigError: nothing of these characters can meet the policy.
    """
    counted = "".join(policy.classes().values())
    alphabet = sorted(set(recipe.characters) & set(counted))
    _require_classes(policy, set(alphabet))
    length = _length(policy, recipe)
    while True:
        candidate = Secret("".join(secrets.choice(alphabet) for _ in range(length)))
        if candidate not in avoid and not policy.faults(candidate):
            return candidate


def _length(policy: PasswordPolicy, recipe: Recipe) -> int:
    least = max(policy.minimum_length, len(policy.required), policy.least_classes, 1)
    return max(least, min(recipe.length, policy.maximum_length))


def _require_classes(policy: PasswordPolicy, alphabet: set[str]) -> None:
    present = {name for name, characters in policy.classes().items() if not alphabet.isdisjoint(characters)}
    missing = [name.value for name in CharacterClass if name in policy.required - present]
    if missing or len(present) < max(policy.least_classes, 1):
        wanted = ", ".join(missing) or f"{max(policy.least_classes, 1)} classes of character"
        raise ConfigError(
            f"No password can be drawn: the policy demands {wanted}, which the given characters do not have.",
            remedy="Give characters of every class, symbols among them, or leave the setting out.",
        )
