"""Say what a role that rotates needs, as far as its own policies tell whom it is to rotate.

Whom it may rotate was asked for once, and nothing but its policies remembers it: each user or secret that they name
exactly needs everything that a rotation calls, and nothing else is needed.
"""

from collections.abc import Iterable, Iterator

from connector.provisioning.design.arns import is_secret_arn, parse_iam_arn
from connector.provisioning.design.documents import (
    PASSWORD_POLICY_ACTION,
    PROVE_COGNITO_ACTIONS,
    ROTATE_COGNITO_ACTIONS,
    ROTATE_IAM_ACTIONS,
    VAULT_ACTIONS,
    Document,
)
from connector.provisioning.design.policy_statements import read_statements
from connector.provisioning.verify.rights import Needed


def rotation_needs(documents: Iterable[Document], pool_arn: str) -> Iterator[Needed]:
    """Yield what the role has to be allowed; of a role that may rotate nobody, what a user of the pool takes.

    Args:
        documents: its policies.
        pool_arn: the pool whose users it may rotate.
    """
    allowing = [statement for document in documents for statement in read_statements(document) if statement.allows]
    actions = {action for statement in allowing for action in statement.actions}
    resources = sorted({resource for statement in allowing for resource in statement.resources})
    users = [resource for resource in resources if _is_user(resource)]
    if actions & _lower(ROTATE_COGNITO_ACTIONS) or not users:
        yield Needed(ROTATE_COGNITO_ACTIONS, pool_arn)
    if actions & _lower(PROVE_COGNITO_ACTIONS):  # only where an app client allows no other flow
        yield Needed(PROVE_COGNITO_ACTIONS, pool_arn)
    for user in users:
        yield Needed(ROTATE_IAM_ACTIONS, user)
    if users:
        yield Needed((PASSWORD_POLICY_ACTION,), "*")
    for resource in resources:
        if is_secret_arn(resource):
            yield Needed(VAULT_ACTIONS, resource)


def _is_user(resource: str) -> bool:
    arn = parse_iam_arn(resource)
    return arn is not None and arn.kind == "user" and "*" not in arn.path


def _lower(actions: Iterable[str]) -> set[str]:
    return {action.lower() for action in actions}
