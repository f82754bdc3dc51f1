"""Everything that can go wrong, as one tree.

    ConnectorError              1   anything that goes wrong
      UnforeseenFault           1   a fault nobody foresaw
      ConfigError              78   the configuration, or what it names, is wrong
        SourceMissing          78   the pool or a listed group does not exist
          GroupGone            78   one group does not exist, or no longer; the pool does
      SourceError              75   Amazon Cognito could not be read
        SourceUnavailable      75   unreachable or damaged; trying again may help
          SourceThrottled      75   refused for the rate of the calls, until the time ran out
        SourceDenied           77   AWS refuses the caller
        HarvestIncomplete      75   a walk did not come to its end
        UserGone               75   one user does not exist, or no longer
      ApprovalRefused            3   no refused plan waits under this digest
      AlreadyRunning           75   another run holds the lease
      RunCancelled             75   somebody asked the run to end
      NoSuchRun                 2   no run has this number
      RunEnded                  2   the run has ended already
      NothingToDiscard          2   no refused plan of the run waits for approval
      NoSuchClient              2   no client has this name
      NoChangesKept             2   the changes that were asked for are not on record
      StoreError               75   the database could not answer
        LeaseLost              75   the lease expired or went to another run; nothing was published
        NotADatabase           78   the file is something else
        StoreForbidden         78   the file may not be read or written
        SchemaTooNew           78   the database belongs to a newer version
        SchemaTooOld           78   the database waits for `db migrate`
      RotationError              1   a password was not rotated
        NotAllowed              78   the account is not on the list of those that may be rotated
        TargetUnfit             78   the account's password cannot be rotated, or not this way
        RotationDenied          77   AWS refuses the caller
        TargetUnavailable       75   the target is unreachable, throttled or not ready; nothing has changed
        OutcomeUnknown          75   the password may or may not have been set; the vault keeps both
          ProofImpossible       78   likewise, and no sign-in shows which until the configuration is mended
        CurrentRefused           4   the password kept as current does not sign in; nothing has changed
        NewSecretRejected       78   the target refuses the new password; it is not live
        NotProven                4   no sign-in proves the new password
        NoWayBack                4   the old password cannot be restored; says which one is live
        VaultUnfit              78   what the vault keeps cannot be used
        VaultUnavailable        75   the vault is unreachable or throttled
        RotationBusy            75   another rotation of the account is under way
        NothingKept              4   there is no password that could be handed over
      ProvisioningError         1   the AWS side could not be set up or looked at
        SetUpUnfit             78   what is asked cannot be done: a name, an ARN, a quota, an object that is not ours
        SetUpDenied            77   AWS refuses the caller
        SetUpUnavailable       75   no clear answer came; running again finds out and goes on
        KeyInUse               75   a key is still used by something else, so it stays
      LoginError                1   a person got no AWS credentials
        LoginRefused           77   the user pool does not let the person in
        NotSignedIn            77   nobody is signed in, or no longer
        CredentialsDenied      77   AWS gives the person no credentials
        LoginUnfit             78   it cannot be done this way, whoever signs in
        LoginUnavailable       75   AWS is unreachable or throttled, or another process is at it
        LoginStoreFault        78   there is no place where a login can be kept
        ProfileRefused         78   an AWS file is broken, or has what is not ours; nothing was changed
      RecordRejected            -   one record cannot be served; counted, never fatal

The number is the exit code of the command that ends with it.
"""

import secrets
from typing import ClassVar


class ConnectorError(Exception):
    """A fault that is told to the user in one message.

    Args:
        message: what happened, and to what.
        remedy: what to do about it.
    """

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class UnforeseenFault(ConnectorError):
    """A fault nobody foresaw, told by its class and an id under which its traceback is logged.

    Args:
        error: the fault, whose own text could hold anything (P27).
    """

    def __init__(self, error: Exception) -> None:
        self.identifier = secrets.token_hex(4)
        super().__init__(
            f"An unexpected fault ({self.identifier}, {type(error).__name__}); nothing that was published has changed.",
            remedy="Its traceback is in the log of serve, or of a command with --log-level debug; please report it.",
        )
        self.__cause__ = error


class ConfigError(ConnectorError):
    """The configuration, or what it names, is wrong."""

    exit_code = 78


class SourceMissing(ConfigError):
    """The configured pool or a listed group does not exist."""


class GroupGone(SourceMissing):
    """One group does not exist, or no longer; that the pool does was confirmed (P12)."""


class SourceError(ConnectorError):
    """Amazon Cognito could not be read."""

    exit_code = 75


class SourceUnavailable(SourceError):
    """AWS was unreachable or too slow, or its answer came damaged."""

    retryable = True


class SourceThrottled(SourceUnavailable):
    """AWS refuses calls for their rate."""


class SourceDenied(SourceError):
    """AWS refuses the caller: wrong keys, role, ExternalId or a missing permission."""

    exit_code = 77


class HarvestIncomplete(SourceError):
    """A walk did not come to its end, so nothing of it may be published."""

    retryable = True


class UserGone(SourceError):
    """One user does not exist, or no longer; the pool does."""

    retryable = True


class ApprovalRefused(ConnectorError):
    """No refused plan waits under this digest."""

    exit_code = 3


