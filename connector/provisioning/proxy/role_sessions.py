"""Assume a role as the proxy's own user, whose key is in Secrets Manager: a role may chain for an hour only.

The session's tags come from verified claims, so that policies can name the user (IAM user guide, "Pass session tags").
"""

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from connector.provisioning.proxy.id_token import TokenSubject

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import AssumeRoleResponseTypeDef

SUBJECT_TAG, USERNAME_TAG = "CognitoSubject", "CognitoUsername"
_NOT_IN_NAMES = re.compile(r"[^\w+=,.@-]", re.ASCII)
_NOT_IN_TAGS = re.compile(r"[^\w .:/=+@-]")
_LONGEST_NAME, _LONGEST_TAG, _LONGEST_USERNAME = 64, 256, 40
_OUTDATED_KEY = {"InvalidClientTokenId", "SignatureDoesNotMatch"}


@dataclass(slots=True)
class RoleSessions:
    """Opens sessions of roles.

    Args:
        session: the function's own, which may read the secret.
        secret_id: holds `aws_access_key_id` and `aws_secret_access_key`.
    """

    session: boto3.Session
    secret_id: str
    _sts: "STSClient | None" = field(default=None, repr=False)

    def open(
        self, person: TokenSubject, role_arn: str, seconds: int, *, request_id: str
    ) -> "AssumeRoleResponseTypeDef":
        """Return what STS gives; a key that was replaced meanwhile is read once more.

        Raises:
            ClientError, BotoCoreError, ValueError: it gives nothing, or there is no key.
        """
        try:
            return self._assume(self._client(), person, role_arn, seconds, request_id)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in _OUTDATED_KEY:
                raise
        self._sts = None
        return self._assume(self._client(), person, role_arn, seconds, request_id)

    def _client(self) -> "STSClient":
        if self._sts is None:
            config = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=3, read_timeout=8)
            text = self.session.client("secretsmanager", config=config).get_secret_value(SecretId=self.secret_id)
            key = json.loads(text["SecretString"])
            self._sts = self.session.client(
                "sts",
                config=config,
                aws_access_key_id=str(key["aws_access_key_id"]),
                aws_secret_access_key=str(key["aws_secret_access_key"]),
                aws_session_token=None,
            )
        return self._sts

    def _assume(
        self, sts: "STSClient", person: TokenSubject, role_arn: str, seconds: int, request_id: str
    ) -> "AssumeRoleResponseTypeDef":
        tags: Any = [
            {"Key": SUBJECT_TAG, "Value": person.subject},
            {"Key": USERNAME_TAG, "Value": _NOT_IN_TAGS.sub("_", person.username)[:_LONGEST_TAG]},
        ]
        return sts.assume_role(
            RoleArn=role_arn,
            RoleSessionName=session_name(person.username, request_id),
            DurationSeconds=seconds,
            Tags=tags,
        )


def session_name(username: str, request_id: str) -> str:
    """Return a RoleSessionName that CloudTrail can be searched by: the user, and the request that asked."""
    user = _NOT_IN_NAMES.sub("_", username)[:_LONGEST_USERNAME]
    return _NOT_IN_NAMES.sub("_", f"cognito-{user}-{request_id}")[:_LONGEST_NAME]
