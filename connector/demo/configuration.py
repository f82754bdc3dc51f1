"""The configuration of the demonstration: files that only their owner can read, in a folder that goes away."""

import os
from pathlib import Path

import yaml

from connector.demo.embedded import EmbeddedPool

_ONLY_OWNER = 0o600


def write_configuration(pool: EmbeddedPool, folder: Path, *, port: int) -> Path:
    """Write config.yaml, the two secrets beside it, and return where it is.

    Args:
        pool: the pool to be read.
        folder: where the store goes, too.
        port: where to serve.
    """
    secrets = {
        "secret_access_key_file": _write(folder / "secret_access_key", pool.secret_access_key),
        "external_id_file": _write(folder / "external_id", pool.external_id),
    }
    document = {
        "cognito": {"region": pool.region, "user_pool_id": pool.pool_id},
        "aws": {"access_key_id": pool.access_key_id, "role_arn": pool.role_arn}
        | {key: str(path) for key, path in secrets.items()},
        "store": {"url": f"sqlite:///{folder / 'cognito-scim.db'}"},
        "server": {"port": port},
    }
    return _write(folder / "config.yaml", yaml.safe_dump(document, sort_keys=False))


def _write(path: Path, text: str) -> Path:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _ONLY_OWNER), "w", encoding="utf-8") as file:
        file.write(text)
    return path
