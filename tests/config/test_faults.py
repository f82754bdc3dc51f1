"""What bad configuration gets: every fault at once, a line each, with key, value, place, reason and the nearest key."""

from pathlib import Path

import pytest

from connector.config import load_settings, load_values, reason_against
from connector.errors import ConfigError

SECRET = "canary/wJalrXUtnFEMI/K7MDENG"


def lines_of(text: str | bytes, folder: Path, *, reads_pool: bool = False, **environment: str) -> list[str]:
    """Return the lines of the error that a configuration file gets, without the name of its folder."""
    path = folder / "config.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load_settings(path, environment, reads_pool=reads_pool)
    return [line.strip().replace(f"{folder}/", "") for line in caught.value.message.splitlines()]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """The contract: all faults are reported at once, each with key, value, place and reason."""
    text = """
cognito:
  regoin: us-east-1
  user_pool_id: us-east-1
aws:
  role_arn: arn:aws:iam::1234567890:role/x
  session_duration: 900
sync: {safeguard: {max_rejects: many}}
"""
    told = lines_of(text, tmp_path, COGNITO_SCIM_SERVER__PORT="99999", COGNITO_SCIM_SERVER_HOST="x")

    assert told == [
        "The configuration has 8 faults:",
        "cognito.regoin (config.yaml, line 3): unknown key; did you mean cognito.region?",
        "COGNITO_SCIM_SERVER_HOST (environment variable): unknown key; did you mean COGNITO_SCIM_SERVER__HOST?",
        (
            'cognito.user_pool_id = "us-east-1" (config.yaml, line 4): '
            "is not a user pool id such as us-east-1_AbCdEf123: Region, underscore, letters and digits"
        ),
        (
            'aws.role_arn = "arn:aws:iam::1234567890:role/x" (config.yaml, line 6): '
            "its account id has 10 digits; those of AWS have 12"
        ),
        "aws.session_duration = 900 (config.yaml, line 7): must be at least 1800",
        'sync.safeguard.max_rejects = "many" (config.yaml, line 8): is not a limit: write 10, "10%" or "10 or 10%"',
        'server.port = "99999" (environment variable COGNITO_SCIM_SERVER__PORT): must be at most 65535',
        "aws.external_id: missing: a role is assumed only with the ExternalId that its trust policy names",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cognito: {region: mars-1}", "is not an AWS Region such as us-east-1"),
        ("cognito: {user_pool_id: us-east-1_a-b}", "is not a user pool id such as us-east-1_AbCdEf123"),
        ("cognito: {user_pool_id: 7}", "must be text: put it in quotes"),
        ("sync: {retention: 30}", "has no unit: write 30d for days, or s, m or h"),
        ("cognito: {groups: [2024]}", "every name must be text: put it in quotes"),
        ("cognito: {groups: {a: b}}", "unknown key; did you mean cognito.groups?"),
        ("cognito: {groups: 'idp-admin, idp-support'}", "cannot be a name: 1 to 128 characters and no space"),
        (f"cognito: {{groups: [{'g' * 129}]}}", "cannot be a name: 1 to 128 characters and no space"),
        ("cognito: {requests_per_second: 0}", "must be more than 0"),
        ("cognito: {requests_per_second: .nan}", "must be more than 0"),
        ("cognito: {requests_per_second: fast}", "must be a number"),
        ("aws: {credential_source: key}", "must be one of '', 'access-key', 'chain', 'profile' or 'login'"),
        ("aws: {access_key_id: two words}", "an access key id has up to 128 letters and digits"),
        ("aws: {external_id: x}", "an ExternalId has 2 to 1224 characters"),
        ("aws: {external_id: 'a b'}", "an ExternalId has 2 to 1224 characters"),
        ("aws: {role_arn: 'arn:aws:iam::123456789012:user/x'}", "is not the ARN of a role"),
        ("aws: {session_duration: 43201}", "must be at most 43200"),
        ("aws: {session_duration: 1800.5}", "must be a whole number"),
        ("mapping: {roles: 'custom:role'}", "importers authorise by it: write {attribute:"),
        ("mapping: {roles: {attribute: 'custom:role'}}", "say trusted: true once only administrators"),
        ("mapping: {user_type: {attribute: 'custom:t', trusted: false}}", "say trusted: true once only administrators"),
        ("mapping: {entitlements: {attribute: 'custom:e', trusted: maybe}}", "must be true or false"),
        ("mapping: {email: {trusted: true}}", "missing"),
        ("mapping: {email: {attribute: email, verified: true}}", "unknown key"),
        ("mapping: {email: {}}", "missing"),
        ("mapping: {title: 'two words'}", "is not the name of an attribute"),
        ("mapping: {custom_attributes: [department]}", "is not a custom attribute such as custom:department"),
        ("mapping: {custom_attributes: some}", "is not a custom attribute such as custom:department"),
        ("mapping: {fallbacks: {display_name: ''}}", "must not be empty"),
        ("mapping: {fallbacks: {email: '{sub}@example.com'}}", "may hold {id}, {username} and {user_name}"),
        ("mapping: {provider_groups: perhaps}", "must be true or false"),
        ("sync: {safeguard: {max_removed_users: 101%}}", "is not a limit"),
        ("sync: {safeguard: {max_removed_users: true}}", "is not a limit"),
        ("sync: {safeguard: {max_removed_users: -1}}", "is not a limit"),
        ("sync: {schedule: every 6x}", "is no interval: write every 30m"),
        ("sync: {schedule: '0 3 * *'}", "is neither an interval such as every 6h nor five cron fields"),
        ("sync: {schedule: '0 25 * * *'}", "'25' is no hour, which is 0 to 23"),
        ("store: {url: 'mysql://localhost/x'}", "is not a database: write sqlite:///"),
        ("server: {host: ''}", "is not a host name or address"),
        ("server: {port: true}", "must be a number"),
        ("server: {public_base_url: 'ftp://x'}", "is not an address such as https://scim.example.com"),
        ("server: {public_base_url: 'https://x/?a=b'}", "is not an address such as https://scim.example.com"),
        ("server: {public_base_url: 'https://x/scim/v2/'}", "leave out /scim/v2"),
        ("server: {trusted_proxies: -1}", "must be at least 0"),
        ("server: {requests_per_second_per_client: 0}", "must be off, or a number of requests"),
        ("server: {requests_per_second_per_client: true}", "must be a number"),
        ("server: {requests_per_second_per_client: .nan}", "must be off, or a number of requests"),
        ("server: {requests_per_second_per_client: [5]}", "must be off, or a number of requests"),
        ("server: {requests_per_second_per_client: many}", "must be off, or a number of requests"),
        ("server: {tls_certificate: cert.pem}", "missing: server.tls_certificate is given"),
        ("servers: {port: 1}", "unknown key; did you mean server.port?"),
        ("region: us-east-1", "unknown key; did you mean cognito.region?"),
        ("cognito: us-east-1", "must be a section, with its keys under it"),
        ("[cognito]", "must be a section, with its keys under it"),
        ("cognito.region: us-east-1", "a key is one word; write sections as nested mappings"),
        ("server: {port: 1}\nserver: {port: 2}", "given twice, first in line 1"),
        ("server: {port: 1, port: 2}", "given twice, first in line 1"),
        ("? [a]\n: b", "a key is one word"),
    ],
)
def test_a_bad_value_is_refused_with_its_reason(text: str, reason: str, tmp_path: Path) -> None:
    """P27, P33: strict patterns; every fault says why."""
    assert reason in lines_of(text, tmp_path)[1]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "is not YAML: line 1, column 5"),
        ("\tx: 1", "is not YAML: line 1, column 1"),
        ("a: &x 1\nb: *x", "line 1, column 4: anchors, aliases and tags have no meaning here"),
        ("a: !!python/object:os.system x", "anchors, aliases and tags have no meaning here"),
        ("a: 1\n---\nb: 2", "is not YAML: line 2, column 1"),
        (b"\xff\xfe\xff", "is not YAML"),
        (b"a: \x80", "is not YAML"),
        ("[" * 5000, "is nested too deeply"),
    ],
)
def test_malformed_yaml_is_refused_with_its_line(text: str | bytes, problem: str, tmp_path: Path) -> None:
    """A file that cannot be read as YAML is one message that names the place."""
    assert problem in lines_of(text, tmp_path)[0]


