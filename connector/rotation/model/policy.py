"""What a pool or an account demands of a password.

Cognito: PasswordPolicyType; IAM: GetAccountPasswordPolicy. Both name least lengths and character classes.
"""

import hashlib
import json
import string
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from connector.rotation.model.secret import Secret


class CharacterClass(StrEnum):
    """The kinds of character that policies distinguish."""

    UPPERCASE = "uppercase"
    LOWERCASE = "lowercase"
    DIGIT = "digit"
    SYMBOL = "symbol"


EVERY_CLASS = frozenset(CharacterClass)
COGNITO_SYMBOLS = string.punctuation
"""What Cognito counts as a symbol, but for the space, which its PasswordType refuses."""
IAM_SYMBOLS = "!@#$%^&*()_+-=[]{}|'"
"""What IAM counts as a symbol."""


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """The demands of one pool or account.

    Args:
        minimum_length: characters at least.
        maximum_length: characters at most; 256 with Cognito, 128 with IAM.
        required: classes of which a password needs a character.
        least_classes: classes that a password must mix, whichever they are (IAM's default: 3 of 4).
        symbols: what counts as a symbol.
        history: earlier passwords that are refused; from 1 on there is no way back to the one before.
        known: read from the target; False when it could not be, and this is an assumption.
    """

    minimum_length: int = 16
    maximum_length: int = 256
    required: frozenset[CharacterClass] = EVERY_CLASS
    least_classes: int = 0
    symbols: str = COGNITO_SYMBOLS
    history: int = 0
    known: bool = True

    def classes(self) -> Mapping[CharacterClass, str]:
        """Return the characters of each class."""
        return {
            CharacterClass.UPPERCASE: string.ascii_uppercase,
            CharacterClass.LOWERCASE: string.ascii_lowercase,
            CharacterClass.DIGIT: string.digits,
            CharacterClass.SYMBOL: self.symbols,
        }

    def faults(self, password: Secret) -> tuple[str, ...]:
        """Return what the policy has against a password, in words that do not show it."""
        text = password.reveal()
        present = {name for name, characters in self.classes().items() if not set(text).isdisjoint(characters)}
        return (
            *((f"it has fewer than {self.minimum_length} characters",) if len(text) < self.minimum_length else ()),
            *((f"it has more than {self.maximum_length} characters",) if len(text) > self.maximum_length else ()),
            *(f"it has no {name}" for name in CharacterClass if name in self.required - present),
            *((f"it mixes fewer than {self.least_classes} classes",) if len(present) < self.least_classes else ()),
            *(("it has white space",) if any(character.isspace() for character in text) else ()),
        )

    def digest(self) -> str:
        """Return a short name of these demands, which changes when they do."""
        demands = {**asdict(self), "required": sorted(self.required)}
        return hashlib.sha256(json.dumps(demands, sort_keys=True).encode()).hexdigest()[:16]


ASSUMED = PasswordPolicy(known=False)
"""What is assumed of a Cognito pool whose policy may not be read: stricter than most."""
IAM_DEFAULT = PasswordPolicy(
    minimum_length=8, maximum_length=128, required=frozenset(), least_classes=3, symbols=IAM_SYMBOLS
)
"""What IAM demands in an account without a policy of its own."""
