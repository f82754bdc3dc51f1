"""A value that refuses to be printed."""

from typing import Any, Self


class Secret:
    """Holds whatever it is given, None and tuples included, as Keeper's does."""

    def __init__(self, secret: Any) -> None:
        self.value: Any = secret.value if isinstance(secret, Secret) else secret

    @property
    def value_strip(self) -> Any:
        """The value without surrounding blanks."""
        return self.value.strip() if isinstance(self.value, str) else self.value

    @property
    def bytes(self) -> bytes:
        """The value, encoded."""
        if not isinstance(self.value, str):
            raise TypeError("not a text")
        return self.value.encode()

    @staticmethod
    def get_value(secret: Any) -> Any:
        """Return what is inside, or the argument when it is no Secret."""
        return secret.value if isinstance(secret, Secret) else secret

    @classmethod
    def get_secret(cls, value: Any) -> Self | None:
        """Wrap a value that is not wrapped yet."""
        return value if value is None or isinstance(value, cls) else cls(value)

    def __str__(self) -> str:
        raise TypeError("Attempt to use a secret as a string.")

    def __repr__(self) -> str:
        return "Secret(XXXX)"
