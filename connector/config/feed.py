"""The keys of the change feed."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from connector.config import values
from connector.config.section import Duration, Path, Section


class Feed(Section):
    """The change feed: a queue that says who may have changed, beside the full sync."""

    queue_url: Annotated[str, AfterValidator(values.queue_url)] = ""
    """URL of the SQS queue into which the events of the user pool go; empty means no feed."""
    settle: Duration = "300s"
    """How long after a change Cognito's lists may still show the old state: whoever is named by an event is read at
    once, and again after this time."""
    debounce: Duration = "10s"
    """How long after its first event somebody is read, so that many events about one person are one read."""
    calls_per_second: Annotated[float, BeforeValidator(values.number), Field(gt=0, le=1000)] = 5.0
    """Ceiling for what the feed reads of each quota of Cognito, apart from cognito.requests_per_second."""
    role_arn: Annotated[str, AfterValidator(values.role_arn)] = ""
    """Role to assume for the queue, where the one that reads the pool may not; empty means that one."""
    external_id: Annotated[SecretStr, AfterValidator(values.external_id)] = SecretStr("")
    """ExternalId that this role's trust policy asks for; needed with role_arn."""
    external_id_file: Path = ""
    """File that holds this ExternalId."""
