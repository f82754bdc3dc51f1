"""Put a login into the AWS files, so that every AWS tool finds it under a profile's name.

Keys in the credentials file win over a credential_process of the same profile, even when they have expired; so a
profile has one of the two, and what belongs to somebody else is replaced only when that is asked for.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.access.aws_files import AwsFile, config_file, credentials_file
from connector.access.credential_formats import profile_keys
from connector.access.model import AwsCredentials
from connector.errors import ProfileRefused

_KEYS = {"aws_access_key_id", "aws_secret_access_key", "aws_session_token"}
_OUR_MARK = "aws_credential_expiration"
_OTHER_SOURCES = {
    "credential_process",
    "credential_source",
    "login_session",
    "role_arn",
    "source_profile",
    "sso_account_id",
    "sso_session",
    "sso_start_url",
    "web_identity_token_file",
}
"""Settings that say where a profile's credentials come from."""
_NAME = re.compile(r"[^\[\]\r\n#;'\"\\\s]{1,64}")
OVERWRITE = "Choose another name, or say --overwrite: what is replaced stays in the file as a comment."


@dataclass(frozen=True, slots=True)
class Installed:
    """What was written where.

    Args:
        profile: its name.
        file: the file.
        replaced: names of settings of somebody else that are comments now.
    """

    profile: str
    file: str
    replaced: tuple[str, ...] = ()


def check_profile_name(name: str) -> str:
    """Return the name of a profile that AWS tools can read.

    Raises:
        ValueError: they could not.
    """
    if not _NAME.fullmatch(name):
        raise ValueError("is not the name of a profile: up to 64 characters without spaces, quotes and brackets")
    return name


def install_process(
    profile: str, command: Sequence[str], region: str, environment: Mapping[str, str], *, overwrite: bool
) -> Installed:
    """Let a profile get its credentials from a command.

    Args:
        profile: its name.
        command: prints credentials as a credential_process does.
        region: that the profile names; empty leaves it as it is.
        environment: says where the AWS files are.
        overwrite: whether what somebody else has set may be replaced.

    Raises:
        ProfileRefused: nothing was changed.
    """
    config, keys = AwsFile.read(config_file(environment)), AwsFile.read(credentials_file(environment))
    line, section = shlex.join(command), _config_section(config, profile)
    before = config.settings(section)
    foreign = {name for name in _OTHER_SOURCES if name in before and not _is_ours(name, before[name])}
    shadows = _KEYS & set(keys.settings(profile)) | ({"credential_process"} & set(keys.settings(profile)))
    ours = _OUR_MARK in keys.settings(profile)
    if not overwrite:
        _refuse(profile, config, foreign)
        _refuse(profile, keys, set() if ours else shadows)
    config.drop(section, foreign, keep_as_comment=True)
    if shadows or ours:
        keys.drop(profile, shadows | {_OUR_MARK}, keep_as_comment=not ours)
    config.put(section, {"credential_process": line} | ({"region": region} if region else {}))
    if shadows or ours:
        keys.save()
    config.save()
    return Installed(profile, str(config.path), tuple(sorted(foreign | (set() if ours else shadows))))


def install_keys(
    profile: str, credentials: AwsCredentials, region: str, environment: Mapping[str, str], *, overwrite: bool
) -> Installed:
    """Write credentials themselves into a profile; they end when they end. Arguments and errors: `install_process`."""
    config, keys = AwsFile.read(config_file(environment)), AwsFile.read(credentials_file(environment))
    section = _config_section(config, profile)
    before, there = config.settings(section), keys.settings(profile)
    foreign = {name for name in _OTHER_SOURCES if name in before}
    shadowing = foreign - {"credential_process"}  # a process is asked only where there are no keys
    theirs = _KEYS & set(there) if _OUR_MARK not in there and not _are_temporary(there) else set()
    if not overwrite:
        _refuse(profile, config, shadowing | {name for name in foreign if not _is_ours(name, before[name])})
        _refuse(profile, keys, theirs)
    config.drop(section, foreign, keep_as_comment=True)
    keys.drop(profile, theirs, keep_as_comment=True)
    keys.put(profile, profile_keys(credentials))
    if region or foreign:
        if region:
            config.put(section, {"region": region})
        config.save()
    keys.save()
    return Installed(profile, str(keys.path), tuple(sorted(foreign | theirs)))


def check_keys_may_go(profile: str, environment: Mapping[str, str], *, overwrite: bool) -> None:
    """Look before anybody types a password whether `install_keys` would be refused; errors are those.

    Raises:
        ProfileRefused: it would be.
    """
    if overwrite:
        return
    config, keys = AwsFile.read(config_file(environment)), AwsFile.read(credentials_file(environment))
    before, there = config.settings(_config_section(config, profile)), keys.settings(profile)
    _refuse(profile, config, {name for name in _OTHER_SOURCES if name in before and not _is_ours(name, before[name])})
    _refuse(profile, keys, _KEYS & set(there) if _OUR_MARK not in there and not _are_temporary(there) else set())


def installed_profiles(profile_of: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Return the names of profiles whose credential_process is this command."""
    try:
        config = AwsFile.read(config_file(environment))
    except ProfileRefused:
        return []
    line = shlex.join(profile_of)
    names = [name for _, name in config._heads() if config.settings(name).get("credential_process") == line]  # noqa: SLF001
    return [name.removeprefix("profile ") for name in names]


def _config_section(config: AwsFile, profile: str) -> str:
    """Return a profile's section of the configuration file; only the default one may go without the word."""
    named = f"profile {profile}"
    return profile if profile == "default" and not config.has(named) else named


def _is_ours(name: str, value: str) -> bool:
    return (
        name == "credential_process"
        and "credentials --format process" in value
        and ("cognito-scim" in value or "-m connector" in value)
    )


def _are_temporary(there: Mapping[str, str]) -> bool:
    """Say whether keys end by themselves: their ids begin with ASIA (IAM user guide, "Unique identifiers")."""
    return "aws_session_token" in there and there.get("aws_access_key_id", "").startswith("ASIA")


def _refuse(profile: str, file: AwsFile, names: set[str]) -> None:
    if names:
        raise ProfileRefused(
            f"Profile {profile} in {file.path} has {', '.join(sorted(names))} of somebody else.", remedy=OVERWRITE
        )
