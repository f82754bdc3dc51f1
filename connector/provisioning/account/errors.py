"""Translate what AWS and botocore say of a set-up into the error tree, at the edge.

What AWS writes beside a code is not repeated, for it can hold a document with the ExternalId; only who forbids a call
is taken from it (IAM User Guide, "Troubleshoot access denied error messages").
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from botocore import exceptions as aws

from connector.aws_codes import ACCESS_DENIED, CLOCK_OFF, EXPIRED_CREDENTIALS, THROTTLED, WRONG_KEYS
from connector.errors import ConnectorError, ProvisioningError, SetUpDenied, SetUpUnavailable, SetUpUnfit
from connector.rotation.aws.errors import AwsCall, aws_error_code

AGAIN = "What was done stays; run the command again, it goes on from there."
_FORBIDDEN_BY = {
    "service control policy": "a service control policy of the organisation",
    "resource control policy": "a resource control policy of the organisation",
    "permissions boundary": "a permissions boundary",
    "session policy": "the policy of the caller's session",
}


@contextmanager
def provisioning_faults(call: AwsCall) -> Iterator[None]:
    """Turn whatever an AWS call raises into the tree.

    Raises:
        SetUpDenied: AWS refuses the caller.
        SetUpUnavailable: no clear answer came, or AWS asks to wait.
        SetUpUnfit: what is asked cannot be done.
    """
    try:
        yield
    except ConnectorError:
        raise
    except aws.ClientError as error:
        raise _refused(error, call) from None
    except aws.BotoCoreError as error:
        raise _silent(error, call) from None
    except Exception as error:  # noqa: BLE001  botocore's parsers raise whatever an odd body makes of them
        raise _unanswered(call, type(error).__name__) from None


def is_refusal(error: aws.ClientError, code: str, words: str = "") -> bool:
    """Tell whether AWS refused with this code, and these words if any."""
    return aws_error_code(error) == code and words.lower() in _text(error).lower()


def _text(error: aws.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", ""))


def _refused(error: aws.ClientError, call: AwsCall) -> ProvisioningError:
    code = aws_error_code(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in ACCESS_DENIED:
        by = next((who for words, who in _FORBIDDEN_BY.items() if words in _text(error).lower()), "")
        return _denied(call, code, by)
    explain = _BY_CODE.get(code) or _by_status(status)
    return explain(call, code or f"HTTP {status}")


def _denied(call: AwsCall, code: str, by: str) -> SetUpDenied:
    if by:
        return SetUpDenied(f"{call} was denied by {by} ({code}).", remedy=f"Have {call.action} allowed there. {AGAIN}")
    return SetUpDenied(
        f"{call} was denied ({code}).",
        remedy=f"Allow {call.action} to the caller, or name another one with --profile. {AGAIN}",
    )


def _expired(call: AwsCall, code: str) -> SetUpDenied:
    return SetUpDenied(
        f"The caller's credentials expired before {call} ({code}).",
        remedy=f"Renew them, and see that this machine's clock is right. {AGAIN}",
    )


def _wrong_keys(call: AwsCall, code: str) -> SetUpDenied:
    return SetUpDenied(
        f"AWS does not accept the credentials with which {call} was signed ({code}).",
        remedy="Check the environment or --profile, the partition of the pool, and this machine's clock.",
    )


def _slow(call: AwsCall, code: str) -> SetUpUnavailable:
    return SetUpUnavailable(f"AWS is not ready for {call} ({code}).", remedy=f"Wait a moment. {AGAIN}")


def _limit(call: AwsCall, code: str) -> SetUpUnfit:
    return SetUpUnfit(
        f"A quota of IAM is used up, says {call} ({code}).",
        remedy=f"Remove what is not needed any more, or have the quota raised (Service Quotas, IAM). {AGAIN}",
    )


def _missing(call: AwsCall, code: str) -> SetUpUnfit:
    return SetUpUnfit(
        f"{_start(call.subject)} does not exist, says {call.action.partition(':')[2]} ({code}).",
        remedy="Check its name, its account and its Region.",
    )


def _exists(call: AwsCall, code: str) -> SetUpUnavailable:
    return SetUpUnavailable(
        f"{_start(call.subject)} is there already, or its name is used elsewhere in the account ({code}).",
        remedy="Run the command again. If it says so again, another path holds the name: take one with --prefix.",
    )


def _malformed(call: AwsCall, code: str) -> SetUpUnfit:
    return SetUpUnfit(
        f"IAM does not accept the document of {call.subject} ({code}).",
        remedy="If it trusts a user or role that is there already, see that it exists and that its ARN is right.",
    )


def _conflict(call: AwsCall, code: str) -> SetUpUnfit:
    return SetUpUnfit(
        f"{_start(call.subject)} is still used by something that this program did not make ({code}).",
        remedy="The IAM console shows where it is attached and what it has; remove that first. " + AGAIN,
    )


def _not_understood(call: AwsCall, code: str) -> SetUpUnfit:
    return SetUpUnfit(
        f"AWS does not accept the parameters of {call} ({code}).", remedy="Check names, paths and ARNs that were given."
    )


def _otherwise(call: AwsCall, code: str) -> SetUpUnfit:
    return SetUpUnfit(f"AWS refused {call} ({code}).", remedy="Look the code up in the API reference of the call.")


def _unanswered(call: AwsCall, why: str) -> SetUpUnavailable:
    done = "; it may have been done" if call.changes else ""
    return SetUpUnavailable(f"No clear answer came to {call} ({why}){done}.", remedy=f"Check the network. {AGAIN}")


def _silent(error: aws.BotoCoreError, call: AwsCall) -> ProvisioningError:
    kind = type(error).__name__
    if isinstance(error, (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError)):
        return SetUpDenied(
            f"{call} needs the credentials of an administrator, and none were found ({kind}).",
            remedy="Sign in to AWS in this environment, or name a profile with --profile.",
        )
    if isinstance(error, (aws.SSOError, aws.TokenRetrievalError)):
        return SetUpDenied(f"The sign-in of the profile is over ({kind}).", remedy=f"Run aws sso login. {AGAIN}")
    if isinstance(error, (aws.ParamValidationError, aws.ValidationError)):
        return _not_understood(call, kind)
    return _unanswered(call, kind)


def _start(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


_Explain = Callable[[AwsCall, str], ProvisioningError]

_NOT_READY = {
    "ConcurrentModification",
    "ConcurrentModificationException",
    "EntityTemporarilyUnmodifiable",
    "EntityTemporarilyUnmodifiableException",
}
_BY_CODE: Mapping[str, _Explain] = {
    **dict.fromkeys(EXPIRED_CREDENTIALS | CLOCK_OFF, _expired),
    **dict.fromkeys(WRONG_KEYS, _wrong_keys),
    **dict.fromkeys(THROTTLED | _NOT_READY, _slow),
    **dict.fromkeys(("LimitExceeded", "LimitExceededException"), _limit),
    **dict.fromkeys(("NoSuchEntity", "NoSuchEntityException", "ResourceNotFoundException"), _missing),
    **dict.fromkeys(("EntityAlreadyExists", "EntityAlreadyExistsException", "ResourceExistsException"), _exists),
    **dict.fromkeys(("MalformedPolicyDocument", "MalformedPolicyDocumentException"), _malformed),
    "DeleteConflict": _conflict,
    **dict.fromkeys(
        ("InvalidInput", "InvalidParameterException", "ValidationError", "ValidationException"), _not_understood
    ),
}


def _by_status(status: int) -> _Explain:
    if status >= 500:  # noqa: PLR2004  the server's own faults (RFC 9110, section 15.6)
        return _unanswered
    refused = {401: _wrong_keys, 429: _slow}
    return refused.get(status, _otherwise)
