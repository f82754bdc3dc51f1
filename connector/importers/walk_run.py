"""The try of an importer as a run: with a credential that lives as long as it, told step by step, on record."""

from dataclasses import asdict
from typing import Any

from connector.directory.runs import RunOutcome
from connector.importers.conversations import CONVERSATIONS
from connector.importers.importer_walk import ImporterWalk, Published, WalkStep
from connector.importers.profiles import PROFILES, ConnectionDetails
from connector.store.clients import Grant
from connector.store.generations import fetch_newest
from connector.store.lent_credentials import lent_credential
from connector.store.runs.run import Run


def walk_as_importer(run: Run, importer: str, base_url: str, token_url: str) -> None:
    """Walk through the endpoint as an importer does, and end the run with what it saw.

    Args:
        run: the run.
        importer: the name of its profile; an unknown one walks like any.
        base_url: the SCIM base URL that importers are given.
        token_url: where they get access tokens.

    Raises:
        RunCancelled: somebody asked it to end.
        StoreError: no credential could be made, or the end not be recorded.
    """
    name = importer if importer in CONVERSATIONS else "generic"
    grant = next(iter(PROFILES[name].grants))
    steps: list[WalkStep] = []

    def tell(walk: ImporterWalk) -> None:
        counts = {"users": len(walk.seen.users), "groups": len(walk.seen.groups)}
        phase = "walking" if steps else "starting"
        run.tell({"phase": phase, "importer": name, **counts, "calls": walk.line.requests, **_checks(steps)})

    def published() -> Published | None:
        newest = fetch_newest(run.database)
        return Published(newest.number, newest.users, newest.groups, newest.memberships) if newest else None

    with lent_credential(run.database, f"try of {name}, run {run.id}", Grant(grant)) as made:
        given = ConnectionDetails(base_url, token_url, **asdict(made))
        walk = ImporterWalk(CONVERSATIONS[name], grant, given, published, tell)
        for step in walk.steps():
            steps.append(step)
            tell(walk)
    is_passed = all(step.status == "passed" for step in steps)
    outcome = RunOutcome.PASSED if is_passed else RunOutcome.FAILED
    seen: dict[str, Any] = {
        "users": len(walk.seen.users),
        "groups": len(walk.seen.groups),
        "memberships": walk.seen.memberships_of_groups,
        "requests": walk.line.requests,
        "throttled": walk.line.waits,
        "slowest_seconds": round(walk.line.slowest, 3),
    }
    seconds = round(sum(step.seconds for step in steps), 3)
    head = {"run": run.id, "outcome": outcome, "importer": name, "ok": is_passed}
    run.end(outcome, {**head, **_checks(steps), **seen, "seconds": seconds})


def _checks(steps: list[WalkStep]) -> dict[str, list[dict[str, Any]]]:
    return {"checks": [asdict(step) for step in steps]}
