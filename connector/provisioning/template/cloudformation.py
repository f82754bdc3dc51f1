"""A CloudFormation template: policies name who holds them, so that nothing is attached twice or by two stacks."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from connector.provisioning.design.documents import Document
from connector.provisioning.design.object_names import tags_for
from connector.provisioning.design.objects import InstanceProfile, Policy, Role, SetUpRequest, User, Wanted
from connector.provisioning.design.principals import Existing
from connector.provisioning.template.placeholders import (
    EXTERNAL_ID,
    ROTATION_EXTERNAL_ID,
    in_account,
    logical_name,
    replace,
)

_GIVEN = {EXTERNAL_ID: "ExternalId", ROTATION_EXTERNAL_ID: "RotationExternalId"}


def as_cloudformation(wishes: SetUpRequest, wanted: tuple[Wanted, ...]) -> str:
    """Return the template as YAML; it takes CAPABILITY_NAMED_IAM."""
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": (
            "The AWS side of cognito-scim: a role that reads one user pool and asks for an ExternalId, and who may"
            f" assume it. Then: cognito-scim aws apply {wishes.pool}"
        ),
        "Parameters": dict(_parameters(wishes)),
        "Resources": {logical_name(one.name) + _suffix(one): _resource(wishes, one, wanted) for one in wanted},
        "Outputs": {
            "RoleArn": {
                "Description": "The role to assume, aws.role_arn.",
                "Value": {"Fn::GetAtt": [logical_name(wishes.names.role), "Arn"]},
            }
        },
    }
    return yaml.safe_dump(template, sort_keys=False, width=120)


def _parameters(wishes: SetUpRequest) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield (
        "UserPoolArn",
        {
            "Type": "String",
            "Description": "ARN of the user pool that is read; no other may be.",
            "Default": str(wishes.pool),
            "AllowedPattern": "arn:aws[a-z-]*:cognito-idp:[a-z0-9-]+:[0-9]{12}:userpool/.+",
        },
    )
    secret = {
        "Type": "String",
        "NoEcho": True,
        "MinLength": 16,
        "MaxLength": 1224,
        "AllowedPattern": "[A-Za-z0-9_+=,.@:/-]+",
    }
    yield "ExternalId", {**secret, "Description": "A long random value; whoever assumes the role has to give it."}
    if wishes.rotation:
        yield "RotationExternalId", {**secret, "Description": "Another one, for the role that rotates passwords."}
    if isinstance(wishes.principal, Existing):
        yield (
            "TrustedPrincipalArn",
            {
                "Type": "String",
                "Description": "The one user or role that may assume the role.",
                "Default": wishes.principal_arn,
                "AllowedPattern": "arn:aws[a-z-]*:iam::[0-9]{12}:(user|role)/.+",
            },
        )


def _resource(wishes: SetUpRequest, one: Wanted, wanted: tuple[Wanted, ...]) -> Mapping[str, Any]:
    path = wishes.names.path
    tags = [
        {"Key": key, "Value": {"Ref": "UserPoolArn"} if value == str(wishes.pool) else value}
        for key, value in tags_for(str(wishes.pool)).items()
    ]
    match one:
        case Policy(name, arn, document, purpose):
            about = {"ManagedPolicyName": name, "Path": path, "Description": purpose}
            held = _holders(arn, wanted)
            content = {**about, "PolicyDocument": _document(wishes, document, wanted), **held}
            return {"Type": "AWS::IAM::ManagedPolicy", "Properties": content}
        case User(name):
            return {"Type": "AWS::IAM::User", "Properties": {"UserName": name, "Path": path, "Tags": tags}}
        case Role(name, _, trust, _, purpose, seconds):
            about = {"RoleName": name, "Path": path, "Description": purpose}
            trusted = {"AssumeRolePolicyDocument": _document(wishes, trust, wanted)}
            content = {**about, "MaxSessionDuration": seconds, **trusted, "Tags": tags}
            return {"Type": "AWS::IAM::Role", "Properties": content}
        case InstanceProfile(name):
            about = {"InstanceProfileName": name, "Path": path}
            return {
                "Type": "AWS::IAM::InstanceProfile",
                "Properties": {**about, "Roles": [{"Ref": logical_name(name)}]},
            }


def _holders(policy_arn: str, wanted: Iterable[Wanted]) -> Mapping[str, Any]:
    holders = [one for one in wanted if isinstance(one, Role | User) and policy_arn in one.policies]
    named = {
        kind: [{"Ref": logical_name(one.name)} for one in holders if isinstance(one, of)]
        for kind, of in (("Roles", Role), ("Users", User))
    }
    return {kind: refs for kind, refs in named.items() if refs}


def _document(wishes: SetUpRequest, document: Document, wanted: tuple[Wanted, ...]) -> Any:
    made = {one.arn: one for one in wanted if isinstance(one, Role | User)}

    def change(text: str) -> Any:
        if text in _GIVEN:
            return {"Ref": _GIVEN[text]}
        if text == str(wishes.pool):
            return {"Ref": "UserPoolArn"}
        if text in made:
            return {"Fn::GetAtt": [logical_name(made[text].name), "Arn"]}
        if isinstance(wishes.principal, Existing) and text == wishes.principal_arn:
            return {"Ref": "TrustedPrincipalArn"}
        moved = in_account(text, wishes.pool, partition="${AWS::Partition}", account="${AWS::AccountId}")
        return {"Fn::Sub": moved} if moved != text else text

    return replace(document, change)


def _suffix(one: Wanted) -> str:
    """Tell an instance profile from the role of its name."""
    return "Profile" if isinstance(one, InstanceProfile) else ""
