"""What a page hands to the blueprint: the views behind each rule, by their methods."""

from collections.abc import Callable, Mapping
from typing import Protocol

from flask import Response

View = Callable[..., Response]
Views = Mapping[str, Mapping[str, View]]


class ConsolePage(Protocol):
    """A page, or several about one subject."""

    def views(self) -> Views:
        """Return the views behind each rule."""
