"""A shell script of the AWS CLI: the very calls that `aws apply` makes in an empty account."""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from botocore import xform_name

from connector.provisioning.account.inventory import Inventory
from connector.provisioning.changes.plan import IamCall, compare
from connector.provisioning.design.object_names import tags_for
from connector.provisioning.design.objects import SetUpRequest, Wanted
from connector.provisioning.design.principals import Existing
from connector.provisioning.template.placeholders import EXTERNAL_ID, ROTATION_EXTERNAL_ID

_VARIABLES = {EXTERNAL_ID: "EXTERNAL_ID", ROTATION_EXTERNAL_ID: "ROTATION_EXTERNAL_ID"}
_HEAD = """\
#!/bin/sh
# The AWS side of cognito-scim, made by the AWS CLI in an account that has none of it yet.
# Give the ExternalId in the environment; it is a long random value:
#   EXTERNAL_ID=$(openssl rand -hex 16) sh this-file
# Then: cognito-scim aws apply {pool}
set -eu

# A user or role of a moment ago is not known everywhere at once: try again for a minute and a half.
patiently() {{
  for attempt in 1 2 3 4 5 6 7 8 9; do
    "$@" && return
    sleep 10
  done
  "$@"
}}
"""


def as_aws_cli(wishes: SetUpRequest, wanted: tuple[Wanted, ...]) -> str:
    """Return the script."""
    parts = [_HEAD.format(pool=wishes.pool)]
    parts += [f': "${{{name}:?}}"\n' for name in _VARIABLES.values() if wishes.rotation or name == "EXTERNAL_ID"]
    nothing = Inventory({one.arn: None for one in wanted})
    for change in compare(wanted, nothing, tags_for(str(wishes.pool)), adopt=False):
        parts.append(f"\n# {change.kind} {change.name}: {change.detail}\n")
        parts += [_command(call, wishes) for call in change.calls]
    return "".join(parts)


def _command(call: IamCall, wishes: SetUpRequest) -> str:
    words = ["aws", "iam", xform_name(call.operation, "-"), *_options(call.parameters)]
    waits = call.operation == "CreateRole" and not isinstance(wishes.principal, Existing)
    return " ".join((["patiently"] if waits else []) + words) + "\n"


def _options(parameters: Mapping[str, Any]) -> Iterator[str]:
    for name, value in parameters.items():
        yield f"--{xform_name(name, '-')}"
        if name == "Tags":
            yield from (shlex.quote(f"Key={tag['Key']},Value={tag['Value']}") for tag in value)
        else:
            yield _quote(value if isinstance(value, str) else json.dumps(value))


def _quote(text: str) -> str:
    """Quote for the shell, with the variables of the ExternalIds let through."""
    quoted = shlex.quote(text)
    for placeholder, name in _VARIABLES.items():
        quoted = quoted.replace(placeholder, f"'\"${name}\"'")
    return quoted
