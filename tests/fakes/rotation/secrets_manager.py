"""Secrets and their labelled versions (Secrets Manager API reference; "Rotate secrets").

Stricter than AWS in one point: a version without label is deleted at once, where AWS may do so at any time.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.refusals import Refusal

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
Parameters = Mapping[str, Any]
Result = dict[str, Any] | Refusal


@dataclass
class FakeSecret:
    """A secret: the text of each version, None for one that a rotation has announced, and where each label is."""

    name: str
    arn: str
    versions: dict[str, str | None] = field(default_factory=dict, repr=False)
    labels: dict[str, str] = field(default_factory=dict)
    rotation_enabled: bool | None = True
    rotation_tokens: list[str] = field(default_factory=list, repr=False)

    def text(self, label: str) -> str | None:
        """Return the text under a label, or None."""
        return self.versions.get(self.labels.get(label, ""))

    def move(self, label: str, version: str) -> None:
        """Put a label on a version; AWSPREVIOUS goes where AWSCURRENT was, and bare versions go."""
        if label == CURRENT and self.labels.get(CURRENT, version) != version:
            self.labels[PREVIOUS] = self.labels[CURRENT]
        self.labels[label] = version
        self.drop_bare_versions()

    def drop_bare_versions(self) -> None:
        """Delete what no label keeps."""
        for version in set(self.versions) - set(self.labels.values()):
            del self.versions[version]

    def stages(self) -> dict[str, list[str]]:
        """Return the labels of each version."""
        return {
            version: [label for label, place in self.labels.items() if place == version] for version in self.versions
        }


class FakeSecrets:
    """Every secret of the account; `account` and `region` make the ARNs."""

    def __init__(self, account: str, region: str) -> None:
        self._prefix = f"arn:aws:secretsmanager:{region}:{account}:secret:"
        self._secrets: dict[str, FakeSecret] = {}
        self.signed: dict[str, Callable[[Parameters], Result]] = {
            "DescribeSecret": self._of_secret(self._describe),
            "GetSecretValue": self._of_secret(self._get),
            "PutSecretValue": self._of_secret(self._put),
            "UpdateSecretVersionStage": self._of_secret(self._move_label),
        }

    def create(self, name: str, text: str) -> FakeSecret:
        """Create a secret whose first version is current."""
        secret = self._secrets[name] = FakeSecret(name, f"{self._prefix}{name}-AbCdEf")
        first = str(uuid.uuid4())
        secret.versions[first] = text
        secret.move(CURRENT, first)
        return secret

    def secret(self, name: str) -> FakeSecret:
        """Return a secret by name or ARN."""
        return next(secret for secret in self._secrets.values() if name in (secret.name, secret.arn))

    def begin_rotation(self, name: str) -> str:
        """Announce a rotation as RotateSecret does: AWSPENDING on an empty version; returns the token.

        Raises:
            RuntimeError: AWS would refuse, for an earlier one is not complete.
        """
        secret = self.secret(name)
        if secret.labels.get(PENDING, secret.labels[CURRENT]) != secret.labels[CURRENT]:
            raise RuntimeError("A previous rotation isn't complete. That rotation will be reattempted.")
        token = str(uuid.uuid4())
        secret.versions[token] = None
        secret.move(PENDING, token)
        return token

    def end_rotation(self, name: str) -> None:
        """Tidy up as AWS does behind a rotation that came to its end: AWSPENDING goes if it is on the current one."""
        secret = self.secret(name)
        if secret.labels.get(PENDING) == secret.labels[CURRENT]:
            del secret.labels[PENDING]

    def _of_secret(self, answer: Callable[[FakeSecret, Parameters], Result]) -> Callable[[Parameters], Result]:
        def answer_if_known(asked: Parameters) -> Result:
            known = (secret for secret in self._secrets.values() if asked["SecretId"] in (secret.name, secret.arn))
            secret = next(known, None)
            return answer(secret, asked) if secret else _missing("the specified secret.")

        return answer_if_known

    def _describe(self, secret: FakeSecret, _: Parameters) -> Result:
        shown = {"ARN": secret.arn, "Name": secret.name, "VersionIdsToStages": secret.stages()}
        return shown if secret.rotation_enabled is None else {**shown, "RotationEnabled": secret.rotation_enabled}

    def _get(self, secret: FakeSecret, asked: Parameters) -> Result:
        label = asked.get("VersionStage", "" if "VersionId" in asked else CURRENT)
        version = asked.get("VersionId") or secret.labels.get(label, "")
        if label and version in secret.versions and secret.labels.get(label) != version:
            text = "You provided a VersionStage that is not associated to the provided VersionId."
            return Refusal("InvalidRequestException", text)
        kept = secret.versions.get(version)
        if kept is None:
            what = f"VersionId: {version}" if "VersionId" in asked else f"staging label: {label}"
            return _missing(f"the specified secret value for {what}")
        stages = secret.stages()[version]
        return {
            "ARN": secret.arn,
            "Name": secret.name,
            "VersionId": version,
            "SecretString": kept,
            "VersionStages": stages,
        }

    def _put(self, secret: FakeSecret, asked: Parameters) -> Result:
        version, text = asked.get("ClientRequestToken") or str(uuid.uuid4()), asked["SecretString"]
        kept = secret.versions.get(version)
        if kept is not None and kept != text:
            reason = f"A resource with the ID you requested already exists. You can't modify version {version}."
            return Refusal("ResourceExistsException", reason)
        if "RotationToken" in asked:
            secret.rotation_tokens.append(asked["RotationToken"])
        if kept is None:
            secret.versions[version] = text
            for label in asked.get("VersionStages", [CURRENT]):
                secret.move(label, version)
        return {
            "ARN": secret.arn,
            "Name": secret.name,
            "VersionId": version,
            "VersionStages": secret.stages().get(version, []),
        }

    def _move_label(self, secret: FakeSecret, asked: Parameters) -> Result:
        label, goal, start = asked["VersionStage"], asked.get("MoveToVersionId"), asked.get("RemoveFromVersionId")
        holder = secret.labels.get(label)
        if goal is not None and goal not in secret.versions:
            return _missing(f"the specified secret version: {goal}")
        if start is not None and start != holder:
            return _invalid(f"The staging label {label} isn't attached to version {start}.")
        if goal is not None and holder not in (None, goal) and start is None:
            return _invalid(f"The parameter RemoveFromVersionId can't be empty. {label} is attached to {holder}.")
        if goal is None and (start is None or label == CURRENT):
            return _invalid("You must move AWSCURRENT to another version, or name a version to remove a label from.")
        if goal is None:
            del secret.labels[label]
            secret.drop_bare_versions()
        else:
            secret.move(label, goal)
        return {"ARN": secret.arn, "Name": secret.name}


def _missing(what: str) -> Refusal:
    return Refusal("ResourceNotFoundException", f"Secrets Manager can't find {what}")


def _invalid(text: str) -> Refusal:
    return Refusal("InvalidParameterException", text)
