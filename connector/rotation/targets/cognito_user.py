"""A user of a Cognito user pool whose password is to be rotated: as administrator, or as the user.

The administrator's way (AdminSetUserPassword) needs rights and no password; the user's own way (ChangePassword, or the
answer to NEW_PASSWORD_REQUIRED) needs the password and no rights.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from connector.errors import CurrentRefused, RotationDenied, TargetUnfit
from connector.rotation.aws.errors import AwsCall, rotation_faults
from connector.rotation.model.allowed import Allowed
from connector.rotation.model.policy import ASSUMED, CharacterClass, PasswordPolicy
from connector.rotation.model.ports import Account, Proof, Verdict
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.dialogue import Challenge, SignInStep
from connector.rotation.sign_in.errors import sign_in_faults
from connector.rotation.sign_in.sign_in import SignIn

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

_ORDINARY_STATES = frozenset({"CONFIRMED", "FORCE_CHANGE_PASSWORD", "RESET_REQUIRED"})
_FEDERATED = "EXTERNAL_PROVIDER"
_GROUP_PAGES_AT_MOST = 100
"""A user is in 100 groups at most (Cognito quotas)."""
_SENDS_MESSAGES = frozenset({"SMS_MFA", "EMAIL_OTP"})
_REQUIRED_CLASSES = {
    "RequireUppercase": CharacterClass.UPPERCASE,
    "RequireLowercase": CharacterClass.LOWERCASE,
    "RequireNumbers": CharacterClass.DIGIT,
    "RequireSymbols": CharacterClass.SYMBOL,
}


@dataclass(frozen=True, slots=True)
class PoolUser:
    """Who is to be rotated, and what is known of it beforehand.

    Args:
        pool_id: the user pool; empty where it is not known, which the user's own way can do without.
        username: any name by which it is found.
        allowed: the accounts that may be rotated.
        assumed_policy: what is taken for the pool's policy where that may not be read.
        unusual_states: states besides the ordinary ones in which its password may be set; setting one makes an
            UNCONFIRMED user CONFIRMED.
        attributes: required ones that it may lack, by name, for its first password.
    """

    pool_id: str
    username: str
    allowed: Allowed
    assumed_policy: PasswordPolicy = ASSUMED
    unusual_states: frozenset[str] = frozenset()
    attributes: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return f"user {self.username!r} of pool {self.pool_id or 'unknown'}"


class _UserOfPool(ABC):
    """What both ways share: the names, the policy, the groups."""

    def __init__(self, cognito: "CognitoIdentityProviderClient", user: PoolUser) -> None:
        self._cognito = cognito
        self._user = user
        self._name = ""

    @property
    def identity(self) -> str:
        """The key of lock and journal, one for all names of a user: asks the pool once for the name behind an alias."""
        self._name = self._name or self._find_name()
        return identify(self._user.pool_id, self._name)

    @abstractmethod
    def _find_name(self) -> str:
        """Return the user's name as the pool knows it."""

    def _call(self, operation: str, *, changes: bool = False) -> AwsCall:
        return AwsCall(f"cognito-idp:{operation}", str(self._user), changes=changes, candidate=changes)

    def _check_allowed(self, *called: str, groups: Callable[[], Iterator[str]]) -> None:
        self._user.allowed.check(str(self._user), called=called, groups=groups, is_group=self._is_group)

    def _is_group(self, name: str) -> bool:
        """Tell whether a name is a group's; where that may not be told, it is taken for a user's."""
        try:
            with rotation_faults(self._call("ListUsersInGroup")):
                self._cognito.list_users_in_group(UserPoolId=self._user.pool_id, GroupName=name, Limit=1)
        except (TargetUnfit, RotationDenied):
            return False
        return True

    def _groups(self) -> Iterator[str]:
        request: dict[str, Any] = {"UserPoolId": self._user.pool_id, "Username": self._user.username}
        for _ in range(_GROUP_PAGES_AT_MOST):
            with rotation_faults(self._call("AdminListGroupsForUser")):
                page = self._cognito.admin_list_groups_for_user(**request)
            yield from (group["GroupName"] for group in page.get("Groups", []) if "GroupName" in group)
            if not page.get("NextToken"):
                return
            request["NextToken"] = page["NextToken"]

    def _read_policy(self) -> tuple[PasswordPolicy, tuple[str, ...]]:
        """Return the pool's policy, or the assumed one with a note."""
        if not self._user.pool_id:
            return self._assume_policy("The pool is not named, so its password policy is not read")
        try:
            with rotation_faults(self._call("DescribeUserPool")):
                pool = self._cognito.describe_user_pool(UserPoolId=self._user.pool_id)["UserPool"]
                return pool_policy(pool["Policies"]["PasswordPolicy"]), ()
        except RotationDenied:
            return self._assume_policy("The pool's password policy may not be read (cognito-idp:DescribeUserPool)")

    def _assume_policy(self, why: str) -> tuple[PasswordPolicy, tuple[str, ...]]:
        assumed = replace(self._user.assumed_policy, known=False)
        return assumed, (f"{why}: at least {assumed.minimum_length} characters of every class are assumed.",)


