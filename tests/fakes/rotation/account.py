"""Console passwords of IAM users, in the AWS query protocol (IAM API reference). STS is that of the simulated pool."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from tests.fakes.refusals import REQUEST_ID, XML, Refusal
from tests.fakes.rotation.policies import AccountPolicy, default_allows
from tests.fakes.wire import Answer

Parameters = Mapping[str, str]


@dataclass
class FakeIamUser:
    """An IAM user; without a password it has no login profile."""

    name: str
    password: str | None = field(default=None, repr=False)
    must_change: bool = False
    being_created: bool = False
    former: list[str] = field(default_factory=list, repr=False)


@dataclass
class FakeAccount:
    """The IAM side of an account; `policy` None is an account without a policy of its own."""

    account_id: str
    alias: str = ""
    policy: AccountPolicy | None = None
    users: dict[str, FakeIamUser] = field(default_factory=dict)

    def add_user(self, name: str, password: str | None = None) -> FakeIamUser:
        """Add a user, with a console password where one is given."""
        self.users[name] = FakeIamUser(name, password)
        return self.users[name]

    def operations(self) -> dict[str, Callable[[Parameters], Answer]]:
        """Return what may be asked."""
        return {
            "GetUser": self._get_user,
            "GetLoginProfile": self._get_profile,
            "UpdateLoginProfile": self._update_profile,
            "GetAccountPasswordPolicy": self._get_policy,
            "ListAccountAliases": self._list_aliases,
        }

    def _get_user(self, asked: Parameters) -> Answer:
        user = self.users.get(asked["UserName"])
        if user is None:
            return _no_entity(f"The user with name {asked['UserName']} cannot be found.")
        arn = f"arn:aws:iam::{self.account_id}:user/{user.name}"
        about = f"<UserName>{user.name}</UserName><Path>/</Path><UserId>AIDA1</UserId><Arn>{arn}</Arn>{_CREATED}"
        return _result("GetUser", f"<User>{about}</User>")

    def _get_profile(self, asked: Parameters) -> Answer:
        user = self.users.get(asked["UserName"])
        if user is None or user.password is None:
            return _no_entity(f"Login Profile for User {asked['UserName']} cannot be found.")
        must_change = str(user.must_change).lower()
        about = (
            f"<UserName>{user.name}</UserName>{_CREATED}<PasswordResetRequired>{must_change}</PasswordResetRequired>"
        )
        return _result("GetLoginProfile", f"<LoginProfile>{about}</LoginProfile>")

    def _update_profile(self, asked: Parameters) -> Answer:
        user, password = self.users.get(asked["UserName"]), asked["Password"]
        if user is None or user.password is None:
            return _no_entity(f"Login Profile for User {asked['UserName']} cannot be found.")
        if user.being_created:
            text = f"Login Profile for User {user.name} cannot be modified while login profile is being created."
            return Refusal("EntityTemporarilyUnmodifiable", text, 409).in_xml()
        if not self._allows(password):
            return Refusal(
                "PasswordPolicyViolation", "Password does not conform to the account password policy."
            ).in_xml()
        if self.policy and password in [user.password, *user.former][: self.policy.reuse]:
            return Refusal("PasswordPolicyViolation", "Policy constraint violation with password reuse.").in_xml()
        user.former.insert(0, user.password)
        user.password = password
        user.must_change = asked.get("PasswordResetRequired", str(user.must_change)).lower() == "true"
        return _result("UpdateLoginProfile", "")

    def _allows(self, password: str) -> bool:
        return self.policy.allows(password) if self.policy else default_allows(password)

    def _get_policy(self, _: Parameters) -> Answer:
        policy = self.policy
        if policy is None:
            return _no_entity(f"The Password Policy with domain name {self.account_id} cannot be found.")
        shown = {
            "MinimumPasswordLength": policy.minimum,
            "RequireSymbols": policy.symbols,
            "RequireNumbers": policy.digits,
            "RequireUppercaseCharacters": policy.upper,
            "RequireLowercaseCharacters": policy.lower,
            "AllowUsersToChangePassword": True,
            "ExpirePasswords": False,
        } | ({"PasswordReusePrevention": policy.reuse} if policy.reuse else {})
        content = "".join(f"<{name}>{str(value).lower()}</{name}>" for name, value in shown.items())
        return _result("GetAccountPasswordPolicy", f"<PasswordPolicy>{content}</PasswordPolicy>")

    def _list_aliases(self, _: Parameters) -> Answer:
        alias = f"<member>{escape(self.alias)}</member>" if self.alias else ""
        content = f"<AccountAliases>{alias}</AccountAliases><IsTruncated>false</IsTruncated>"
        return _result("ListAccountAliases", content)


_CREATED = "<CreateDate>2025-01-31T08:00:00Z</CreateDate>"


def _no_entity(text: str) -> Answer:
    return Refusal("NoSuchEntity", text, 404).in_xml()


def _result(action: str, content: str) -> Answer:
    body = (
        f'<{action}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><{action}Result>{content}</{action}Result>'
        f"<ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata></{action}Response>"
    )
    return Answer(200, body.encode(), XML)
