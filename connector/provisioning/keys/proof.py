"""Prove a key by what the connector does with it: assume the role with the ExternalId."""

import boto3
from botocore.exceptions import ClientError

from connector.aws_codes import ACCESS_DENIED, WRONG_KEYS
from connector.errors import SetUpUnfit
from connector.provisioning.account.errors import provisioning_faults
from connector.provisioning.account.waiting import Consistency
from connector.provisioning.keys.vault import AccessKey
from connector.rotation.aws.aws_clients import AwsDoor
from connector.rotation.aws.errors import AwsCall, aws_error_code

_NOT_YET = ACCESS_DENIED | WRONG_KEYS
"""What STS answers while it does not know a new key, user, role or policy yet."""
_SHORTEST_SESSION = 900


def prove(key: AccessKey, role_arn: str, external_id: str, *, region: str, consistency: Consistency) -> None:
    """Assume the role with a key, waiting until AWS knows it.

    Raises:
        SetUpUnfit: AWS does not let the key in, however long it is waited for.
        SetUpUnavailable: STS cannot be reached.
    """
    session = boto3.Session(aws_access_key_id=key.key_id, aws_secret_access_key=key.secret.reveal())
    sts = AwsDoor(session, region).sts()
    call = AwsCall("sts:AssumeRole", f"access key {key.key_id}")
    for is_last in consistency.attempts(f"AWS lets the access key {key.key_id} assume the role"):
        with provisioning_faults(call):
            try:
                sts.assume_role(
                    RoleArn=role_arn,
                    RoleSessionName="cognito-scim-proof",
                    ExternalId=external_id,
                    DurationSeconds=_SHORTEST_SESSION,
                )
            except ClientError as error:
                if aws_error_code(error) not in _NOT_YET:
                    raise
                if is_last:
                    raise _refused(key, role_arn, aws_error_code(error)) from None
                continue
            return


def _refused(key: AccessKey, role_arn: str, code: str) -> SetUpUnfit:
    return SetUpUnfit(
        f"AWS does not let the access key {key.key_id} assume {role_arn} ({code}).",
        remedy="cognito-scim aws verify says what is wrong with the role, the user or the key.",
    )
