"""The configuration's words in those of the parts, so that no part knows Settings."""

import os
import shlex
from dataclasses import replace

from connector.bootstrap.logins import grants_of
from connector.cognito.meter import Meter
from connector.cognito.sending import RetryLimits
from connector.cognito.session import Access
from connector.config import AttributeSource, Settings
from connector.config.values import seconds
from connector.directory.mapping import Fallbacks, Rules
from connector.directory.safeguard import LIMIT_NAMES, Limit, Limits
from connector.directory.schedule import Schedules, parse_schedule
from connector.errors import ConfigError
from connector.store.feed.marks import FeedTimes
from connector.store.publishing.cleanup import Retention
from connector.sync.delta import DeltaSettings
from connector.sync.full_sync import SyncSettings

ROUND_SECONDS = 20
MOST_IN_A_ROUND = 50
"""A round of the change feed takes as many marks as are read in 20 seconds, and at least 50."""

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
    times = feed_times_of(settings)
    return SyncSettings(rules_of(settings), settings.cognito.groups, limits_of(settings), kept, Meter(), command, times)


def feed_times_of(settings: Settings) -> FeedTimes | None:
    """Return when what the change feed announces is read; None where there is no feed."""
    feed = settings.feed
    return FeedTimes(seconds(feed.debounce), seconds(feed.settle)) if feed.queue_url else None


def delta_settings_of(settings: Settings, *, debounce: float | None = None) -> DeltaSettings:
    """Return what one round of the change feed needs to know.

    Args:
        settings: the configuration.
        debounce: seconds that replace the configured ones.

    Raises:
        ConfigError: there is no change feed.
    """
    feed = settings.feed
    if not feed.queue_url:
        raise ConfigError(
            "No change feed is configured.", remedy="Name its queue in feed.queue_url, or run a full sync."
        )
    rest = seconds(feed.debounce) if debounce is None else debounce
    most = max(MOST_IN_A_ROUND, int(feed.calls_per_second * ROUND_SECONDS))
    return DeltaSettings(sync_settings_of(settings), FeedTimes(rest, seconds(feed.settle)), most)


def feed_access_of(settings: Settings) -> Access:
    """Return how the pool is read for the change feed: within a budget of its own."""
    rate = settings.feed.calls_per_second
    access = access_of(settings)
    return replace(
        access, requests_per_second=rate, group_requests_per_second=min(rate, access.group_requests_per_second)
    )


def queue_access_of(settings: Settings) -> Access:
    """Return who reads the queue of the change feed: a role of its own where one is configured."""
    access, feed = access_of(settings), settings.feed
    if not feed.role_arn:
        return access
    return replace(access, role_arn=feed.role_arn, external_id=feed.external_id.get_secret_value())


def command_of(settings: Settings) -> str:
    """Return how a person in any folder calls the command with this configuration."""
    if settings.file is None:
        return "cognito-scim"
    return f"cognito-scim --config {shlex.quote(str(settings.file.absolute()))}"