class AlreadyRunning(ConnectorError):
    """Another run holds the lease.

    Args:
        run: its number.
        remedy: what to do about it.
    """

    exit_code = 75
    retryable = True

    def __init__(self, run: int, *, remedy: str = "") -> None:
        super().__init__(f"Already running: run {run}.", remedy=remedy)
        self.run = run


class RunCancelled(ConnectorError):
    """Somebody asked the run to end before it was done."""

    exit_code = 75


class NoSuchRun(ConnectorError):
    """No run has this number."""

    exit_code = 2


class RunEnded(ConnectorError):
    """The run has ended already, so it cannot be cancelled."""

    exit_code = 2


class NothingToDiscard(ConnectorError):
    """The run has no refused plan that waits for approval, or it is being approved."""

    exit_code = 2


class NoSuchClient(ConnectorError):
    """No client has this name."""

    exit_code = 2


class NoChangesKept(ConnectorError):
    """The changes of a run, or between two generations, are not on record, or no longer."""

    exit_code = 2


class StoreError(ConnectorError):
    """The database could not answer."""

    exit_code = 75
    retryable = True


class LeaseLost(StoreError):
    """The lease expired or went to another run; this one published nothing."""


class NotADatabase(StoreError):
    """The file that the configuration names is no SQLite database."""

    exit_code = 78
    retryable = False


class StoreForbidden(StoreError):
    """The user that runs this program may not write the file of the store, or not enter its folder."""

    exit_code = 78
    retryable = False


class SchemaTooNew(StoreError):
    """The database was migrated by a newer version of this program."""

    exit_code = 78
    retryable = False


class SchemaTooOld(StoreError):
    """The database has yet to be brought up to date with `cognito-scim db migrate`."""

    exit_code = 78
    retryable = False


class RotationError(ConnectorError):
    """A password was not rotated."""

    answers_change = False
    """Whether it answers a call that changes a password; what became of the password then takes a sign-in to know."""


class NotAllowed(RotationError):
    """The account is not on the list of those that may be rotated."""

    exit_code = 78


class TargetUnfit(RotationError):
    """The account is missing, disabled, federated or otherwise one whose password cannot be rotated this way."""

    exit_code = 78


class RotationDenied(RotationError):
    """AWS refuses the caller."""

    exit_code = 77


class TargetUnavailable(RotationError):
    """The target is unreachable, throttled or not ready; nothing has changed."""

    exit_code = 75
    retryable = True


class OutcomeUnknown(RotationError):
    """The password may or may not have been set; whichever lives, the vault keeps it."""

    exit_code = 75
    retryable = True


class ProofImpossible(OutcomeUnknown):
    """The password may or may not have been set, and no sign-in can show it until the configuration is mended."""

    exit_code = 78
    retryable = False


class CurrentRefused(RotationError):
    """The password kept as current does not sign in, so it cannot set another; nothing has changed."""

    exit_code = 4


class NewSecretRejected(RotationError):
    """The target refuses the new password, by its policy or its history; the password is not live."""

    exit_code = 78


class NotProven(RotationError):
    """No sign-in proves the new password; the vault keeps every value."""

    exit_code = 4


class NoWayBack(RotationError):
    """The old password cannot be restored; the message says which one is live."""

    exit_code = 4


class VaultUnfit(RotationError):
    """What the vault keeps cannot be used for the account."""

    exit_code = 78


class VaultUnavailable(RotationError):
    """The vault is unreachable or throttled."""

    exit_code = 75
    retryable = True


class RotationBusy(RotationError):
    """Another rotation of the account is under way."""

    exit_code = 75
    retryable = True


class NothingKept(RotationError):
    """There is no password that could be handed over."""

    exit_code = 4


class ProvisioningError(ConnectorError):
    """The AWS side could not be set up or looked at."""


class SetUpUnfit(ProvisioningError):
    """What is asked cannot be done: a name, an ARN, a quota, an object that this program did not make."""

    exit_code = 78


class SetUpDenied(ProvisioningError):
    """AWS refuses the caller."""

    exit_code = 77


class SetUpUnavailable(ProvisioningError):
    """No clear answer came, or AWS asks to wait; running again finds out and goes on."""

    exit_code = 75
    retryable = True


class KeyInUse(ProvisioningError):
    """A key is still used by something else, so it stays."""

    exit_code = 75
    retryable = True


class LoginError(ConnectorError):
    """A person got no AWS credentials."""


class LoginRefused(LoginError):
    """The user pool does not let the person in."""

    exit_code = 77


class NotSignedIn(LoginError):
    """Nobody is signed in, or no longer."""

    exit_code = 77


class CredentialsDenied(LoginError):
    """AWS gives the person no credentials."""

    exit_code = 77


class LoginUnfit(LoginError):
    """It cannot be done this way, whoever signs in."""

    exit_code = 78


class LoginUnavailable(LoginError):
    """AWS is unreachable or throttled, or another process is at it for too long."""

    exit_code = 75
    retryable = True


class LoginStoreFault(LoginError):
    """There is no place where a login can be kept."""

    exit_code = 78


class ProfileRefused(LoginError):
    """An AWS file is broken, or has what is not ours; nothing was changed."""

    exit_code = 78


def install_extra(extra: str) -> str:
    """Return the remedy where packages of an extra are missing; no registry has the package itself."""
    return f"Run, in a clone: pip install '.[{extra}]', or with the wheel: pip install 'cognito_scim-….whl[{extra}]'"


class RecordRejected(ConnectorError):
    """One record of the source cannot be served; the rest can."""
