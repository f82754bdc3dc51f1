"""The configuration, as the rest of the house uses it."""

from connector.config.keys import variable
from connector.config.loader import EffectiveValue, effective, find_config, load_settings, load_values, reason_against
from connector.config.settings import Settings
from connector.config.values import Source as AttributeSource

__all__ = [
    "AttributeSource",
    "EffectiveValue",
    "Settings",
    "effective",
    "find_config",
    "load_settings",
    "load_values",
    "reason_against",
    "variable",
]
