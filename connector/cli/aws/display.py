"""How the AWS side is shown: plans with their differences, findings, keys, and the values of the form."""

from collections import Counter
from collections.abc import Mapping, Sequence

import click

from connector.cli.invocation import clean, say, telling
from connector.provisioning.changes.plan import Action, ObjectChange, Plan
from connector.provisioning.changes.set_up import SetUp
from connector.provisioning.keys.rotate_key import KeyRotation
from connector.provisioning.verify.findings import Finding, Severity

_SIGNS = {
    Action.CREATE: ("create", "green"),
    Action.UPDATE: ("update", "yellow"),
    Action.DELETE: ("delete", "red"),
    Action.NONE: ("none", "bright_black"),
}


def show_plan(plan: Plan) -> None:
    """Print what would become of each object, why, and the lines of documents that change."""
    with telling():
        for change in plan.changes:
            _show_change(change)
        for note in plan.notes:
            click.echo(f"Note: {clean(note)}")
        for right in plan.lacking:
            click.echo(f"{click.style('Lacking right', fg='red')}: {clean(right)}")
        count = len(plan.pending)
        click.echo(f"{count} {'change' if count == 1 else 'changes'}." if count else "Nothing to change.")


def _show_change(change: ObjectChange) -> None:
    sign, colour = ("STOP", "red") if change.blocker else _SIGNS[change.action]
    kind = change.kind.replace("-", " ")
    click.echo(f"{click.style(f'{sign:<7}', fg=colour)}{kind} {clean(change.name)}")
    click.echo(f"       {clean(change.blocker or change.detail)}")
    for line in change.difference:
        shown = {"+": "green", "-": "red"}.get(line[:1])
        click.echo(f"         {click.style(clean(line), fg=shown)}")


def form_of(set_up: SetUp, *, show_secret: bool) -> Mapping[str, str]:
    """Return the values of the configuration form of OCI IAM; of a secret, where it is."""
    kept, pool = set_up.vault.read(), set_up.wishes.pool
    form = {
        "AWS Cognito Region": pool.region,
        "Cognito User Pool Id": pool.pool_id,
        "List of Groups": "",
        "Access Key ID": kept.current.key_id if kept.current else "",
        "Role ARN": set_up.wishes.role_arn,
    }
    if not show_secret:
        return {**form, **set_up.vault.places()}
    secret = kept.current.secret.reveal() if kept.current else ""
    return {**form, "Secret Access Key": secret, "External ID": kept.external_ids.read}


def show_form(form: Mapping[str, str]) -> None:
    """Print the values of the form, ready to paste."""
    say("For the form of OCI IAM:")
    for name, value in form.items():
        say(f"  {name}: {value or '(empty: everybody)' if name == 'List of Groups' else value}")


def show_findings(findings: Sequence[Finding]) -> None:
    """Print what was found, the worst first, each with the command that mends it."""
    with telling():
        for finding in findings:
            severity = click.style(f"{finding.severity:<8}", fg=_COLOURS[finding.severity])
            click.echo(f"{severity}{finding.name}: {clean(finding.detail)}")
            click.echo(f"        {clean(finding.remedy)}")
        counts = Counter(finding.severity for finding in findings)
        told = ", ".join(f"{counts[severity]} {severity}s" for severity in Severity if counts[severity])
        click.echo(f"{told}." if told else "The AWS side is as it should be.")


def show_key_rotation(done: KeyRotation) -> None:
    """Print what became of the keys."""
    sentences = [f"User {done.user}: {done.outcome}; access key {done.key_id} is in use."]
    sentences += [f"The old key {done.deactivated} is deactivated."] if done.deactivated else []
    sentences += [f"The key {done.deleted} is deleted."] if done.deleted else []
    for sentence in (*sentences, *done.notes):
        say(sentence)


_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "bright_black"}
