"""Secrets Manager as it drives a rotation function: four steps under one token, all of them again after a failure."""

import json
from dataclasses import dataclass, field
from functools import cache

import boto3

from connector.errors import RotationError
from connector.rotation.aws.aws_clients import AwsDoor
from connector.rotation.model.allowed import Allowed
from connector.rotation.secrets_manager_function import RotationFunction, Step, StepRequest
from connector.rotation.sign_in.flows import Flow
from connector.rotation.targets.secret_target import Deployment
from connector.rotation.vaults.secret_document import Mode
from tests.fakes.rotation.cloud import POOL_ID, REGION, ROTATOR, Cloud

NAME = "CognitoUserPool/freddy-user-pool/AutoRotatedPasswordUsers/freddy-tester"
USER, OLD = "freddy-tester", "Temp-Password-123"
BLOG = Deployment(flows=(Flow.USER_PASSWORD_AUTH,))
ADMINISTRATOR = Deployment(POOL_ID, Mode.ADMIN, administered=Allowed(patterns=("freddy-*",)))
TOTP_SEED = "JBSWY3DPEHPK3PXP"
ROUNDS_AT_MOST = 6
LOCK_OUT = 900

WAYS = {
    "blog": {},
    "own, SRP, client secret": {"user_pool_id": POOL_ID, "auth_flow": "USER_SRP_AUTH", "client_secret": "s1"},
    "administrator": {"user_pool_id": POOL_ID, "mode": "admin"},
}


class Killed(BaseException):
    """The function's process ends at once."""


@cache
def shared_session():
    """Return a session of the rotator; made once, for loading the models of the services takes its time."""
    return boto3.Session(aws_access_key_id=ROTATOR.key_id, aws_secret_access_key=ROTATOR.secret, region_name=REGION)


@dataclass
class AwsRotates:
    """One secret about one user, and what rotates it; `session` is the function's, for who wants to kill it."""

    cloud: Cloud
    keys: dict[str, str] = field(default_factory=dict)
    deployment: Deployment | None = None

    def __post_init__(self):
        secrets = [self.keys["client_secret"]] if "client_secret" in self.keys else []
        self.cloud.pool.add_user(USER, OLD)
        self.cloud.pool.add_client("freddy-client", secrets=secrets)
        shown = {"clientid": "freddy-client", "username": USER, "password": OLD, **self.keys, "note": ["kept", 1.5]}
        self.secret = self.cloud.secrets.create(NAME, json.dumps(shown))
        self.session = shared_session()

    @property
    def function(self):
        """The function, as one invocation finds it."""
        door = AwsDoor(self.session, REGION, self.cloud.endpoint_url)
        by_administrator = self.keys.get("mode") == "admin"
        deployment = self.deployment or (ADMINISTRATOR if by_administrator else BLOG)
        return RotationFunction(door, deployment, now=self.cloud.clock.now, sleep=self.cloud.clock.sleep)

    def begin(self):
        """Begin a rotation and return its token."""
        return self.cloud.secrets.begin_rotation(NAME)

    def step(self, step, token, *, seconds_left=120, **more):
        """Run one step."""
        event = {"Step": step, "SecretId": self.secret.arn, "ClientRequestToken": token, **more}
        return self.function.run(StepRequest.read(event), seconds_left=seconds_left)

    def steps(self, token):
        """Run all four."""
        return [self.step(step, token) for step in Step]

    def rotate(self, token=None):
        """Rotate as AWS does, and return how many rounds it took."""
        token = token or self.begin()
        for number in range(1, ROUNDS_AT_MOST + 1):
            try:
                self.steps(token)
            except (RotationError, Killed):
                self.cloud.clock.sleep(LOCK_OUT)
            else:
                self.cloud.secrets.end_rotation(NAME)
                return number
        raise AssertionError("no round came to its end")

    def kept(self, label="AWSCURRENT"):
        """Return what a version says."""
        text = self.secret.text(label)
        return None if text is None else json.loads(text)

    def signs_in(self, label="AWSCURRENT"):
        """Tell whether the password of a version is live."""
        kept = self.kept(label)
        return kept is not None and self.cloud.pool.signs_in(USER, kept["password"])

    def is_kept(self):
        """Tell whether some labelled version signs in: the invariant of every instant."""
        return any(self.signs_in(label) for label in ("AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"))

    def assert_rotated(self):
        """The current version signs in, the old password does not, and every other key is as it was."""
        current = self.kept()
        assert self.signs_in()
        assert not self.cloud.pool.signs_in(USER, OLD)
        assert current["password"] != OLD
        assert {key: value for key, value in current.items() if key != "password"} == {
            "clientid": "freddy-client",
            "username": USER,
            **self.keys,
            "note": ["kept", 1.5],
        }
