"""The WSGI application, put together from its services; `connector.web.app:create_app` runs under any WSGI server."""

import uuid
from urllib.parse import urlsplit
from wsgiref.types import WSGIApplication

from flask import Flask, Response, abort, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from connector.web.access.authentication import require_client
from connector.web.access.limits import RateLimits
from connector.web.access.sign_ins import CallerActivity
from connector.web.access.token_endpoint import token_blueprint
from connector.web.api.endpoint import api_blueprint
from connector.web.console.endpoint import console_blueprint
from connector.web.fault_answers import answer_faults
from connector.web.http.one_connection import OneConnection
from connector.web.http.request_bodies import MAX_CONTENT_BYTES, READ_BYTES
from connector.web.http.tolerant_paths import TolerantPaths
from connector.web.operations.health import health_blueprint
from connector.web.operations.latency import Latencies, measure_requests
from connector.web.operations.metrics import metrics_blueprint
from connector.web.operations.request_log import log_requests
from connector.web.scim.endpoint import scim_blueprint
from connector.web.scim.scim_faults import SCIM
from connector.web.services import Services

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create_app(services: Services | None = None) -> Flask:
    """Return the application.

    Args:
        services: what it works with; None = as the configuration of this machine says.
    """
    if services is None:
        # The door for a server of one's own is the one place that looks up (see the import contract).
        from connector.bootstrap.serving import web_services  # noqa: PLC0415

        services = web_services()
    app = Flask("connector.web", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=READ_BYTES, PROVIDE_AUTOMATIC_OPTIONS=False)
    # Paths arrive in canonical form, so no rule ever redirects, which would follow the Host header.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    latencies = Latencies()
    measure_requests(app, latencies)
    app.before_request(_name_request)
    if services.logs_requests:
        log_requests(app)
    limits = RateLimits(services.requests_per_second_per_client, services.clock)
    sign_ins = CallerActivity(services.audit)
    require_client(app, services.clients, limits, sign_ins)
    app.before_request(_refuse_large_body)
    app.after_request(_protect)
    answer_faults(app, SCIM)
    app.register_blueprint(health_blueprint(services.measures, interval=services.sync_interval, clock=services.clock))
    app.register_blueprint(metrics_blueprint(services, latencies))
    app.register_blueprint(scim_blueprint(services))
    app.register_blueprint(api_blueprint(services))
    app.register_blueprint(token_blueprint(services.clients, limits, sign_ins))
    if services.console:
        app.register_blueprint(console_blueprint(services, services.console, limits, sign_ins))
    _wrap(app, services)
    return app


def _name_request() -> None:
    g.request_id = uuid.uuid4().hex


def _refuse_large_body() -> None:
    """Refuse a body that is too large where a body is read; any other write is refused as a write."""
    if (request.content_length or 0) > MAX_CONTENT_BYTES and request.endpoint != "scim.refuse":
        abort(413)


def _protect(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-Id"] = g.request_id
    return response


def _wrap(app: Flask, services: Services) -> None:
    application: WSGIApplication = TolerantPaths(
        OneConnection(app.wsgi_app, services.lending), urlsplit(services.public_base_url).path
    )
    if proxies := services.trusted_proxies:
        application = ProxyFix(application, x_for=proxies, x_proto=proxies)
    app.wsgi_app = application  # type: ignore[assignment,method-assign]
