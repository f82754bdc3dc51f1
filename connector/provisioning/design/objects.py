"""What the AWS side should be: the objects that wishes make, in the order in which they can be made."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from connector.provisioning.design import documents
from connector.provisioning.design.arns import PoolArn
from connector.provisioning.design.documents import Document
from connector.provisioning.design.object_names import Names
from connector.provisioning.design.principals import Existing, HostRole, Principal, ServiceUser

SESSION_SECONDS = 3600
"""The least MaxSessionDuration that IAM knows; a role that is assumed from a role lasts no longer anyway."""


@dataclass(frozen=True, slots=True)
class RotationWish:
    """Whose passwords may be rotated, exactly.

    Args:
        pool_accounts: users of the pool, and groups whose members are meant.
        iam_users: names of IAM users, with their path where they have one.
        secret_arns: the secrets that keep the passwords.
    """

    pool_accounts: tuple[str, ...] = ()
    iam_users: tuple[str, ...] = ()
    secret_arns: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pool_accounts or self.iam_users)


@dataclass(frozen=True, slots=True)
class SetUpRequest:
    """What is to be set up.

    Args:
        pool: the pool that is read.
        principal: who may assume the role.
        names: what things are called.
        session_seconds: how long a session of the role may last.
        queue_arn: the queue of the change feed; empty means none.
        rotation: whose passwords may be rotated; nobody's by default.
    """

    pool: PoolArn
    principal: Principal = field(default_factory=ServiceUser)
    names: Names = field(default_factory=Names)
    session_seconds: int = SESSION_SECONDS
    queue_arn: str = ""
    rotation: RotationWish = field(default_factory=RotationWish)

    @property
    def role_arn(self) -> str:
        """The role that reads the pool."""
        return self.pool.iam("role", self.names.path, self.names.role)

    @property
    def rotation_role_arn(self) -> str:
        """The role that rotates; empty where nobody's password is rotated."""
        return self.pool.iam("role", self.names.path, self.names.rotation_role) if self.rotation else ""

    @property
    def principal_arn(self) -> str:
        """Who may assume the roles."""
        match self.principal:
            case Existing(arn):
                return str(arn)
            case ServiceUser():
                return self.pool.iam("user", self.names.path, self.names.user)
        return self.pool.iam("role", self.names.path, self.names.host_role)


@dataclass(frozen=True, slots=True)
class ExternalIds:
    """The ExternalIds of the roles; a role that is not wished for needs none."""

    read: str = field(repr=False)
    rotation: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Policy:
    """A managed policy."""

    name: str
    arn: str
    document: Document
    purpose: str


@dataclass(frozen=True, slots=True)
class User:
    """A user without password, who may do what the policies say.

    Args:
        policies: ARNs of the policies that are attached.
    """

    name: str
    arn: str
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Role:
    """A role.

    Args:
        trust: who may assume it.
        policies: ARNs of the policies that are attached.
        session_seconds: how long a session may last.
    """

    name: str
    arn: str
    trust: Document = field(repr=False)
    policies: tuple[str, ...]
    purpose: str
    session_seconds: int = SESSION_SECONDS


@dataclass(frozen=True, slots=True)
class InstanceProfile:
    """What gives EC2 instances a role; it has the role's name, as the console makes it."""

    name: str
    arn: str


Wanted = Policy | User | Role | InstanceProfile


def draw(wishes: SetUpRequest, external_ids: ExternalIds) -> tuple[Wanted, ...]:
    """Return everything that the wishes ask for; what is named by another comes before it."""
    return (*_policies(wishes), *_principal(wishes), *_roles(wishes, external_ids))


def _policies(wishes: SetUpRequest) -> Iterator[Policy]:
    names, pool = wishes.names, wishes.pool

    def policy(name: str, document: Document, purpose: str) -> Policy:
        return Policy(name, pool.iam("policy", names.path, name), document, purpose)

    yield policy(names.read_policy, documents.read_policy(str(pool)), "Reads one user pool")
    if wishes.queue_arn:
        yield policy(names.feed_policy, documents.feed_policy(wishes.queue_arn), "Reads the queue of the change feed")
    if wishes.rotation:
        yield policy(names.rotation_policy, _rotation_document(wishes), "Rotates passwords")
    if not isinstance(wishes.principal, Existing):
        yield policy(names.assume_policy, documents.assume_policy(wishes.role_arn), "Assumes the role that reads")
        if wishes.rotation:
            assume = documents.assume_policy(wishes.rotation_role_arn)
            yield policy(names.assume_rotation_policy, assume, "Assumes the role that rotates")


def _rotation_document(wishes: SetUpRequest) -> Document:
    rotation, pool = wishes.rotation, wishes.pool
    users = [pool.iam("user", "/", name.strip("/")) for name in rotation.iam_users]
    pool_arn = str(pool) if rotation.pool_accounts else ""
    return documents.rotation_policy(pool_arn, iam_user_arns=users, secret_arns=rotation.secret_arns)


def _principal(wishes: SetUpRequest) -> Iterator[Wanted]:
    names, pool = wishes.names, wishes.pool
    assumes = [names.assume_policy, *([names.assume_rotation_policy] if wishes.rotation else [])]
    policies = tuple(pool.iam("policy", names.path, name) for name in assumes)
    match wishes.principal:
        case ServiceUser():
            yield User(names.user, wishes.principal_arn, policies)
        case HostRole(trust, what, on_instance):
            yield Role(names.host_role, wishes.principal_arn, trust, policies, f"Carried by {what}")
            if on_instance:
                yield InstanceProfile(names.host_role, pool.iam("instance-profile", names.path, names.host_role))


def _roles(wishes: SetUpRequest, external_ids: ExternalIds) -> Iterator[Role]:
    names, pool = wishes.names, wishes.pool
    held = [names.read_policy, *([names.feed_policy] if wishes.queue_arn else [])]
    yield Role(
        names.role,
        wishes.role_arn,
        documents.external_id_trust(wishes.principal_arn, external_ids.read),
        tuple(pool.iam("policy", names.path, name) for name in held),
        "Reads one user pool for cognito-scim",
        wishes.session_seconds,
    )
    if wishes.rotation:
        yield Role(
            names.rotation_role,
            wishes.rotation_role_arn,
            documents.external_id_trust(wishes.principal_arn, external_ids.rotation),
            (pool.iam("policy", names.path, names.rotation_policy),),
            "Rotates passwords for cognito-scim",
        )
