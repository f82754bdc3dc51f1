"""What a customer has on the AWS side: a pool, a source user who may do nothing but assume the roles, two roles."""

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.ministack.server import ACCOUNT, REGION, MiniStack

EXTERNAL_ID = "an-external-id-0123456789"
READS = ("DescribeUserPool", "GetGroup", "ListGroups", "ListUsers", "ListUsersInGroup", "AdminListGroupsForUser")
ROTATES = ("AdminGetUser", "AdminSetUserPassword", "AdminListGroupsForUser", "DescribeUserPool", "ListUsersInGroup")
OLD = "0ld-Passw0rd-0000!"


@dataclass
class Scene:
    """One customer; every name is new, since all tests share the account."""

    stack: MiniStack
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    def __post_init__(self) -> None:
        self.cognito: Any = self.stack.client("cognito-idp")
        self.iam: Any = self.stack.client("iam")
        self.secrets: Any = self.stack.client("secretsmanager")
        self.pool_id: str = self.cognito.create_user_pool(PoolName=f"pool-{self.mark}")["UserPool"]["Id"]
        self.iam.create_user(UserName=f"source-{self.mark}")
        key = self.iam.create_access_key(UserName=f"source-{self.mark}")["AccessKey"]
        self.source = key["AccessKeyId"], key["SecretAccessKey"]
        pool = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{self.pool_id}"
        self.reader = self._role("reader", {"cognito-idp": (READS, pool)})
        secrets = ("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage")
        place = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{self.mark}/*"
        self.rotator = self._role("rotator", {"cognito-idp": (ROTATES, pool), "secretsmanager": (secrets, place)})
        roles = [self._statement(["sts:AssumeRole"], [self.reader, self.rotator])]
        self._allow("user", f"source-{self.mark}", roles)

    def trust(self, role: str, *, external_id: bool = True) -> None:
        """Say anew who may assume a role, with the ExternalId or without."""
        condition = {"Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}} if external_id else {}
        principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/source-{self.mark}"}
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **condition}
        self.trust_document(role.rpartition("/")[2], {"Version": "2012-10-17", "Statement": [statement]})

    def trust_document(self, name: str, document: dict[str, Any]) -> None:
        """Give a role another trust policy."""
        self.iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(document))

    def deny(self, role: str, action: str) -> None:
        """Take one right away from a role."""
        statement = {**self._statement([action], ["*"]), "Effect": "Deny"}
        self._allow("role", role.rpartition("/")[2], [statement], name_of_policy="deny")

    def allow_rotator(self, *actions: str) -> None:
        """Give the rotation's role more rights on the pool."""
        pool = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{self.pool_id}"
        self._allow("role", f"rotator-{self.mark}", [self._statement(list(actions), [pool])], name_of_policy="more")

    def add_user(self, name: str, groups: tuple[str, ...] = (), password: str = OLD) -> None:
        """Add a confirmed user with an e-mail address, and to groups that there are."""
        address = [{"Name": "email", "Value": f"{name}@example.com"}, {"Name": "email_verified", "Value": "true"}]
        place = {"UserPoolId": self.pool_id, "Username": name}
        self.cognito.admin_create_user(**place, UserAttributes=address, MessageAction="SUPPRESS")
        self.cognito.admin_set_user_password(**place, Password=password, Permanent=True)
        for group in groups:
            self.cognito.admin_add_user_to_group(**place, GroupName=group)

    def add_client(self, *flows: str, secret: bool = False) -> tuple[str, str]:
        """Add an app client that allows these flows, and return its id and secret."""
        made = self.cognito.create_user_pool_client(
            UserPoolId=self.pool_id,
            ClientName="app",
            GenerateSecret=secret,
            ExplicitAuthFlows=[f"ALLOW_{flow}" for flow in flows],
        )["UserPoolClient"]
        return made["ClientId"], made.get("ClientSecret", "")

    def add_secret(self, name: str, **about: str) -> str:
        """Add a secret about a user, and return its name."""
        secret_id = f"{self.mark}/{name}"
        document = {"username": name, "password": OLD, **about}
        self.secrets.create_secret(Name=secret_id, SecretString=json.dumps(document))
        return secret_id

    def kept(self, secret_id: str) -> dict[str, str]:
        """Return what a secret says."""
        document: dict[str, str] = json.loads(self.secrets.get_secret_value(SecretId=secret_id)["SecretString"])
        return document

    def signs_in(self, client_id: str, username: str, password: str) -> bool:
        """Say whether a password is the live one, by a client that takes passwords as they are."""
        try:
            self.cognito.initiate_auth(
                ClientId=client_id,
                AuthFlow="USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": username, "PASSWORD": password},
            )
        except self.cognito.exceptions.NotAuthorizedException:
            return False
        return True

    def configuration(self) -> str:
        """Return a configuration of the product."""
        return f"""
cognito: {{user_pool_id: {self.pool_id}, requests_per_second: 1000}}
aws: {{role_arn: {self.reader}}}
rotation: {{role_arn: {self.rotator}, allow: [ann]}}
"""

    def environment(self) -> dict[str, str]:
        """Return what the configuration leaves to the environment: every secret."""
        return {
            "AWS_ENDPOINT_URL": self.stack.url,
            "COGNITO_SCIM_AWS__ACCESS_KEY_ID": self.source[0],
            "COGNITO_SCIM_AWS__SECRET_ACCESS_KEY": self.source[1],
            "COGNITO_SCIM_AWS__EXTERNAL_ID": EXTERNAL_ID,
            "COGNITO_SCIM_ROTATION__EXTERNAL_ID": EXTERNAL_ID,
        }

    def _role(self, name: str, allowed: dict[str, tuple[tuple[str, ...], str]]) -> str:
        role = f"{name}-{self.mark}"
        nobody = json.dumps({"Version": "2012-10-17", "Statement": []})
        arn: str = self.iam.create_role(RoleName=role, AssumeRolePolicyDocument=nobody)["Role"]["Arn"]
        self.trust(arn)
        statements = [
            self._statement([f"{service}:{action}" for action in actions], [place])
            for service, (actions, place) in allowed.items()
        ]
        self._allow("role", role, statements)
        return arn

    def _statement(self, actions: list[str], places: list[str]) -> dict[str, Any]:
        return {"Effect": "Allow", "Action": actions, "Resource": places}

    def _allow(self, kind: str, name: str, statements: list[dict[str, Any]], *, name_of_policy: str = "allow") -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        if kind == "role":
            self.iam.put_role_policy(RoleName=name, PolicyName=name_of_policy, PolicyDocument=document)
        else:
            self.iam.put_user_policy(UserName=name, PolicyName=name_of_policy, PolicyDocument=document)