def test_an_unreadable_file_is_a_fault(tmp_path: Path) -> None:
    """A folder stands for every file that cannot be read; as root no mode could."""
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_settings(tmp_path, {}, reads_pool=False)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "cognito.user_pool_id: missing: name the user pool to read"),
        (
            {"cognito.user_pool_id": "local_4xTvzUYl"},
            "cognito.region: missing: the user pool id local_4xTvzUYl does not begin with it",
        ),
        (
            {"cognito.region": "us-east-1", "cognito.user_pool_id": "eu-west-1_a"},
            'cognito.region = "us-east-1": the user pool eu-west-1_a is in eu-west-1',
        ),
        ({"aws.access_key_id": "AKIAIOSFODNN7EXAMPLE"}, "aws.secret_access_key: missing: aws.access_key_id is given"),
        ({"aws.secret_access_key": SECRET}, "aws.access_key_id: missing: aws.secret_access_key is given"),
        ({"aws.role_arn": "arn:aws:iam::123456789012:role/x"}, "aws.external_id: missing: a role is assumed only with"),
        ({"aws.credential_source": "access-key"}, "aws.access_key_id: missing: aws.credential_source is access-key"),
        ({"aws.credential_source": "profile"}, "aws.profile: missing: aws.credential_source is profile"),
        (
            {"aws.access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws.secret_access_key": SECRET, "aws.profile": "p"},
            "aws.profile: access keys are given too; say with aws.credential_source which to use",
        ),
        ({"server.tls_key": "key.pem"}, "server.tls_certificate: missing: server.tls_key is given"),
    ],
)
def test_keys_that_contradict_each_other_are_a_fault(values: dict[str, str], told: str) -> None:
    """P33: a role needs its ExternalId; a region has to agree with its pool id; a key needs its secret."""
    pool = {} if not values else {"cognito.user_pool_id": "us-east-1_a"}
    with pytest.raises(ConfigError) as caught:
        load_values({**pool, **values}, {})

    assert [told] == [line.strip()[: len(told)] for line in caught.value.message.splitlines()[1:]]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b"\n", "the file is empty"),
        (b"\xff", "the file is not UTF-8 text"),
        (b"x" * 70_000, "the file is too large"),
    ],
)
def test_a_secret_file_that_cannot_be_used_is_one_fault(content: bytes | None, reason: str, tmp_path: Path) -> None:
    """What is wrong is the file; that the secret is then missing is not told too."""
    if content is not None:
        (tmp_path / "id").write_bytes(content)
    text = f"aws: {{role_arn: 'arn:aws:iam::123456789012:role/x', external_id_file: {tmp_path}/id}}"

    told = lines_of(text, tmp_path)[1:]

    assert [
        f'aws.external_id_file = "{tmp_path}/id" (config.yaml, line 1): {reason}'.replace(f"{tmp_path}/", "")
    ] == told


