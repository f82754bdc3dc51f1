"""Identity pools: which role their people have, and a pool that can really issue credentials.

CreateIdentityPool makes no role (only the console does); without SetIdentityPoolRoles nobody gets credentials (AWS
mobile blog, "Enhanced flow", part 4).
"""

import re
from dataclasses import dataclass
from typing import Any

from connector.directory.pool_names import pool_region, provider_name
from connector.errors import SetUpUnfit
from connector.provisioning.account.errors import provisioning_faults
from connector.provisioning.account.waiting import Consistency
from connector.provisioning.authoriser.administrator import Administrator, asking
from connector.provisioning.authoriser.roles import put_role
from connector.provisioning.authoriser.templates import fill
from connector.rotation.aws.errors import AwsCall

_NOT_IN_NAMES = re.compile(r"[^\w+=,.@-]", re.ASCII)
_LONGEST_ROLE_NAME = 64
_MOST_POOLS = 60


@dataclass(frozen=True, slots=True)
class IdentityPool:
    """An identity pool that issues credentials.

    Args:
        id: of the pool.
        role_arn: what its people get a session of.
    """

    id: str
    role_arn: str


def authenticated_role(admin: Administrator, identity_pool_id: str) -> str:
    """Return the ARN of the role of people who are signed in.

    Raises:
        SetUpUnfit: the pool does not exist, or has none.
    """
    with asking("cognito-identity:GetIdentityPoolRoles", f"identity pool {identity_pool_id}"):
        client = admin.identity_pools(identity_pool_id.partition(":")[0])
        roles = client.get_identity_pool_roles(IdentityPoolId=identity_pool_id).get("Roles", {})
    if not roles.get("authenticated"):
        raise SetUpUnfit(
            f"Identity pool {identity_pool_id} has no role for people who are signed in.",
            remedy="Give it one: aws-cognito-admin setup-identity-pool",
        )
    return str(roles["authenticated"])


def set_up_identity_pool(admin: Administrator, name: str, pool_id: str, client_id: str) -> IdentityPool:
    """Make an identity pool for a user pool, with its role, or bring the one of this name to what it shall be.

    Raises:
        ProvisioningError: AWS says no; run again, it goes on from there.
    """
    if not re.fullmatch(r"[\w\s+=,.@-]{1,128}", name):
        raise SetUpUnfit(f"{name!r} cannot be the name of an identity pool.", remedy="Use letters, digits and _+=,.@-")
    client = admin.identity_pools(admin.region)
    wanted: Any = {
        "IdentityPoolName": name,
        "AllowUnauthenticatedIdentities": False,
        "AllowClassicFlow": False,
        "CognitoIdentityProviders": [
            {"ProviderName": provider_name(pool_id), "ClientId": client_id, "ServerSideTokenCheck": True}
        ],
    }
    found = _find(admin, name)
    if found is None:
        with asking("cognito-identity:CreateIdentityPool", f"identity pool {name}"):
            found = client.create_identity_pool(**wanted)["IdentityPoolId"]
        admin.report(f"Created identity pool {name} ({found}).")
    else:
        with asking("cognito-identity:UpdateIdentityPool", f"identity pool {name}"):
            client.update_identity_pool(IdentityPoolId=found, **wanted)
        admin.report(f"Identity pool {name} ({found}) takes tokens of {pool_id}.")
    return IdentityPool(found, _give_role(admin, name, found))


def _find(admin: Administrator, name: str) -> str | None:
    client, token = admin.identity_pools(admin.region), ""
    while True:
        with asking("cognito-identity:ListIdentityPools", "the account"):
            more: Any = {"NextToken": token} if token else {}
            page = client.list_identity_pools(MaxResults=_MOST_POOLS, **more)
        for pool in page.get("IdentityPools", []):
            if pool.get("IdentityPoolName") == name:
                return str(pool["IdentityPoolId"])
        token = page.get("NextToken", "")
        if not token:
            return None


def _give_role(admin: Administrator, name: str, identity_pool_id: str) -> str:
    role = _NOT_IN_NAMES.sub("_", f"Cognito_{name}Auth_Role")[:_LONGEST_ROLE_NAME]
    trust = fill("identity-pool-trust", identity_pool_id=identity_pool_id)
    arn = put_role(admin, role, trust, description=f"People who are signed in at identity pool {identity_pool_id}")
    client = admin.identity_pools(admin.region)
    for last in Consistency(admin.report, seconds=30).attempts(f"Cognito knows role {role}"):
        call = AwsCall("cognito-identity:SetIdentityPoolRoles", f"identity pool {identity_pool_id}", changes=True)
        try:
            with provisioning_faults(call):
                client.set_identity_pool_roles(IdentityPoolId=identity_pool_id, Roles={"authenticated": arn})
        except SetUpUnfit:
            if last:
                raise
        else:
            admin.report(f"People who are signed in get sessions of role {role}.")
            return arn
    raise AssertionError("unreachable")


def region_of(pool_id: str) -> str:
    """Return the Region of a user pool.

    Raises:
        SetUpUnfit: it is not the id of one.
    """
    try:
        return pool_region(pool_id)
    except ValueError:
        raise SetUpUnfit(f"{pool_id!r} is not the id of a user pool.", remedy="Such as us-east-1_AbCdEf123.") from None