class AdministeredUser(_UserOfPool):
    """A user whose password an administrator sets.

    Args:
        cognito: made by `AwsDoor`, so that it sends nothing twice.
        user: who.
        sign_in: proves passwords; without an app client none can be proved.
    """

    needs_current = False

    def __init__(
        self, cognito: "CognitoIdentityProviderClient", user: PoolUser, *, sign_in: SignIn | None = None
    ) -> None:
        super().__init__(cognito, user)
        self._sign_in = sign_in
        self._can_sign_in = True

    def examine(self) -> Account:
        """Look whether the password may be rotated; see `Target.examine`."""
        found = self._get_user()
        self._name = found["Username"]
        self._check_allowed(self._user.username, self._name, groups=self._groups)
        state = str(found.get("UserStatus", "UNKNOWN"))
        self._check_state(state, enabled=found.get("Enabled", True))
        self._can_sign_in = state in _ORDINARY_STATES
        policy, notes = self._read_policy()
        return Account(self.identity, state, policy, (*notes, *self._remarks(found.get("UserMFASettingList", []))))

    def set_password(self, candidate: Secret, *, current: Secret | None) -> None:
        """Make the candidate the password, for good; see `Target.set_password`."""
        del current  # an administrator needs none
        with rotation_faults(self._call("AdminSetUserPassword", changes=True)):
            self._cognito.admin_set_user_password(
                UserPoolId=self._user.pool_id,
                Username=self._user.username,
                Password=candidate.reveal(),
                Permanent=True,
            )

    def rehearse(self, current: Secret | None) -> Proof:
        """Find out whether a password can be proved here; see `Target.rehearse`."""
        if self._sign_in is None:
            return Proof(Verdict.UNVERIFIABLE)
        return self._sign_in.rehearse(current) if self._can_sign_in else Proof(Verdict.UNDECIDED)

    def release(self) -> None:
        """End nothing: a rehearsal keeps no session."""

    def prove(self, password: Secret) -> Proof:
        """Try to sign in, once; see `Target.prove`."""
        if self._sign_in is None:
            return Proof(Verdict.UNVERIFIABLE, "no app client is configured at which to sign in")
        return self._sign_in.prove(password)

    def sign_out(self) -> None:
        """End every session of the user."""
        with rotation_faults(self._call("AdminUserGlobalSignOut")):
            self._cognito.admin_user_global_sign_out(UserPoolId=self._user.pool_id, Username=self._user.username)

    def _get_user(self) -> dict[str, Any]:
        with rotation_faults(self._call("AdminGetUser")):
            found = self._cognito.admin_get_user(UserPoolId=self._user.pool_id, Username=self._user.username)
            return {**found, "Username": str(found["Username"])}

    def _find_name(self) -> str:
        return str(self._get_user()["Username"])

    def _check_state(self, state: str, *, enabled: bool) -> None:
        if state == _FEDERATED:
            raise TargetUnfit(
                f"{self._user} is federated: its password is at another identity provider.",
                remedy="Rotate it there. A password set here would turn it into a local user.",
            )
        if not enabled:
            raise TargetUnfit(f"{self._user} is disabled.", remedy="Enable it, or do not rotate it.")
        if state not in _ORDINARY_STATES | self._user.unusual_states:
            raise TargetUnfit(
                f"{self._user} is in the state {state}, which setting a password would change or not help.",
                remedy="Bring the user in order first.",
            )

    def _remarks(self, factors: Sequence[str]) -> Iterator[str]:
        if self._sign_in and not _SENDS_MESSAGES.isdisjoint(factors):
            yield "Each proof by signing in may send the user a message: a factor is SMS or e-mail."