def test_no_fault_shows_a_secret(tmp_path: Path) -> None:
    """P27: neither a secret, nor a value under a misspelt key, nor what was pasted into the wrong field is shown."""
    spoiled = f"{SECRET} {SECRET}"
    text = (
        f"aws:\n  secret_access_key: '{spoiled}'\n  external_id: '{spoiled}'\n  access_key_id: '{SECRET}'\n"
        f"  secret_acess_key: '{SECRET}'\nstore: {{url: 'mysql://u:{SECRET}@h/d'}}\n"
    )

    told = lines_of(text, tmp_path, COGNITO_SCIM_AWS__SECRET=SECRET)

    assert (len(told), [line for line in told if "canary" in line]) == (7, [])


def test_a_fault_stays_on_its_line(tmp_path: Path) -> None:
    """P32: control characters in a value or a key are escaped."""
    told = lines_of('cognito: {region: "x\\n\\e[2Jforged\\u202e", "a\\nb": 1}', tmp_path)

    assert (told[0], len(told)) == ("The configuration has 2 faults:", 3)
    assert [line for line in told if not line.isprintable()] == []


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-eusc"])
def test_role_arns_of_every_partition_are_taken(partition: str) -> None:
    """AWS has partitions beside the public one."""
    assert reason_against("aws.role_arn", f"arn:{partition}:iam::123456789012:role/path/to/name+=,.@-_") == ""


@pytest.mark.parametrize(
    "region", ["us-east-1", "cn-north-1", "us-gov-west-1", "us-isob-east-1", "eusc-de-east-1", "ap-southeast-7"]
)
def test_regions_of_every_partition_are_taken(region: str) -> None:
    """So have their Regions and the pools in them."""
    reasons = (reason_against("cognito.region", region), reason_against("cognito.user_pool_id", f"{region}_aB3"))

    assert reasons == ("", "")


@pytest.mark.parametrize("external_id", ["ab", "x" * 1224, "a-Z_0+=,.@:/", "cognito-integration"])
def test_external_ids_that_aws_allows_are_taken(external_id: str) -> None:
    """STS, AssumeRole: 2 to 1224 letters, digits and some signs."""
    assert reason_against("aws.external_id", external_id) == ""


@pytest.mark.parametrize("external_id", ["a", "x" * 1225, "a b", "ümlaut", "line\n", "quote'"])
def test_external_ids_that_aws_refuses_are_refused(external_id: str) -> None:
    """The AWS SDK checks the least length only."""
    assert reason_against("aws.external_id", external_id).startswith("an ExternalId has 2 to 1224 characters")


def test_one_source_in_two_forms_in_the_environment_is_a_fault() -> None:
    """Neither would be the obvious winner."""
    variables = {"COGNITO_SCIM_MAPPING__EMAIL": "email", "COGNITO_SCIM_MAPPING__EMAIL__ATTRIBUTE": "custom:mail"}
    with pytest.raises(ConfigError, match="COGNITO_SCIM_MAPPING__EMAIL is given too; use one of them"):
        load_settings(None, variables, reads_pool=False)
