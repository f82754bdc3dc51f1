"""Judge the service user and its access keys."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from connector.directory.counts import count_of
from connector.provisioning.account.seen import SeenKey, SeenUser
from connector.provisioning.keys.access_key import describe_key
from connector.provisioning.verify.findings import APPLY, ROTATE_KEY, Finding, Severity

OLD = timedelta(days=90)
"""After which a key should have been replaced (AWS Security Hub, control IAM.3)."""
UNUSED = timedelta(days=45)
"""After which a key that nothing uses should go (AWS Security Hub, control IAM.22)."""


def judge_user(user: SeenUser, *, name: str, key_id: str, has_password: bool, now: datetime) -> Iterator[Finding]:
    """Yield what is wrong with the user and its keys.

    Args:
        user: the service user.
        name: of the user.
        key_id: the key that the configuration holds; empty where that is not known.
        has_password: whether it can sign in to the console.
        now: the time.
    """
    if has_password:
        yield Finding(
            "console_password",
            Severity.ERROR,
            f"User {name} can sign in to the AWS console; a service user has no use for that.",
            f"aws iam delete-login-profile --user-name {name}",
        )
    if user.groups:
        yield Finding(
            "groups",
            Severity.WARNING,
            f"User {name} is in {', '.join(user.groups)}, and has what these groups may do.",
            "; ".join(f"aws iam remove-user-from-group --user-name {name} --group-name {g}" for g in user.groups),
        )
    current = user.key(key_id) if key_id else None
    if key_id and (current is None or not current.active):
        what = "is inactive" if current else f"is not a key of user {name}"
        yield Finding("key_dead", Severity.ERROR, f"Access key {key_id} of the configuration {what}.", APPLY)
    others = [key for key in user.keys if key_id and key.key_id != key_id]
    for key in others:
        yield _second(name, key)
    for key in user.keys if not key_id else [current] if current else []:
        yield from _age(key, now)


def _second(name: str, key: SeenKey) -> Finding:
    severity = Severity.WARNING if key.active else Severity.NOTE
    remedy = f"aws iam delete-access-key --user-name {name} --access-key-id {key.key_id}"
    return Finding(
        "second_key",
        severity,
        f"User {name} has a second key: {describe_key(key)}.",
        f"{ROTATE_KEY} --finish if it is what a rotation left, else {remedy}",
    )


def _age(key: SeenKey, now: datetime) -> Iterator[Finding]:
    age = now - key.created
    if age > OLD:
        detail = f"Access key {key.key_id} is {age.days} days old, and {OLD.days} is what is recommended."
        yield Finding("key_old", Severity.WARNING, detail, ROTATE_KEY)
    used = key.used or key.created
    if now - used > UNUSED:
        detail = f"Access key {key.key_id} was not used for {count_of((now - used).days, 'day')}."
        remedy = "cognito-scim sync, or cognito-scim aws teardown if nothing needs it any more"
        yield Finding("key_unused", Severity.WARNING, detail, remedy)
