"""The console password of an IAM user (IAM API reference: UpdateLoginProfile).

No API signs in with a console password, so none can be proved: what can be looked at is said, and no more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from connector.errors import RotationDenied, RotationError, TargetUnfit
from connector.rotation.aws.errors import AwsCall, aws_error_code, rotation_faults
from connector.rotation.model.allowed import Allowed
from connector.rotation.model.policy import ASSUMED, IAM_DEFAULT, IAM_SYMBOLS, CharacterClass, PasswordPolicy
from connector.rotation.model.ports import Account, Proof, Verdict
from connector.rotation.model.secret import Secret

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient

_NO_PROOF = "IAM has no sign-in that proves a console password"
_LONGEST_CONSOLE_PASSWORD = 128
_ACCOUNT_CLASSES = {
    "RequireUppercaseCharacters": CharacterClass.UPPERCASE,
    "RequireLowercaseCharacters": CharacterClass.LOWERCASE,
    "RequireNumbers": CharacterClass.DIGIT,
    "RequireSymbols": CharacterClass.SYMBOL,
}
_ASSUMED_OF_AN_ACCOUNT = PasswordPolicy(
    minimum_length=ASSUMED.minimum_length,
    maximum_length=_LONGEST_CONSOLE_PASSWORD,
    symbols=IAM_SYMBOLS,
    known=False,
)


@dataclass(frozen=True, slots=True)
class AwsAccount:
    """The account that credentials belong to.

    Args:
        number: twelve digits.
        partition: `aws`, `aws-us-gov` or `aws-cn`.
        alias: its name in sign-in addresses; empty if it has none, or it may not be read.
    """

    number: str
    partition: str
    alias: str = ""


class IamUser:
    """An IAM user with a console password.

    Args:
        iam: made by `AwsDoor`, so that it sends nothing twice.
        sts: of the same door: the same credentials, in the same Region.
        username: the user's name, without path.
        allowed: the users that may be rotated; groups of IAM are not looked at.
        assumed_policy: what is taken for the account's policy where that may not be read.
    """

    needs_current = False

    def __init__(
        self,
        iam: "IAMClient",
        sts: "STSClient",
        *,
        username: str,
        allowed: Allowed,
        assumed_policy: PasswordPolicy = _ASSUMED_OF_AN_ACCOUNT,
    ) -> None:
        self._iam = iam
        self._sts = sts
        self._username = username
        self._allowed = allowed
        self._assumed_policy = assumed_policy

    @property
    def identity(self) -> str:
        """The key of lock and journal; asks STS once for the account."""
        return f"iam-user {self._caller.number}/{self._username}"

    def account(self) -> AwsAccount:
        """Return the account that the user is in, with its alias where that may be read."""
        try:
            with rotation_faults(self._call("iam:ListAccountAliases")):
                aliases = self._iam.list_account_aliases()["AccountAliases"]
        except RotationError:
            return self._caller
        return AwsAccount(self._caller.number, self._caller.partition, aliases[0] if aliases else "")

    def examine(self) -> Account:
        """Look whether the password may be rotated; see `Target.examine`."""
        self._allowed.check(str(self), called=(self._username,), groups=lambda: ())
        must_change = self._must_change()
        policy, notes = self._read_policy()
        state = "to be changed at the next sign-in" if must_change else "permanent"
        return Account(self.identity, state, policy, notes)

    def set_password(self, candidate: Secret, *, current: Secret | None) -> None:
        """Make the candidate the password, for good; see `Target.set_password`."""
        del current  # an administrator needs none
        with rotation_faults(self._call("iam:UpdateLoginProfile", changes=True)):
            self._iam.update_login_profile(
                UserName=self._username, Password=candidate.reveal(), PasswordResetRequired=False
            )

    def rehearse(self, current: Secret | None) -> Proof:
        """Go on: there is no proof that could be rehearsed."""
        del current
        return Proof(Verdict.UNVERIFIABLE)

    def release(self) -> None:
        """End nothing: there is no session."""

    def prove(self, password: Secret) -> Proof:
        """Say what can be seen, which is not whether it is the password."""
        del password
        try:
            must_change = self._must_change()
        except RotationDenied:
            raise
        except RotationError as error:
            return Proof(Verdict.UNVERIFIABLE, f"{_NO_PROOF}; {error.message}")
        seen = "the user must change it at the next sign-in" if must_change else "no change is asked of the user"
        return Proof(Verdict.UNVERIFIABLE, f"{_NO_PROOF}; the login profile exists, and {seen}")

    def __str__(self) -> str:
        return f"IAM user {self._username!r}"

    @cached_property
    def _caller(self) -> AwsAccount:
        with rotation_faults(self._call("sts:GetCallerIdentity")):
            answer = self._sts.get_caller_identity()
            return AwsAccount(answer["Account"], answer["Arn"].split(":")[1])

    def _must_change(self) -> bool:
        with rotation_faults(self._call("iam:GetLoginProfile")):
            try:
                profile = self._iam.get_login_profile(UserName=self._username)["LoginProfile"]
            except ClientError as error:
                if aws_error_code(error) != "NoSuchEntity":
                    raise
                raise self._without_profile() from None
            return bool(profile.get("PasswordResetRequired", False))

    def _without_profile(self) -> TargetUnfit:
        """Tell a user without console password from no user: GetLoginProfile answers the same to both."""
        try:
            with rotation_faults(self._call("iam:GetUser")):
                self._iam.get_user(UserName=self._username)
        except TargetUnfit:
            return TargetUnfit(f"There is no {self} in this account.", remedy="Check the name and the account.")
        except RotationError:
            return TargetUnfit(
                f"{self} does not exist or has no console password.", remedy="Allow iam:GetUser to learn which."
            )
        return TargetUnfit(f"{self} has no console password.", remedy="Give it one first (iam:CreateLoginProfile).")

    def _read_policy(self) -> tuple[PasswordPolicy, tuple[str, ...]]:
        try:
            with rotation_faults(self._call("iam:GetAccountPasswordPolicy")):
                described = self._iam.get_account_password_policy()["PasswordPolicy"]
        except TargetUnfit:  # NoSuchEntity: the account has no policy of its own
            return IAM_DEFAULT, ()
        except RotationDenied:
            assumed = self._assumed_policy
            note = (
                f"The account's password policy may not be read: at least {assumed.minimum_length} characters of every"
                " class are assumed. Allow iam:GetAccountPasswordPolicy."
            )
            return assumed, (note,)
        return account_policy(described), ()

    def _call(self, action: str, *, changes: bool = False) -> AwsCall:
        return AwsCall(action, str(self), changes=changes, candidate=changes)


def account_policy(described: Mapping[str, Any]) -> PasswordPolicy:
    """Return the policy that GetAccountPasswordPolicy describes."""
    return PasswordPolicy(
        minimum_length=int(described.get("MinimumPasswordLength", IAM_DEFAULT.minimum_length)),
        maximum_length=_LONGEST_CONSOLE_PASSWORD,
        required=frozenset(name for key, name in _ACCOUNT_CLASSES.items() if described.get(key)),
        symbols=IAM_SYMBOLS,
        history=int(described.get("PasswordReusePrevention", 0)),
    )
