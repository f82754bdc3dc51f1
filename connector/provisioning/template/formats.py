"""The formats of the template, by name."""

from collections.abc import Callable, Mapping

from connector.provisioning.design.objects import ExternalIds, SetUpRequest, Wanted, draw
from connector.provisioning.template.aws_cli import as_aws_cli
from connector.provisioning.template.cloudformation import as_cloudformation
from connector.provisioning.template.placeholders import EXTERNAL_ID, ROTATION_EXTERNAL_ID
from connector.provisioning.template.plain_json import as_plain_json
from connector.provisioning.template.terraform import as_terraform

FORMATS: Mapping[str, Callable[[SetUpRequest, tuple[Wanted, ...]], str]] = {
    "cloudformation": as_cloudformation,
    "terraform": as_terraform,
    "aws-cli": as_aws_cli,
    "json": as_plain_json,
}


def render(name: str, wishes: SetUpRequest) -> str:
    """Return what is wished for in a format, one of `FORMATS`."""
    external_ids = ExternalIds(EXTERNAL_ID, ROTATION_EXTERNAL_ID if wishes.rotation else "")
    return FORMATS[name](wishes, draw(wishes, external_ids))
