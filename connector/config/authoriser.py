"""The settings of the Cognito Authoriser: its environment variables, and `~/.cognito-cli-config.json`.

They are read as keys of ours: variables over the configuration file, the JSON file beneath it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connector.config.keys import variable
from connector.errors import ConfigError

FIELDS = ("user_pool_id", "client_id", "identity_pool_id", "region")
"""What the JSON file holds."""
_KEYS = {
    "user_pool_id": "cognito.user_pool_id",
    "client_id": "login.client_id",
    "identity_pool_id": "login.identity_pool_id",
    "region": "login.lambda_region",
}
_VARIABLES = {
    "COGNITO_USER_POOL_ID": "cognito.user_pool_id",
    "COGNITO_CLIENT_ID": "login.client_id",
    "COGNITO_CLIENT_SECRET": "login.client_secret",
    "COGNITO_IDENTITY_POOL_ID": "login.identity_pool_id",
    "AWS_REGION": "login.lambda_region",
}


def file_of(environment: Mapping[str, str]) -> Path:
    """Return where the Authoriser's configuration file is."""
    home = environment.get("HOME")
    return (Path(home) if home else Path("~").expanduser()) / ".cognito-cli-config.json"


def read_file(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what the file says, empty if there is none.

    Raises:
        ConfigError: it is broken.
    """
    path = file_of(environment)
    try:
        found: Any = json.loads(path.read_bytes())
        return {name: str(found[name]) for name in FIELDS if found.get(name)}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.", remedy="Look at its owner and mode.") from None
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ConfigError(
            f"{path} is not a JSON object.", remedy="Correct it, or write it anew: aws-cognito-auth configure"
        ) from None


def with_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the Authoriser's variables as ours, under those that are ours already."""
    named = {variable(key): environment[name] for name, key in _VARIABLES.items() if environment.get(name)}
    return named | dict(environment)


def with_file(
    environment: Mapping[str, str], said: Mapping[str, str], origins: Mapping[str, str], pool_id: str
) -> dict[str, str]:
    """Return the environment with what the file says of keys that nothing else gave.

    A file that is about another pool or client than the configuration says nothing here.

    Args:
        environment: with variables as `with_variables` returns them.
        said: as `read_file` returns it.
        origins: the keys that were given.
        pool_id: the configured pool; empty if there is none.
    """
    if "login.client_id" in origins and "cognito.user_pool_id" in origins:
        said = {name: value for name, value in said.items() if name not in ("user_pool_id", "client_id")}
    elif pool_id and said.get("user_pool_id", pool_id) != pool_id:
        return dict(environment)
    return dict(environment) | {
        variable(_KEYS[name]): value for name, value in said.items() if _KEYS[name] not in origins
    }
