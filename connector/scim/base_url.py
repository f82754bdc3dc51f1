"""Where the endpoint is: the path under which everything of SCIM is served (RFC 7644, section 3.13)."""

PREFIX = "/scim/v2"


def scim_base_url(public_base_url: str) -> str:
    """Return the base URL of the SCIM endpoint, without a slash at its end.

    Args:
        public_base_url: where importers reach the server.
    """
    return public_base_url.rstrip("/") + PREFIX