class SelfServedUser(_UserOfPool):
    """A user who changes the password as users do: by signing in with the current one.

    Args:
        cognito: made by `AwsDoor`, so that it sends nothing twice; its credentials may be able to do nothing.
        user: who.
        sign_in: signs the user in.
    """

    needs_current = True

    def __init__(self, cognito: "CognitoIdentityProviderClient", user: PoolUser, *, sign_in: SignIn) -> None:
        super().__init__(cognito, user)
        self._sign_in = sign_in
        self._begun: tuple[Secret, SignInStep] | None = None

    def examine(self) -> Account:
        """Look whether the password may be rotated; see `Target.examine`."""
        self._check_allowed(self._user.username, groups=self._groups_if_readable)
        policy, notes = self._read_policy()
        self._name = self._sign_in.find_name()
        return Account(self.identity, "as the user sees it", policy, notes)

    def set_password(self, candidate: Secret, *, current: Secret | None) -> None:
        """Make the candidate the password, for good; see `Target.set_password`."""
        if current is None:
            raise CurrentRefused(f"The current password of {self._user} is not known.", remedy="Store it in the vault.")
        reached = self._sign_in.answer_factor(self._begin(current))
        if reached.challenge == Challenge.NEW_PASSWORD_REQUIRED:
            attributes = self._missing_attributes(reached)
            self._sign_in.leave(self._sign_in.answer_new_password(reached, candidate, attributes))
            return
        token = self._check_signed_in(reached)
        try:
            self._change(token, candidate, current)
        finally:
            self._sign_in.leave(reached)

    def rehearse(self, current: Secret | None) -> Proof:
        """Sign in as far as the password leads, and keep the session for `set_password`; see `Target.rehearse`."""
        if current is None:
            return Proof(Verdict.UNDECIDED)
        try:
            reached = self._sign_in.begin(current)
        except CurrentRefused:
            return Proof(Verdict.REFUSED)
        self._begun = current, reached
        if reached.challenge == Challenge.NEW_PASSWORD_REQUIRED:
            self._missing_attributes(reached)
        elif reached.access_token is None and not self._sign_in.can_answer(reached):
            self._check_signed_in(reached)
        return Proof(Verdict.ACCEPTED)

    def release(self) -> None:
        """End the session that a rehearsal kept."""
        if self._begun is not None:
            self._sign_in.leave(self._begun[1])
            self._begun = None

    def prove(self, password: Secret) -> Proof:
        """Try to sign in, once; see `Target.prove`."""
        return self._sign_in.prove(password)

    def _begin(self, current: Secret) -> SignInStep:
        """Go on with the session that a rehearsal kept, else sign in."""
        if self._begun is not None and self._begun[0] == current:
            reached, self._begun = self._begun[1], None
            return reached
        return self._sign_in.begin(current)

    def _find_name(self) -> str:
        return self._sign_in.find_name()

    def _change(self, access_token: Secret, candidate: Secret, current: Secret) -> None:
        with sign_in_faults(self._call("ChangePassword", changes=True)):
            self._cognito.change_password(
                AccessToken=access_token.reveal(),
                PreviousPassword=current.reveal(),
                ProposedPassword=candidate.reveal(),
            )

    def _check_signed_in(self, reached: SignInStep) -> Secret:
        if reached.access_token is not None:
            return reached.access_token
        if reached.fault:
            raise reached.fault
        raise TargetUnfit(
            f"Behind the password of {self._user} Cognito asks for {reached.challenge}, which nobody here answers.",
            remedy="Give the authenticator's seed, or rotate the administrator's way.",
        )

    def _missing_attributes(self, reached: SignInStep) -> dict[str, str]:
        asked = [name.removeprefix("userAttributes.") for name in _read_names(reached.parameters)]
        unknown = [name for name in asked if name not in self._user.attributes]
        if unknown:
            raise TargetUnfit(
                f"With its first password {self._user} has to give attributes that are not known here: {unknown}.",
                remedy="Give them in the configuration, or rotate the administrator's way.",
            )
        return {name: self._user.attributes[name] for name in asked}

    def _groups_if_readable(self) -> Iterator[str]:
        try:
            yield from self._groups()
        except RotationDenied:
            return


def identify(pool_id: str, username: str) -> str:
    """Return the identity of a user of a pool."""
    return f"cognito-user {pool_id}/{username}"


def pool_policy(described: Mapping[str, Any]) -> PasswordPolicy:
    """Return the policy that DescribeUserPool describes; a length that it leaves out is Cognito's default, 8."""
    return PasswordPolicy(
        minimum_length=int(described.get("MinimumLength", 8)),
        required=frozenset(name for key, name in _REQUIRED_CLASSES.items() if described.get(key)),
        history=int(described.get("PasswordHistorySize", 0)),
    )


def _read_names(parameters: Mapping[str, str]) -> list[str]:
    try:
        names = json.loads(parameters.get("requiredAttributes") or "[]")
    except ValueError:
        return []
    return [str(name) for name in names] if isinstance(names, list) else []
