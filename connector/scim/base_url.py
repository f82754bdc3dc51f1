"""Where importers go: the path under which everything of SCIM is served (RFC 7644, section 3.13), and for tokens."""

PREFIX = "/scim/v2"
TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path, not a secret


def scim_base_url(public_base_url: str) -> str:
    """Return the base URL of the SCIM endpoint, without a slash at its end.

    Args:
        public_base_url: where importers reach the server.
    """
    return public_base_url.rstrip("/") + PREFIX


def token_url_of(public_base_url: str) -> str:
    """Return where importers get access tokens.

    Args:
        public_base_url: where importers reach the server.
    """
    return public_base_url.rstrip("/") + TOKEN_PATH
