"""Carry out a plan call by call; what was done is found by the next look, so an unclear answer leads to one."""

from collections.abc import Callable

from botocore import xform_name
from botocore.exceptions import ClientError

from connector.errors import SetUpDenied, SetUpUnavailable, SetUpUnfit
from connector.provisioning.account.caller import Caller
from connector.provisioning.account.errors import AGAIN, is_refusal, provisioning_faults
from connector.provisioning.account.waiting import Consistency
from connector.provisioning.changes.plan import IamCall, ObjectChange, Plan
from connector.rotation.aws.errors import AwsCall

LOOKS = 4
"""How often a plan is begun anew before an unclear answer is reported."""
_TAKES_AWAY = ("Delete", "Detach", "Remove")


def carry_out(
    agreed: Plan, look: Callable[[], Plan], make: Callable[[ObjectChange], None], consistency: Consistency
) -> Plan:
    """Make the changes that were agreed to, looking again after an unclear answer, and return them.

    Args:
        agreed: the plan that was shown.
        look: says what is still to be done.
        make: makes one change.
        consistency: says what is waited for, and waits.

    Raises:
        SetUpDenied: the caller lacks rights.
        SetUpUnfit: something stands in the way.
        SetUpUnavailable: what was done stays; running again goes on.
    """
    fault = SetUpUnavailable("Nothing was tried.")
    for _ in range(LOOKS):
        plan = look()
        check_agreed(plan, agreed)
        try:
            for change in plan.pending:
                make(change)
        except SetUpUnavailable as error:
            fault = error
            consistency.report(f"{error.message} Looking again …")
            consistency.sleep(consistency.pause)
        else:
            return agreed
    raise fault


def send(caller: Caller, change: ObjectChange, call: IamCall, *, consistency: Consistency, principal: str = "") -> None:
    """Make one call of a change; it is not a fault if what is to be removed is gone already.

    Args:
        caller: who makes it.
        change: what it belongs to.
        call: the call.
        consistency: how long IAM is waited for.
        principal: the principal of a moment ago that a role trusts, which IAM may not know yet.
    """
    aws_call = AwsCall(f"iam:{call.operation}", f"{change.kind.replace('-', ' ')} {change.name}", changes=True)
    for is_last in consistency.attempts(f"IAM knows {principal}"):
        with provisioning_faults(aws_call):
            try:
                getattr(caller.iam, xform_name(call.operation))(**call.parameters)
            except ClientError as error:
                if call.operation.startswith(_TAKES_AWAY) and is_refusal(error, "NoSuchEntity"):
                    return
                if is_last or not principal or not is_refusal(error, "MalformedPolicyDocument", "principal"):
                    raise
                continue
            return


def refuse(plan: Plan) -> None:
    """Refuse a plan that cannot be carried out.

    Raises:
        SetUpUnfit: something stands in the way.
        SetUpDenied: the caller lacks rights.
    """
    if plan.blockers:
        raise SetUpUnfit(" ".join(plan.blockers), remedy="Nothing was changed.")
    if plan.lacking:
        raise SetUpDenied(
            f"The caller lacks rights: {'; '.join(plan.lacking)}.",
            remedy="Nothing was changed. Allow these to the caller, or name another one with --profile.",
        )


def check_agreed(plan: Plan, agreed: Plan) -> None:
    """See that a plan holds nothing that was not agreed to.

    Raises:
        SetUpUnavailable: somebody else changed the account meanwhile.
        SetUpUnfit, SetUpDenied: it cannot be carried out.
    """
    refuse(plan)
    known = {(change.kind, change.name) for change in agreed.pending}
    new = [f"{change.kind} {change.name}" for change in plan.pending if (change.kind, change.name) not in known]
    if new:
        raise SetUpUnavailable(f"The account was changed meanwhile: {', '.join(new)}.", remedy=AGAIN)
