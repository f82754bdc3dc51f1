"""The keys of people's logins."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from connector.config import values
from connector.config.section import Path, Section


class Login(Section):
    """People's temporary AWS credentials through the user pool."""

    client_id: Annotated[str, AfterValidator(values.client_id)] = ""
    """App client of the pool at which people sign in."""
    client_secret: SecretStr = SecretStr("")
    """Secret of the app client, if it has one; two, one a line, while it is replaced."""
    client_secret_file: Path = ""
    """File that holds the secret of the app client."""
    auth_flow: Literal["auto", "USER_SRP_AUTH", "USER_PASSWORD_AUTH"] = "auto"
    """How the password is shown to Cognito; the app client must allow it. auto tries SRP first, which
    never sends it."""
    federation: Literal["identity-pool", "web-identity", "lambda"] = "identity-pool"
    """How a sign-in becomes AWS credentials: identity-pool (an hour), web-identity (up to twelve, by a role that trusts
    the pool itself) or lambda (up to twelve, by the credential proxy)."""
    identity_pool_id: Annotated[str, AfterValidator(values.identity_pool_id)] = ""
    """Identity pool of the ways identity-pool and lambda."""
    role_arn: Annotated[str, AfterValidator(values.role_arn)] = ""
    """Role that web-identity assumes; for lambda, the one that the proxy is asked for, its default when empty."""
    duration_hours: Annotated[float, BeforeValidator(values.number), Field(ge=0.25, le=12)] = 12.0
    """Hours for which web-identity and lambda ask; an identity pool gives one whatever is asked."""
    lambda_function: Annotated[str, AfterValidator(values.function_name)] = "cognito-credential-proxy"
    """Name or ARN of the credential proxy."""
    lambda_region: Annotated[str, AfterValidator(values.region)] = ""
    """Region of the credential proxy, which installed profiles name too; that of the pool when empty."""
    username: str = ""
    """Name that is signed in with when none is given."""
    store: Literal["auto", "keyring", "file"] = "auto"
    """Where logins are kept: auto takes the desktop's keyring where cognito-scim[keyring] finds one, else a file."""
    folder: Path = ""
    """Folder of those files, and of the locks; $XDG_STATE_HOME/cognito-scim/login when empty."""
