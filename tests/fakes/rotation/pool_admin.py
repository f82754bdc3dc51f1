"""What administrators of a user pool may ask, and how a password is changed (Cognito API reference)."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.refusals import Refusal
from tests.fakes.rotation.pool_users import FakeUser, FakeUserPool

Parameters = Mapping[str, Any]
Result = dict[str, Any] | Refusal

NO_USER = Refusal("UserNotFoundException", "User does not exist.")
WRONG = Refusal("NotAuthorizedException", "Incorrect username or password.")
DISABLED = Refusal("NotAuthorizedException", "User is disabled.")
REVOKED = Refusal("NotAuthorizedException", "Access Token has been revoked")


class PoolAdministration:
    """The signed operations and ChangePassword."""

    def __init__(self, pool: FakeUserPool) -> None:
        self._pool = pool
        self.signed: dict[str, Callable[[Parameters], Result]] = {
            "DescribeUserPool": self._describe,
            "ListUsersInGroup": self._list_members,
            "AdminGetUser": self._of_user(self._get_user),
            "AdminListGroupsForUser": self._of_user(self._list_groups),
            "AdminSetUserPassword": self._of_user(self._set_password),
            "AdminUserGlobalSignOut": self._of_user(lambda user, _: self.sign_out(user)),
        }

    def change_password(self, asked: Parameters) -> Result:
        """Let a user who is signed in replace the password."""
        token = asked["AccessToken"]
        if token not in self._pool.tokens:
            return REVOKED
        user = self._pool.users[self._pool.tokens[token]]
        if user.password != asked["PreviousPassword"]:
            user.fail(self._pool.monotonic())
            return WRONG
        return self.refuse_password(user, asked["ProposedPassword"]) or _changed(
            user, asked["ProposedPassword"], "CONFIRMED"
        )

    def sign_out(self, user: FakeUser) -> Result:
        """End every session of a user."""
        for kept in (self._pool.tokens, self._pool.refresh_tokens):
            for token in [token for token, name in kept.items() if name == user.username]:
                del kept[token]
        return {}

    def refuse_password(self, user: FakeUser, password: str) -> Refusal | None:
        """Return why the pool does not take a password, or None."""
        if not password or len(password) > 256 or any(letter.isspace() for letter in password):
            return Refusal("InvalidParameterException", "Value at 'password' failed to satisfy constraint: [\\S]+")
        fault = next(self._pool.policy.faults(password), None)
        if fault is not None:
            return Refusal("InvalidPasswordException", f"Password did not conform with policy: {fault}")
        if user.remembers(password, self._pool.policy.history):
            return Refusal("PasswordHistoryPolicyViolationException", "Password has previously been used.")
        return None

    def _of_user(self, answer: Callable[[FakeUser, Parameters], Result]) -> Callable[[Parameters], Result]:
        def answer_if_known(asked: Parameters) -> Result:
            if asked["UserPoolId"] != self._pool.pool_id:
                return self._no_pool(asked)
            user = self._pool.find(asked["Username"])
            return answer(user, asked) if user else NO_USER

        return answer_if_known

    def _no_pool(self, asked: Parameters) -> Refusal:
        return Refusal("ResourceNotFoundException", f"User pool {asked['UserPoolId']} does not exist.")

    def _describe(self, asked: Parameters) -> Result:
        if asked["UserPoolId"] != self._pool.pool_id:
            return self._no_pool(asked)
        return {"UserPool": {"Id": self._pool.pool_id, "Policies": {"PasswordPolicy": self._pool.policy.described()}}}

    def _get_user(self, user: FakeUser, _: Parameters) -> Result:
        attributes = [{"Name": name, "Value": value} for name, value in user.attributes.items()]
        return {
            "Username": user.username,
            "UserStatus": user.status,
            "Enabled": user.enabled,
            "UserAttributes": attributes,
            "UserMFASettingList": [*(["SOFTWARE_TOKEN_MFA"] if user.totp else []), *filter(None, [user.challenge])],
        }

    def _list_groups(self, user: FakeUser, asked: Parameters) -> Result:
        # Two a page, and an empty page with a token first: only a null token ends a walk.
        place = int(asked.get("NextToken", "-2"))
        groups = user.groups[max(place, 0) : place + 2]
        more = {"NextToken": str(place + 2)} if place + 2 < len(user.groups) else {}
        return {"Groups": [{"GroupName": name} for name in groups], **more}

    def _list_members(self, asked: Parameters) -> Result:
        # As above. There is a group as soon as a user is in it.
        members = [user for user in self._pool.users.values() if asked["GroupName"] in user.groups]
        if asked["UserPoolId"] != self._pool.pool_id:
            return self._no_pool(asked)
        if not members:
            return Refusal("ResourceNotFoundException", "Group not found.")
        place = int(asked.get("NextToken", "-2"))
        page = members[max(place, 0) : place + 2]
        more = {"NextToken": str(place + 2)} if place + 2 < len(members) else {}
        return {"Users": [{"Username": user.username, "UserStatus": user.status} for user in page], **more}

    def _set_password(self, user: FakeUser, asked: Parameters) -> Result:
        permanent = asked.get("Permanent", False)
        return self.refuse_password(user, asked["Password"]) or _changed(
            user, asked["Password"], "CONFIRMED" if permanent else "FORCE_CHANGE_PASSWORD"
        )


def _changed(user: FakeUser, password: str, status: str) -> Result:
    user.set_password(password, status)
    return {}
