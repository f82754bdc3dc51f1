"""The keys of the rotation: which values are refused, and which contradict each other."""

import pytest

from connector.config import load_settings, reason_against
from connector.config.keys import variable
from connector.errors import ConfigError

ROLE = "arn:aws:iam::123456789012:role/rotator"
KEY = "k" * 32


def load(**keys):
    """Return the configuration that some keys of the rotation make, in the environment."""
    environment = {variable(f"rotation.{name}"): value for name, value in keys.items()}
    return load_settings(None, environment, reads_pool=False)


@pytest.mark.parametrize(
    ("key", "text", "reason"),
    [
        ("vault", "vault.example.com", "is not a vault"),
        ("vault", "secretsmanager:", "is not a vault"),
        ("vault", "secretsmanager:{name}", "is not a vault"),
        ("client_id", "no client", "is not the id of an app client"),
        ("characters", "abc 123", "white space"),
        ("characters", "äöü", "not ASCII"),
        ("length", "7", "at least 8"),
        ("length", "257", "at most 256"),
        ("auth_flow", "CUSTOM_AUTH", "must be one of"),
        ("journal_key", "k" * 31, "openssl rand"),
        ("journal", "", "must not be empty"),
        ("role_arn", "rotator", "is not the ARN of a role"),
        ("allow", "two words", "cannot be a name"),
    ],
)
def test_value_that_cannot_work_is_refused(key, text, reason):
    """A fault of the configuration is found before anything is rotated."""
    assert reason in reason_against(f"rotation.{key}", text)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("vault", "stdout"),
        ("vault", "secretsmanager:pool/{username}"),
        ("vault", "secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:pool/alice-AbCdEf"),
        ("journal_key", KEY),
        ("client_id", "13eah9bc6lrga1hnkeekc1b329"),
    ],
)
def test_value_that_works_is_taken(key, text):
    """What the documentation shows is valid."""
    assert reason_against(f"rotation.{key}", text) == ""


def test_accounts_may_be_listed_one_a_line():
    """An environment variable holds a list as lines."""
    assert load(allow="alice\nservice-accounts\n").rotation.allow == ("alice", "service-accounts")


def test_role_needs_its_external_id():
    """P33: a role is not assumed without ExternalId."""
    with pytest.raises(ConfigError, match=r"rotation\.external_id: missing"):
        load(role_arn=ROLE)


def test_reading_role_does_not_rotate():
    """Least privilege: the role that reads the pool never sets a password."""
    environment = {
        variable(key): value
        for section in ("aws", "rotation")
        for key, value in ((f"{section}.role_arn", ROLE), (f"{section}.external_id", "one-for-this-role-alone"))
    }

    with pytest.raises(ConfigError, match=r"rotation\.role_arn .*one of their own"):
        load_settings(None, environment, reads_pool=False)


def test_standard_output_as_vault_needs_the_journals_key():
    """P26: where the vault cannot hold a pending value, the journal has to."""
    with pytest.raises(ConfigError, match=r"journal_key_file .*standard output cannot keep"):
        load(vault="stdout")

    assert load(vault="stdout", journal_key=KEY).rotation.vault == "stdout"


def test_secrets_of_the_rotation_are_known_to_the_logs():
    """P27: each secret is one that logs keep out."""
    settings = load(client_secret="a-client-secret", journal_key=KEY)

    assert {"a-client-secret", KEY} <= set(settings.secrets())
    assert KEY not in repr(settings)


GOOD = {"allow": "alice\nbo", "vault": "secretsmanager:pool/{username}", "schedule": "every 90d"}


def load_schedule(pool="eu-west-1_AbCdEf123", **keys):
    """Return the configuration of a scheduled rotation."""
    environment = {variable(f"rotation.{name}"): value for name, value in {**GOOD, **keys}.items()}
    return load_settings(None, {**environment, variable("cognito.user_pool_id"): pool}, reads_pool=False)


def test_schedule_that_can_rotate_is_taken():
    """P37: the grammar is that of syncs; one name needs no pattern, for it may be a group's or one user's."""
    assert load_schedule().rotation.schedule == "every 90d"
    assert load_schedule(schedule="0 3 1 * *", allow="alice", vault="secretsmanager:alice").rotation.allow == ("alice",)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"schedule": "hourly"}, r"rotation\.schedule"),
        ({"allow": ""}, r"rotation\.allow .*missing"),
        ({"vault": ""}, r"rotation\.vault .*missing"),
        ({"vault": "stdout", "journal_key": KEY}, r"rotation\.vault .*nobody reads it"),
        ({"vault": "secretsmanager:one"}, r"rotation\.vault .*put \{username\} into its name"),
        ({"pool": ""}, r"cognito\.user_pool_id: missing: rotation\.schedule"),
    ],
)
def test_schedule_that_cannot_rotate_is_a_fault_of_the_configuration(keys, reason):
    """P37: what nobody attends has to be sure of whom it rotates, and of a place that keeps passwords."""
    with pytest.raises(ConfigError, match=reason):
        load_schedule(**keys)


def test_all_faults_of_a_schedule_are_told_at_once():
    """P37: nobody corrects one to find the next."""
    with pytest.raises(ConfigError) as told:
        load_schedule(pool="", allow="", vault="stdout")

    assert [key for key in ("user_pool_id", "allow", "vault", "journal_key_file") if key not in str(told.value)] == []
