"""A Terraform configuration of one file; a policy's JSON is an expression of HCL as it is."""

import json
from collections.abc import Iterator
from typing import Any

from connector.provisioning.design.documents import Document
from connector.provisioning.design.object_names import tags_for
from connector.provisioning.design.objects import InstanceProfile, Policy, Role, SetUpRequest, User, Wanted
from connector.provisioning.design.principals import Existing
from connector.provisioning.template.placeholders import (
    EXTERNAL_ID,
    ROTATION_EXTERNAL_ID,
    in_account,
    replace,
    resource_name,
)

_TYPES = {
    Policy: "aws_iam_policy",
    Role: "aws_iam_role",
    User: "aws_iam_user",
    InstanceProfile: "aws_iam_instance_profile",
}
_HEAD = """\
# The AWS side of cognito-scim. Then: cognito-scim aws apply {pool}

terraform {{
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }}
  }}
}}

data "aws_partition" "current" {{}}

data "aws_caller_identity" "current" {{}}

variable "user_pool_arn" {{
  description = "ARN of the user pool that is read; no other may be."
  type        = string
  default     = {pool_text}
}}
"""
_EXTERNAL_ID = """
variable "{name}" {{
  description = "{description}"
  type        = string
  sensitive   = true

  validation {{
    condition     = can(regex("^[A-Za-z0-9_+=,.@:/-]{{16,1224}}$", var.{name}))
    error_message = "16 to 1224 letters, digits and signs of _+=,.@:/-"
  }}
}}
"""
_TRUSTED = """
variable "trusted_principal_arn" {{
  description = "The one user or role that may assume the role."
  type        = string
  default     = {arn}
}}
"""
_OUTPUT = """
output "role_arn" {{
  description = "The role to assume, aws.role_arn."
  value       = aws_iam_role.{role}.arn
}}
"""


def as_terraform(wishes: SetUpRequest, wanted: tuple[Wanted, ...]) -> str:
    """Return the configuration as HCL."""
    parts = [_HEAD.format(pool=wishes.pool, pool_text=json.dumps(str(wishes.pool)))]
    told = "A long random value; whoever assumes the role has to give it."
    parts.append(_EXTERNAL_ID.format(name="external_id", description=told))
    if wishes.rotation:
        told = "Another one, for the role that rotates passwords."
        parts.append(_EXTERNAL_ID.format(name="rotation_external_id", description=told))
    if isinstance(wishes.principal, Existing):
        parts.append(_TRUSTED.format(arn=json.dumps(wishes.principal_arn)))
    for one in wanted:
        parts += [_block(wishes, one, wanted), *_attachments(one, wanted)]
    return "".join([*parts, _OUTPUT.format(role=resource_name(wishes.names.role))])


def _block(wishes: SetUpRequest, one: Wanted, wanted: tuple[Wanted, ...]) -> str:
    settings = {"name": _text(one.name), "path": _text(wishes.names.path)}
    match one:
        case Policy(_, _, document, purpose):
            settings |= {"description": _text(purpose), "policy": _document(wishes, document, wanted)}
        case Role(_, _, trust, _, purpose, seconds):
            settings |= {"description": _text(purpose), "max_session_duration": str(seconds)}
            settings |= {"assume_role_policy": _document(wishes, trust, wanted)}
        case InstanceProfile(name):
            settings |= {"role": f"aws_iam_role.{resource_name(name)}.name"}
    tags = {key: "${var.user_pool_arn}" if value == str(wishes.pool) else value for key, value in _tags(wishes)}
    settings |= {"tags": _indented(tags)}
    return _resource(_TYPES[type(one)], resource_name(one.name), settings)


def _attachments(holder: Wanted, wanted: tuple[Wanted, ...]) -> Iterator[str]:
    if not isinstance(holder, Role | User):
        return
    kind, by_arn = ("role" if isinstance(holder, Role) else "user"), {one.arn: one for one in wanted}
    for arn in holder.policies:
        policy = by_arn[arn].name
        yield _resource(
            f"aws_iam_{kind}_policy_attachment",
            f"{resource_name(holder.name)}_{resource_name(policy)}",
            {
                kind: f"aws_iam_{kind}.{resource_name(holder.name)}.name",
                "policy_arn": f"aws_iam_policy.{resource_name(policy)}.arn",
            },
        )


def _document(wishes: SetUpRequest, document: Document, wanted: tuple[Wanted, ...]) -> str:
    made = {one.arn: one for one in wanted if isinstance(one, Role | User)}

    def change(text: str) -> str:
        given = {EXTERNAL_ID: "var.external_id", ROTATION_EXTERNAL_ID: "var.rotation_external_id"}
        given[str(wishes.pool)] = "var.user_pool_arn"
        if isinstance(wishes.principal, Existing):
            given[wishes.principal_arn] = "var.trusted_principal_arn"
        if text in given:
            return f"${{{given[text]}}}"
        if text in made:
            return f"${{{_TYPES[type(made[text])]}.{resource_name(made[text].name)}.arn}}"
        partition = "${data.aws_partition.current.partition}"
        return in_account(
            text, wishes.pool, partition=partition, account="${data.aws_caller_identity.current.account_id}"
        )

    return f"jsonencode({_indented(replace(document, change))})"


def _resource(kind: str, name: str, settings: dict[str, str]) -> str:
    width = max(map(len, settings))
    lines = [f"  {key:<{width}} = {value}" for key, value in settings.items()]
    return "\n".join([f'\nresource "{kind}" "{name}" {{', *lines, "}", ""])


def _indented(value: Any) -> str:
    return json.dumps(value, indent=2).replace("\n", "\n  ")


def _text(text: str) -> str:
    return json.dumps(text)


def _tags(wishes: SetUpRequest) -> list[tuple[str, str]]:
    return list(tags_for(str(wishes.pool)).items())
