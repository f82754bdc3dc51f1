"""Tell a pool that tracks devices that this one is known; without that, its refresh token is worth nothing.

A verifier is handed over as a password's would be (Cognito developer guide, "Working with user devices"). Nobody ever
signs in by it, so its password is drawn and forgotten; the device's key goes with every refresh.
"""

import base64
import logging
import secrets
from typing import TYPE_CHECKING

from connector.access.aws_faults import aws_answers
from connector.errors import LoginError
from connector.rotation.sign_in.dialogue import SignInStep
from connector.rotation.sign_in.srp import GENERATOR, GROUP, hash_to_int, pad

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

_log = logging.getLogger(__name__)
_SALT_BITS = 127
_PASSWORD_BYTES = 40


def confirm_device(cognito: "CognitoIdentityProviderClient", step: SignInStep) -> str:
    """Confirm the device that a sign-in has made, and return its key; empty where the pool tracks none."""
    if not step.device_key or step.access_token is None:
        return ""
    salt, verifier = device_verifier(step.device_group, step.device_key)
    try:
        with aws_answers("ConfirmDevice for the user pool"):
            cognito.confirm_device(
                AccessToken=step.access_token.reveal(),
                DeviceKey=step.device_key,
                DeviceSecretVerifierConfig={"PasswordVerifier": verifier, "Salt": salt},
                DeviceName="cognito-scim",
            )
    except LoginError as error:
        _log.warning("The pool does not remember this device, so the session may not be renewed: %s", error)
    return step.device_key


def device_verifier(group: str, key: str) -> tuple[str, str]:
    """Return salt and verifier of a device, in base64 (RFC 5054, section 2.5.3, with the group before the key)."""
    password = base64.b64encode(secrets.token_bytes(_PASSWORD_BYTES)).decode()
    salt = pad(secrets.randbits(_SALT_BITS))
    inner = hash_to_int(f"{group}{key}:{password}".encode()).to_bytes(32, "big")
    verifier = pow(GENERATOR, hash_to_int(salt, inner), GROUP)
    return base64.b64encode(salt).decode(), base64.b64encode(pad(verifier)).decode()
