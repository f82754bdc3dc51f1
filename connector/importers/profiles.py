"""The forms of importers, field by field, in the words of the forms; the guides in `docs/how-to` say more of each.

Sources: Oracle's page on the Generic SCIM App Template; help.okta.com, SCIM app integrations;
documentation.sailpoint.com, SCIM 2.0; the configuration of ConnId's SCIM bundle, which midPoint uses.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

BEARER, BASIC, CLIENT_CREDENTIALS, PASSWORD = "bearer", "basic", "client-credentials", "password"


@dataclass(frozen=True, slots=True)
class ConnectionDetails:
    """What an importer is given; what its grant does not use is empty."""

    base_url: str
    token_url: str
    token: str = ""
    client_id: str = ""
    client_secret: str = ""
    username: str = ""
    password: str = ""

    @property
    def host(self) -> str:
        """The host of the base URL."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def path(self) -> str:
        """The path of the base URL."""
        return urlsplit(self.base_url).path


Fields = Callable[[ConnectionDetails], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Profile:
    """An importer.

    Args:
        name: by which addresses know it.
        title: what it is called.
        where: where its form is.
        grants: the ways to sign in that its form offers, the recommended one first.
        fields: the fields of the form with their values, by grant.
        notes: what else to know.
    """

    name: str
    title: str
    where: str
    grants: Mapping[str, str]
    fields: Mapping[str, Fields]
    notes: tuple[str, ...] = ()


_OCI_HOST: Fields = lambda given: {"Host Name": given.host, "Base URI": given.path}  # noqa: E731 - a table reads best so
_OAUTH_OCI: Fields = lambda given: {  # noqa: E731
    **_OCI_HOST(given),
    "Client Id": given.client_id,
    "Client Secret": given.client_secret,
    "Scope": "",
    "Authentication Server Url": given.token_url,
    "Custom Authentication Headers": "",
}

OCI = Profile(
    "oci",
    "OCI IAM identity domain",
    "Integrated applications, Add application, Application Catalog, GenericScim; then Configure provisioning.",
    MappingProxyType(
        {
            CLIENT_CREDENTIALS: "GenericScim - Client Credentials",
            BEARER: "GenericScim - Bearer Token",
            BASIC: "GenericScim - Basic",
            PASSWORD: "GenericScim - Resource Owner Password",
        }
    ),
    MappingProxyType(
        {
            CLIENT_CREDENTIALS: _OAUTH_OCI,
            BEARER: lambda given: {**_OCI_HOST(given), "Access Token": given.token},
            BASIC: lambda given: {
                **_OCI_HOST(given),
                "Administrator Username": given.client_id,
                "Administrator Password": given.client_secret,
            },
            PASSWORD: lambda given: {
                **_OAUTH_OCI(given),
                "Administrator Username": given.username,
                "Administrator Password": given.password,
            },
        }
    ),
    (
        "Select Authoritative Sync and nothing else; enable synchronization and Refresh application data.",
        "The Import button reads everything. The scheduled sync of OCI moves no memberships and deletes nobody.",
        "OCI wants port 443 and a certificate of a public authority.",
    ),
)

OKTA = Profile(
    "okta",
    "Okta",
    "The app integration, Provisioning, Integration, SCIM connection.",
    MappingProxyType({BEARER: "HTTP Header", BASIC: "Basic Auth"}),
    MappingProxyType(
        {
            BEARER: lambda given: {
                "SCIM connector base URL": given.base_url,
                "Unique identifier field for users": "userName",
                "Supported provisioning actions": "Import New Users and Profile Updates, Import Groups",
                "Authentication Mode": "HTTP Header",
                "Authorization": given.token,
            },
            BASIC: lambda given: {
                "SCIM connector base URL": given.base_url,
                "Unique identifier field for users": "userName",
                "Supported provisioning actions": "Import New Users and Profile Updates, Import Groups",
                "Authentication Mode": "Basic Auth",
                "Username": given.client_id,
                "Password": given.client_secret,
            },
        }
    ),
    (
        "Select none of the Push actions: a write is answered with 405.",
        "Every import is a full one. A user who is inactive counts as removed on the import screen.",
    ),
)

_SAILPOINT_OAUTH: Fields = lambda given: {  # noqa: E731
    "Base URL": given.base_url,
    "OAuth 2.0 Token URL": given.token_url,
    "Client ID": given.client_id,
    "Client Secret": given.client_secret,
}
SAILPOINT = Profile(
    "sailpoint",
    "SailPoint",
    "The source SCIM 2.0, Connection settings.",
    MappingProxyType(
        {
            CLIENT_CREDENTIALS: "OAuth 2.0, Client Credentials",
            BEARER: "API Token",
            BASIC: "Basic",
            PASSWORD: "OAuth 2.0, Password",
        }
    ),
    MappingProxyType(
        {
            CLIENT_CREDENTIALS: lambda given: {"Grant Type": "Client Credentials", **_SAILPOINT_OAUTH(given)},
            BEARER: lambda given: {"Base URL": given.base_url, "API Token": given.token},
            BASIC: lambda given: {
                "Base URL": given.base_url,
                "Username": given.client_id,
                "Password": given.client_secret,
            },
            PASSWORD: lambda given: {
                "Grant Type": "Password",
                **_SAILPOINT_OAUTH(given),
                "Username": given.username,
                "Password": given.password,
            },
        }
    ),
    (
        "Account schema: identity id, name userName, entitlement groups. Group schema: id and displayName.",
        "Leave the filter of users empty: with active eq true, whoever is disabled looks deleted.",
        "A delta aggregation cannot name who was deleted; run a full one regularly.",
    ),
)

MIDPOINT = Profile(
    "midpoint",
    "midPoint (ConnId SCIM)",
    "The resource, Connector configuration.",
    MappingProxyType(
        {BEARER: "Security token", BASIC: "User name and password", CLIENT_CREDENTIALS: "Client credentials"}
    ),
    MappingProxyType(
        {
            BEARER: lambda given: {"baseAddress": given.base_url, "securityToken": given.token},
            BASIC: lambda given: {
                "baseAddress": given.base_url,
                "username": given.client_id,
                "password": given.client_secret,
            },
            CLIENT_CREDENTIALS: lambda given: {
                "baseAddress": given.base_url,
                "clientId": given.client_id,
                "clientSecret": given.client_secret,
                "accessTokenBaseAddress": given.token_url,
            },
        }
    ),
    ("Synchronise from the resource to midPoint alone; a write is answered with 405.",),
)

GENERIC = Profile(
    "generic",
    "Another importer",
    "Wherever it asks for a SCIM 2.0 server.",
    MappingProxyType({BEARER: "Bearer token", CLIENT_CREDENTIALS: "OAuth 2.0 client credentials", BASIC: "Basic"}),
    MappingProxyType(
        {
            BEARER: lambda given: {"SCIM base URL": given.base_url, "Bearer token": given.token},
            BASIC: lambda given: {
                "SCIM base URL": given.base_url,
                "User name": given.client_id,
                "Password": given.client_secret,
            },
            CLIENT_CREDENTIALS: lambda given: {
                "SCIM base URL": given.base_url,
                "Token URL": given.token_url,
                "Client id": given.client_id,
                "Client secret": given.client_secret,
            },
        }
    ),
    ("The endpoint is read: users, groups, both sides of memberships, filters, paging by index and by cursor.",),
)

PROFILES = {profile.name: profile for profile in (OCI, OKTA, SAILPOINT, MIDPOINT, GENERIC)}
"""Every importer whose form is known, by its name."""
