"""The configuration's words in those of the parts, so that no part knows Settings."""

import os
import shlex

from connector.bootstrap.logins import grants_of
from connector.cognito.meter import Meter
from connector.cognito.sending import RetryLimits
from connector.cognito.session import Access
from connector.config import AttributeSource, Settings
from connector.config.values import seconds
from connector.directory.mapping import Fallbacks, Rules
from connector.directory.safeguard import LIMIT_NAMES, Limit, Limits
from connector.directory.schedule import Schedules, parse_schedule
from connector.store.publishing.cleanup import Retention
from connector.sync.full_sync import SyncSettings

LONGEST_CHAINED = 3600
"""Seconds that a session lasts at most which a session opened, as a person's is (IAM user guide, "Role chaining")."""


def access_of(settings: Settings) -> Access:
    """Return who calls AWS, and for which pool."""
    aws, cognito = settings.aws, settings.cognito
    by_person = aws.credential_source == "login"
    return Access(
        region=cognito.region,
        user_pool_id=cognito.user_pool_id,
        credential_source=aws.credential_source,
        access_key_id=aws.access_key_id,
        secret_access_key=aws.secret_access_key.get_secret_value(),
        profile=aws.profile,
        role_arn=aws.role_arn,
        external_id=aws.external_id.get_secret_value(),
        sts_region=aws.sts_region,
        session_duration=min(aws.session_duration, LONGEST_CHAINED) if by_person else aws.session_duration,
        requests_per_second=cognito.requests_per_second,
        person=grants_of(settings, os.environ) if by_person else None,
        patience=RetryLimits(deadline=seconds(settings.sync.deadline)),
    )


def rules_of(settings: Settings) -> Rules:
    """Return which Cognito attribute feeds which SCIM attribute."""
    mapping = settings.mapping
    return Rules(
        **{name: source.attribute for name, source in mapping if isinstance(source, AttributeSource)},
        enterprise={name: source.attribute for name, source in mapping.enterprise if source.attribute},
        custom_attributes=mapping.custom_attributes,
        fallbacks=Fallbacks(**mapping.fallbacks.model_dump()),
        provider_groups=mapping.provider_groups,
    )


def limits_of(settings: Settings) -> Limits:
    """Return how much one sync may take away."""
    return Limits(**{name: Limit.parse(getattr(settings.sync.safeguard, name)) for name in LIMIT_NAMES})


def schedules_of(settings: Settings) -> Schedules:
    """Return when to do what."""
    sync, rotation = (
        parse_schedule(text) if text else None for text in (settings.sync.schedule, settings.rotation.schedule)
    )
    return Schedules(sync, rotation)


def sync_settings_of(settings: Settings) -> SyncSettings:
    """Return what one sync needs to know, with a meter of its own."""
    kept = Retention(seconds(settings.sync.walk_timeout), seconds(settings.sync.retention))
    command = command_of(settings)
    return SyncSettings(rules_of(settings), settings.cognito.groups, limits_of(settings), kept, Meter(), command)


def command_of(settings: Settings) -> str:
    """Return how a person in any folder calls the command with this configuration."""
    if settings.file is None:
        return "cognito-scim"
    return f"cognito-scim --config {shlex.quote(str(settings.file.absolute()))}"
