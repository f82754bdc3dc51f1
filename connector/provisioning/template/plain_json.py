"""The objects and documents as they are, for tools of one's own."""

import json
from collections.abc import Mapping
from typing import Any

from connector.provisioning.design.object_names import tags_for
from connector.provisioning.design.objects import InstanceProfile, Policy, Role, SetUpRequest, User, Wanted


def as_plain_json(wishes: SetUpRequest, wanted: tuple[Wanted, ...]) -> str:
    """Return every object, in the order in which they can be made."""
    tags = tags_for(str(wishes.pool))
    return json.dumps({"tags": tags, "objects": [_describe(one) for one in wanted]}, indent=2) + "\n"


def _describe(one: Wanted) -> Mapping[str, Any]:
    match one:
        case Policy(name, arn, document, purpose):
            return {"kind": "policy", "name": name, "arn": arn, "description": purpose, "document": document}
        case Role(name, arn, trust, policies, purpose, seconds):
            about = {"kind": "role", "name": name, "arn": arn, "description": purpose, "trust": trust}
            return {**about, "policies": list(policies), "max_session_duration": seconds}
        case User(name, arn, policies):
            return {"kind": "user", "name": name, "arn": arn, "policies": list(policies)}
        case InstanceProfile(name, arn):
            return {"kind": "instance-profile", "name": name, "arn": arn, "role": name}
