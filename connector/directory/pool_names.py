"""The names that follow from the id of a user pool: its Region, and how IAM and tokens call it.

`aws-region_id` is all that there is (Cognito API reference, UserPoolIdType); hosts end as the partition's do.
"""

import re

_POOL_ID = re.compile(r"(?P<region>[a-z]{2,}(?:-[a-z]+)+-[0-9]+)_[0-9a-zA-Z]+")
_PARTITIONS = {"cn": "aws-cn", "us-gov": "aws-us-gov", "eusc": "aws-eusc"}
_HOSTS_END_WITH = {"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}


def pool_region(pool_id: str) -> str:
    """Return the Region of a user pool.

    Raises:
        ValueError: it is not the id of a user pool.
    """
    match = _POOL_ID.fullmatch(pool_id)
    if match is None:
        raise ValueError("not the id of a user pool")
    return match["region"]


def partition_of(region: str) -> str:
    """Return the partition of a Region, which its ARNs begin with."""
    found = (name for start, name in _PARTITIONS.items() if region.startswith(f"{start}-"))
    return next(found, "aws")


def provider_name(pool_id: str) -> str:
    """Return how identity pools and IAM call a user pool: the issuer without its scheme.

    Raises:
        ValueError: it is not the id of a user pool.
    """
    region = pool_region(pool_id)
    return f"cognito-idp.{region}.{_HOSTS_END_WITH.get(partition_of(region), 'amazonaws.com')}/{pool_id}"


def issuer(pool_id: str) -> str:
    """Return the `iss` of a user pool's tokens (Cognito developer guide, "Verifying JSON web tokens").

    Raises:
        ValueError: it is not the id of a user pool.
    """
    return f"https://{provider_name(pool_id)}"
