"""Policies that keep users apart, in every way of federation: each carries who it is under another name.

An identity pool's sessions have the identity's id, STS's web identity sessions the pool's `sub`, the proxy's sessions a
tag. A policy with another way's variable matches nobody (IAM user guide, "IAM policy elements: variables and tags").
"""

import re
from enum import StrEnum

from connector.directory.pool_names import partition_of, provider_name
from connector.provisioning.authoriser.templates import Document, fill
from connector.provisioning.proxy.role_sessions import SUBJECT_TAG

_NOT_IN_NAMES = re.compile(r"[^\w+=,.@-]", re.ASCII)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}")


class Way(StrEnum):
    """How a person came to a session."""

    IDENTITY_POOL = "identity-pool"
    WEB_IDENTITY = "web-identity"
    LAMBDA = "lambda"


def user_variable(way: Way, pool_id: str) -> str:
    """Return the policy variable that says who it is.

    Raises:
        ValueError: web identity needs the id of the user pool.
    """
    match way:
        case Way.IDENTITY_POOL:
            return "${cognito-identity.amazonaws.com:sub}"
        case Way.WEB_IDENTITY:
            return f"${{{provider_name(pool_id)}:sub}}"
        case Way.LAMBDA:
            return f"${{aws:PrincipalTag/{SUBJECT_TAG}}}"


def bucket_policy(bucket: str, way: Way, pool_id: str, *, region: str, user_specific: bool) -> tuple[str, Document]:
    """Return name and document of a policy for a bucket.

    Args:
        bucket: its name.
        way: in which the users come.
        pool_id: their user pool.
        region: whose partition the bucket is in.
        user_specific: whether each user has a folder of its own, and nothing else.

    Raises:
        ValueError: it is not the name of a bucket.
    """
    if not _BUCKET.fullmatch(bucket):
        raise ValueError("is not the name of a bucket")
    values = {"bucket_name": bucket, "partition": partition_of(region)}
    name = bucket.replace("-", "_")
    if user_specific:
        filled = fill("s3-user-isolation", user_variable=user_variable(way, pool_id), **values)
        return f"S3UserIsolationPolicy_{name}", filled
    return f"S3AccessPolicy_{name}", fill("s3-access", **values)


def table_policy(table: str, way: Way, pool_id: str, *, region: str, account: str) -> tuple[str, Document]:
    """Return name and document of a policy that lets each user read and write the items under its own key.

    Raises:
        ValueError: it is not the name of a table.
    """
    if not _TABLE.fullmatch(table):
        raise ValueError("is not the name of a table")
    document = fill(
        "dynamodb-user-isolation",
        user_variable=user_variable(way, pool_id),
        table_name=table,
        region=region,
        account_id=account,
        partition=partition_of(region),
    )
    return f"DynamoDBUserIsolationPolicy_{_NOT_IN_NAMES.sub('_', table.replace('-', '_'))}", document
