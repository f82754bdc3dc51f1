"""The log of the rotation function: one JSON object a line, with the keys that a Logs Insights query asks for.

JSON keeps every text of an event inside its quotes, so that no field can forge a line (CWE-117).
"""

import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """Formats records as JSON.

    Args:
        keys: what every line says besides.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        super().__init__()
        self._keys = keys

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record; never its traceback, which may show what it was called with."""
        line = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": record.getMessage(),
            **self._keys,
            **getattr(record, "keys", {}),
        }
        return json.dumps(line)


@contextmanager
def json_log(**keys: str) -> Iterator[logging.Logger]:
    """Write what the program logs within a block to standard output, which is the function's log.

    Only our own logger is heard: botocore's would show requests.
    """
    logger = logging.getLogger("connector")
    handler, before = logging.StreamHandler(sys.stdout), (logger.level, logger.propagate)
    handler.setFormatter(JsonLines(keys))
    logger.addHandler(handler)
    logger.setLevel(_level())
    logger.propagate = False  # Lambda's own handler on the root logger would repeat every line
    try:
        yield logger
    finally:
        logger.removeHandler(handler)
        logger.level, logger.propagate = before


def _level() -> int:
    known = logging.getLevelNamesMapping()
    return known.get(os.environ.get("AWS_LAMBDA_LOG_LEVEL", ""), logging.INFO)
