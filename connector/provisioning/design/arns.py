"""Amazon Resource Names of what is set up, in every partition (AWS General Reference, "ARNs").

Partitions: aws, aws-us-gov, aws-cn, aws-eusc (the European Sovereign Cloud).
"""

import re
from dataclasses import dataclass

from connector.errors import SetUpUnfit

_PARTITION = r"(?P<partition>aws(?:-[a-z]+)*)"
_POOL = re.compile(
    rf"arn:{_PARTITION}:cognito-idp:(?P<region>[a-z0-9-]+):(?P<account>\d{{12}}):userpool/(?P<pool>(?P<home>[a-z0-9-]+)_\w+)",
    re.ASCII,
)
_IAM = re.compile(
    rf"arn:{_PARTITION}:iam::(?P<account>\d{{12}}):(?P<kind>user|role)(?P<path>/(?:[!-~]+/)?)(?P<name>[\w+=,.@-]{{1,64}})",
    re.ASCII,
)
_QUEUE = re.compile(
    rf"arn:{_PARTITION}:sqs:(?P<region>[a-z0-9-]+):(?P<account>\d{{12}}):[\w-]{{1,80}}(?:\.fifo)?", re.ASCII
)
_SECRET = re.compile(
    rf"arn:{_PARTITION}:secretsmanager:(?P<region>[a-z0-9-]+):(?P<account>\d{{12}}):secret:[\w/+=.@-]+", re.ASCII
)
_SESSION = re.compile(rf"arn:{_PARTITION}:sts::(?P<account>\d{{12}}):assumed-role/(?P<name>[\w+=,.@-]+)/.+", re.ASCII)
POOL_EXAMPLE = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_AbCdEf123"


@dataclass(frozen=True, slots=True)
class PoolArn:
    """The ARN of a user pool."""

    partition: str
    region: str
    account: str
    pool_id: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:cognito-idp:{self.region}:{self.account}:userpool/{self.pool_id}"

    def iam(self, kind: str, path: str, name: str) -> str:
        """Return the ARN of an IAM object in the pool's account.

        Args:
            kind: `policy`, `role`, `user` or `instance-profile`.
            path: begins and ends with a slash.
            name: of the object.
        """
        return f"arn:{self.partition}:iam::{self.account}:{kind}{path}{name}"


@dataclass(frozen=True, slots=True)
class IamArn:
    """The ARN of an IAM user or role.

    Args:
        kind: `user` or `role`.
        path: begins and ends with a slash.
    """

    partition: str
    account: str
    kind: str
    path: str
    name: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:iam::{self.account}:{self.kind}{self.path}{self.name}"


def parse_pool_arn(text: str) -> PoolArn:
    """Read the ARN of a user pool.

    Raises:
        SetUpUnfit: it is not one, or names two Regions.
    """
    match = _POOL.fullmatch(text)
    if match is None:
        raise SetUpUnfit(
            f"{text!r} is not the ARN of a user pool.",
            remedy=f"Copy it from the pool's page in the Cognito console; it looks like {POOL_EXAMPLE}.",
        )
    if match["region"] != match["home"]:
        raise SetUpUnfit(
            f"The ARN says that the pool {match['pool']} is in {match['region']}, and the pool's id {match['home']}.",
            remedy="Copy the ARN again; both name the Region that the pool was made in.",
        )
    return PoolArn(match["partition"], match["region"], match["account"], match["pool"])


def parse_iam_arn(text: str) -> IamArn | None:
    """Read the ARN of a user or role, None if it is anything else."""
    match = _IAM.fullmatch(text)
    return IamArn(match["partition"], match["account"], match["kind"], match["path"], match["name"]) if match else None


def role_of_session(arn: str) -> str:
    """Return the name of the role that a session's ARN is of, empty if it is not a session of a role."""
    match = _SESSION.fullmatch(arn)
    return match["name"] if match else ""


def is_queue_arn(text: str) -> bool:
    """Tell whether a text is the ARN of a queue."""
    return bool(_QUEUE.fullmatch(text))


def is_secret_arn(text: str) -> bool:
    """Tell whether a text is the ARN of one secret."""
    return bool(_SECRET.fullmatch(text))
