"""The description of the API, as the judge of every answer that a test gets."""

import json
from typing import Any

from flask import Flask
from jsonschema import Draft202012Validator, FormatChecker
from werkzeug.test import TestResponse

from connector.scim.schemas import read_document
from tests.web.conftest import BASE_URL

DESCRIPTION = read_document("openapi")
OPERATIONS = {
    (method.upper(), rule): operation
    for rule, item in DESCRIPTION["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
}
"""What is described, by method and path template."""


class DescribedClient:
    """Asks as an operator, and accepts only answers that the description knows."""

    def __init__(self, app: Flask, authorization: str) -> None:
        self._http = app.test_client()
        self._routes = app.url_map.bind("")
        self._headers = {"Authorization": authorization}

    def get(self, path: str, **options: Any) -> TestResponse:
        """Read."""
        return self.ask("GET", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        """Ask for something."""
        return self.ask("POST", path, **options)

    def ask(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> TestResponse:
        """Send a request to a path under `/api/v1` and judge its answer."""
        answer = self._http.open(f"/api/v1{path}", method=method, headers=self._headers | (headers or {}), **options)
        rule, _ = self._routes.match(f"/api/v1{path.partition('?')[0]}", method=method, return_rule=True)
        template = rule.rule.removeprefix("/api/v1").replace("<", "{").replace(">", "}")
        judge(OPERATIONS[method, template], answer)
        return answer


def judge(operation: dict[str, Any], answer: TestResponse) -> None:
    """Assert that an operation is described as answering like this: status, headers, content type and body."""
    described = resolve(operation["responses"][str(answer.status_code)])
    content = described["content"][answer.mimetype]
    required = {"WWW-Authenticate", "Retry-After"} & described.get("headers", {}).keys()
    assert required <= set(answer.headers.keys())
    assert ("Location" in answer.headers) <= ("Location" in described.get("headers", {}))
    _validate(content["schema"], json.loads(answer.data))
    assert answer.headers["X-Request-Id"]
    assert BASE_URL in answer.headers.get("Location", BASE_URL)


def demand(name: str, document: Any) -> None:
    """Assert that a document is what the description calls by a name."""
    _validate({"$ref": f"#/components/schemas/{name}"}, document)


def _validate(schema: dict[str, Any], document: Any) -> None:
    whole = schema | {"components": DESCRIPTION["components"]}
    Draft202012Validator(whole, format_checker=FormatChecker()).validate(document)


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    """Return what a node stands for."""
    if "$ref" not in node:
        return node
    found: Any = DESCRIPTION
    for step in node["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)
