"""What the environment of the rotation function says; the names are not the command's, which takes COGNITO_SCIM_*."""

from collections.abc import Mapping

from connector.rotation.model.allowed import Allowed
from connector.rotation.sign_in.flows import SAFEST_FIRST
from connector.rotation.targets.secret_target import Deployment
from connector.rotation.vaults.secret_document import Mode, choose, choose_flows


def read_environment(environment: Mapping[str, str]) -> Deployment:
    """Return what holds for every secret that the function rotates.

    Raises:
        VaultUnfit: it names no way or flow that there is.
    """

    def read(name: str) -> str | None:
        return environment.get(f"ROTATION_{name}") or None

    def read_names(name: str) -> tuple[str, ...]:
        return tuple(filter(None, (part.strip() for part in (read(name) or "").split(","))))

    return Deployment(
        pool_id=read("USER_POOL_ID") or "",
        mode=choose(Mode, "ROTATION_MODE", read("MODE")) or Mode.SELF,
        flows=choose_flows("ROTATION_AUTH_FLOW", read("AUTH_FLOW")) or SAFEST_FIRST,
        administered=Allowed(
            patterns=read_names("ALLOWED_USERS"),
            groups=frozenset(read_names("ALLOWED_GROUPS")),
            where="ROTATION_ALLOWED_USERS or ROTATION_ALLOWED_GROUPS of the function",
        ),
    )
