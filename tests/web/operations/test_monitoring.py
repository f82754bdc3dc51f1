"""The dashboard and the alert rules speak of metrics that there are, with labels and values that there are."""

import json
import re
from pathlib import Path

import pytest
import yaml

from connector.directory.runs import RunKind, RunOutcome

ROOT = Path(__file__).parents[3]
MONITORING = ROOT / "deploy" / "monitoring"
RULES = [
    rule for group in yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"] for rule in group["rules"]
]
PANELS = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
QUERIES = {rule["alert"]: rule["expr"] for rule in RULES} | {
    f"{panel['title']} {target['refId']}": target["expr"] for panel in PANELS for target in panel["targets"]
}
HISTOGRAM = ("_count", "_sum", "_bucket")


def known_metrics() -> dict[str, set[str]]:
    """Return the labels of each metric, as the reference lists them."""
    rows = re.findall(
        r"^\| `(cognito_scim_\w+)` \| \w+ \|([^|]*)\|", (ROOT / "docs/reference/metrics.md").read_text(), re.MULTILINE
    )
    return {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_asks_for_a_metric_that_there_is(name: str):
    """A rule over a metric that nobody writes would never fire."""
    query, known = QUERIES[name], known_metrics()

    asked = re.findall(r"\bcognito_scim_\w+\b", query)
    assert asked or 'up{job="cognito-scim"}' in query
    for metric in asked:
        base = next(
            (metric.removesuffix(end) for end in HISTOGRAM if metric.endswith(end) and metric not in known), metric
        )
        assert base in known, metric
        for selected in re.findall(rf"\b{metric}\{{([^}}]*)\}}", query):
            assert set(re.findall(r"(\w+)\s*=", selected)) <= known[base], metric


@pytest.mark.parametrize("name", QUERIES)
def test_every_kind_and_outcome_that_is_asked_for_exists(name: str):
    """The values of labels are those of the vocabulary of runs."""
    query = QUERIES[name]

    assert set(re.findall(r'kind="(\w+)"', query)) <= set(RunKind)
    for outcomes in re.findall(r'outcome=~?"([\w|]+)"', query):
        assert set(outcomes.split("|")) <= set(RunOutcome)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_what_is_and_leads_to_what_to_do(rule: dict[str, dict[str, str]]):
    """Whoever is woken reads what is wrong, and opens a page that is there."""
    assert rule["annotations"]["summary"].endswith(".")
    assert (ROOT / rule["annotations"]["runbook"]).is_file()
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
