"""A line for every request: when, who, what, how it was answered, and under which id the rest of the log speaks of it.

Neither the query nor a header is written: a filter names people, and a header holds the credential (P27). What callers
without a credential cause is counted after a few lines, so that a stranger fills no disk.
"""

import logging
import time

from flask import Flask, Response, g, request

_log = logging.getLogger("connector.requests")
_strangers = logging.getLogger("connector.web.requests")
_LONGEST_PATH = 200


def log_requests(app: Flask) -> None:
    """Write a line for every request of an application whose requests are measured, when its answer is complete."""

    @app.after_request
    def end(response: Response) -> Response:
        client = g.client.name if "client" in g else ""
        told = {
            "client": client or "-",
            "method": request.method,
            "path": request.path[:_LONGEST_PATH],
            "status": response.status_code,
            "rows": g.get("rows", "-"),
            "generation": g.get("generation", "-"),
            "milliseconds": round((time.perf_counter() - g.began) * 1000, 1),
            "request_id": g.request_id,
        }
        line = " ".join(f"{name}=%({name})s" for name in told)
        (_log if client else _strangers).info(line, told, extra={"fields": told})
        return response
