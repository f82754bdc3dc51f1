"""The user pool as an OIDC provider of IAM: twelve hours without a key and without a function.

STS checks signature, issuer, audience and time of the token by itself (IAM user guide, "OIDC federation").
"""

from connector.directory.pool_names import issuer, provider_name
from connector.provisioning.authoriser.administrator import NOT_THERE, Administrator, asking, unless
from connector.provisioning.authoriser.roles import TWELVE_HOURS, put_role
from connector.provisioning.authoriser.templates import fill


def set_up_web_identity(admin: Administrator, role: str, pool_id: str, client_id: str) -> str:
    """Make the provider and a role that trusts it, or bring them to what they shall be; return the role's ARN.

    Raises:
        ProvisioningError: AWS says no; run again, it goes on from there.
    """
    provider = provider_name(pool_id)
    _put_provider(admin, pool_id, client_id, f"arn:{admin.partition}:iam::{admin.account}:oidc-provider/{provider}")
    trust = fill(
        "web-identity-trust",
        partition=admin.partition,
        account_id=admin.account,
        provider=provider,
        client_id=client_id,
    )
    about = f"People of user pool {pool_id}, by its own tokens"
    return put_role(admin, role, trust, longest_session=TWELVE_HOURS, description=about)


def _put_provider(admin: Administrator, pool_id: str, client_id: str, arn: str) -> None:
    found = unless(
        NOT_THERE,
        "iam:GetOpenIDConnectProvider",
        f"provider {arn}",
        lambda: admin.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn),
    )
    if found is None:
        with asking("iam:CreateOpenIDConnectProvider", f"provider {arn}"):
            admin.iam.create_open_id_connect_provider(
                Url=issuer(pool_id),
                ClientIDList=[client_id],
                ThumbprintList=[_UNUSED_THUMBPRINT],
                Tags=[{"Key": "managed-by", "Value": "cognito-scim"}],
            )
        admin.report(f"IAM knows user pool {pool_id} as an OIDC provider.")
    elif client_id not in found.get("ClientIDList", []):
        with asking("iam:AddClientIDToOpenIDConnectProvider", f"provider {arn}"):
            admin.iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID=client_id)
        admin.report(f"The OIDC provider takes tokens of app client {client_id}.")


_UNUSED_THUMBPRINT = "9e99a48a9960b14926bb7f3b02e22da2b0ab7280"
"""IAM asks for one in older API versions, and checks Cognito's certificate by its own library of authorities."""
