"""What user pools and accounts ask of a password (Cognito: PasswordPolicyType; IAM: GetAccountPasswordPolicy)."""

from collections.abc import Iterator
from dataclasses import dataclass

COGNITO_SYMBOLS = set("^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+-")
IAM_SYMBOLS = set("!@#$%^&*()_+-=[]{}|'")


@dataclass
class PoolPolicy:
    """The PasswordPolicy of a user pool; `history` is PasswordHistorySize."""

    minimum: int = 8
    upper: bool = True
    lower: bool = True
    digits: bool = True
    symbols: bool = True
    history: int = 0

    def faults(self, password: str) -> Iterator[str]:
        """Say in Cognito's words what is wrong with a password."""
        if len(password) < self.minimum:
            yield "Password not long enough"
        if self.upper and not any(letter.isupper() for letter in password):
            yield "Password must have uppercase characters"
        if self.lower and not any(letter.islower() for letter in password):
            yield "Password must have lowercase characters"
        if self.digits and not any(letter.isdigit() for letter in password):
            yield "Password must have numeric characters"
        if self.symbols and not COGNITO_SYMBOLS & set(password):
            yield "Password must have symbol characters"

    def described(self) -> dict[str, object]:
        """Return the policy as DescribeUserPool shows it: without a history that is not kept."""
        shown: dict[str, object] = {
            "MinimumLength": self.minimum,
            "RequireUppercase": self.upper,
            "RequireLowercase": self.lower,
            "RequireNumbers": self.digits,
            "RequireSymbols": self.symbols,
            "TemporaryPasswordValidityDays": 7,
        }
        return shown | ({"PasswordHistorySize": self.history} if self.history else {})


@dataclass
class AccountPolicy:
    """An account's own password policy; `reuse` is PasswordReusePrevention."""

    minimum: int = 8
    upper: bool = False
    lower: bool = False
    digits: bool = False
    symbols: bool = False
    reuse: int = 0

    def allows(self, password: str) -> bool:
        """Say whether a password conforms."""
        return (
            self.minimum <= len(password) <= 128
            and (not self.upper or any(letter.isupper() for letter in password))
            and (not self.lower or any(letter.islower() for letter in password))
            and (not self.digits or any(letter.isdigit() for letter in password))
            and (not self.symbols or bool(IAM_SYMBOLS & set(password)))
        )


def default_allows(password: str) -> bool:
    """Say whether a password conforms in an account without a policy of its own: 8 characters, 3 of 4 classes."""
    classes = (str.isupper, str.islower, str.isdigit, IAM_SYMBOLS.__contains__)
    return 8 <= len(password) <= 128 and sum(any(map(kind, password)) for kind in classes) >= 3
