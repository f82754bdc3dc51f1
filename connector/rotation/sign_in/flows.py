"""Which ways of showing a password to Cognito there are, and the app client that allows some of them."""

from dataclasses import dataclass
from enum import StrEnum

from connector.rotation.model.secret import Secret


class Flow(StrEnum):
    """How the password is shown to Cognito; the app client must allow it (ExplicitAuthFlows)."""

    USER_SRP_AUTH = "USER_SRP_AUTH"
    """It is proved by SRP and never sent."""
    USER_PASSWORD_AUTH = "USER_PASSWORD_AUTH"  # noqa: S105  the name of a flow
    """It is sent; no AWS credentials are needed."""
    ADMIN_USER_PASSWORD_AUTH = "ADMIN_USER_PASSWORD_AUTH"  # noqa: S105  likewise
    """It is sent with AWS credentials that have cognito-idp:AdminInitiateAuth."""


AUTO = "auto"
"""Stands for every flow, safest first."""
SAFEST_FIRST = (Flow.USER_SRP_AUTH, Flow.USER_PASSWORD_AUTH, Flow.ADMIN_USER_PASSWORD_AUTH)
"""SRP does not send the password; of the other two, the last one needs a right that a rotation can do without."""
FLOW_CHOICES = (AUTO, *(flow.value for flow in Flow))


def read_flows(text: str) -> tuple[Flow, ...]:
    """Return the flows that a text names, in the order in which they are tried.

    Raises:
        ValueError: it is neither `auto` nor the name of a flow.
    """
    return SAFEST_FIRST if text == AUTO else (Flow(text),)


@dataclass(frozen=True, slots=True)
class AppClient:
    """The app client of a user pool at which users sign in.

    Args:
        pool_id: the user pool; empty where it is not known, which only USER_PASSWORD_AUTH can do without.
        secrets: none, or its client secrets; it has two while they are being replaced.
        flows: what is tried until the client allows one.
    """

    pool_id: str
    client_id: str
    secrets: tuple[Secret, ...] = ()
    flows: tuple[Flow, ...] = SAFEST_FIRST

    @property
    def usable_flows(self) -> tuple[Flow, ...]:
        """Return the flows that can be tried with what is known of the pool."""
        return self.flows if self.pool_id else tuple(flow for flow in self.flows if flow is Flow.USER_PASSWORD_AUTH)
