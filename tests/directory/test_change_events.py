"""What messages of the change feed say, in every shape that was seen or inferred, and in none at all (P40)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.directory.change_events import (
    HIDDEN,
    INCOMPLETE,
    NAMED_NOBODY,
    OF_THE_POOL,
    POOL_DELETED,
    Reading,
    Watched,
    read_message,
)
from connector.directory.hints import Hint

POOL = "us-east-1_AbCdEf123"
SUB = "11111111-2222-4333-8444-555555555555"
WATCHED = Watched(POOL, "123456789012", "us-east-1")


def event(name="AdminUpdateUserAttributes", /, **detail):
    """Return an event of our pool as EventBridge wraps a record of CloudTrail; a value of ... takes a field away."""
    whole = {
        "eventSource": "cognito-idp.amazonaws.com",
        "eventName": name,
        "eventType": "AwsApiCall",
        "awsRegion": "us-east-1",
        "recipientAccountId": "123456789012",
        "requestParameters": {"userPoolId": POOL, "username": HIDDEN, "userAttributes": HIDDEN},
        "responseElements": None,
        "additionalEventData": {"sub": SUB},
    } | detail
    return {
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.cognito-idp",
        "account": "123456789012",
        "region": "us-east-1",
        "detail": {key: value for key, value in whole.items() if value is not ...},
    }


def read(message):
    """Return what a message says, from its JSON."""
    return read_message(json.dumps(message), WATCHED)


SHAPES = {
    # Captured in 2022, and by bcgov in 2026: hidden values are one string, the answer is null.
    "an administrator changed attributes": event(),
    "an administrator deleted somebody": event("AdminDeleteUser", requestParameters={"userPoolId": POOL}),
    # bcgov/reserve-rec-api: no requestParameters.userPoolId, the pool in additionalEventData.
    "a user changed attributes": event(
        "UpdateUserAttributes",
        requestParameters={"accessToken": HIDDEN, "userAttributes": HIDDEN},
        responseElements={"codeDeliveryDetailsList": [{"destination": HIDDEN}]},
        additionalEventData={"sub": SUB, "userPoolId": POOL},
    ),
    "a user deleted itself": event(
        "DeleteUser", requestParameters={"accessToken": HIDDEN}, additionalEventData={"sub": SUB, "userPoolId": POOL}
    ),
    # Captured in 2025: the client is all that is known of the pool.
    "a sign-in": event("InitiateAuth", requestParameters={"authParameters": HIDDEN, "clientId": "c1"}),
    "a sign-up": event(
        "SignUp", requestParameters=None, additionalEventData=None, responseElements={"userSub": SUB.upper()}
    ),
    # Read so by cc-on-bedrock and deepracer-on-aws.
    "a membership": event("AdminAddUserToGroup", requestParameters={"userPoolId": POOL, "groupName": "admins"}),
    # The developer guide's endpoint event: values are lists, the error code is empty.
    "a confirmation on the hosted page": event(
        "Confirm_POST",
        eventType="AwsServiceEvent",
        errorCode="",
        requestParameters=None,
        additionalEventData={"userPoolId": POOL, "requestParameters": {"sub": [SUB]}},
    ),
    "a user name that is a sub": event(
        requestParameters={"userPoolId": POOL, "username": SUB}, additionalEventData={"sub": HIDDEN}
    ),
    "nothing but what is needed": {
        "detail": {
            "eventSource": "cognito-idp.amazonaws.com",
            "eventName": "AdminEnableUser",
            "additionalEventData": {"sub": SUB},
        }
    },
    "a trigger's message": {"sub": SUB},
    "a trigger's message with the pool": {"sub": SUB, "userPoolId": POOL},
}


@pytest.mark.parametrize("message", SHAPES.values(), ids=SHAPES.keys())
def test_message_names_who_may_have_changed(message):
    """P40: every shape names the sub, in lower case, and carries no value."""
    assert read(message).hint == Hint(users=(SUB,))


@pytest.mark.parametrize("addition", [{"time": "1970-01-01T00:00:00Z"}, {"time": "2999-01-01T00:00:00Z"}, {"id": None}])
def test_time_of_an_event_decides_nothing(addition):
    """P40: late events, and those of a clock that is ahead, are hints like any other."""
    assert read(event() | addition).hint == Hint(users=(SUB,))


@pytest.mark.parametrize("name", ["CreateGroup", "UpdateGroup", "DeleteGroup"])
def test_change_of_a_group_names_it(name):
    """P40: a group is read again by its name, which events show."""
    message = event(name, requestParameters={"userPoolId": POOL, "groupName": "élèves 😀".replace(" ", "-")})

    assert read(message).hint == Hint(groups=("élèves-😀",))


def test_membership_without_a_sub_names_the_group():
    """P40: on some accounts the sub is missing; the group is read then."""
    message = event(
        "AdminRemoveUserFromGroup",
        requestParameters={"userPoolId": POOL, "groupName": "admins", "username": HIDDEN},
        additionalEventData=None,
    )

    assert read(message).hint == Hint(groups=("admins",))


@pytest.mark.parametrize("name", OF_THE_POOL)
def test_change_of_the_pool_asks_for_a_full_sync(name):
    """P40: imports, recoveries, schema and providers change people whom no event names."""
    assert read(event(name, additionalEventData=None)).hint == Hint(full_sync=(OF_THE_POOL[name],))


@pytest.mark.parametrize(
    "message",
    [
        event(additionalEventData=None),
        event(additionalEventData={"sub": HIDDEN}),
        event(additionalEventData={"sub": f'{SUB}" or sub ^= "'}),
        event(additionalEventData={"sub": [SUB, SUB]}),
        event(additionalEventData={"sub": {"sub": SUB}}),
        event(requestParameters=HIDDEN, additionalEventData=HIDDEN),
        event("AdminLinkProviderForUser", additionalEventData=None),
        event("Signup_POST", requestParameters=None, additionalEventData={"userPoolId": POOL}),
        event("CreateGroup", requestParameters={"userPoolId": POOL, "groupName": HIDDEN}),
        event("CreateGroup", requestParameters={"userPoolId": POOL, "groupName": "a b"}),
        event("DeleteGroup", requestParameters={"userPoolId": POOL, "groupName": "x" * 129}),
        event("AdminAddUserToGroup", requestParameters=[HIDDEN], additionalEventData=[]),
    ],
)
def test_change_that_names_nobody_asks_for_a_full_sync(message):
    """P40: nothing that could be used in a filter or as a name is guessed from what is hidden or malformed."""
    assert read(message).hint == Hint(full_sync=(NAMED_NOBODY,))


def test_sign_in_that_names_nobody_asks_for_nothing():
    """P40: sign-ins are many and mostly change nobody, so they cannot keep the full sync busy."""
    assert read(event("Token_POST", additionalEventData={"userPoolId": POOL})).hint == Hint()


def test_deleted_pool_stops_the_feed():
    """P40: a pool that is gone is never read as everybody gone."""
    assert read(event("DeleteUserPool")).hint == Hint(stop=POOL_DELETED)


@pytest.mark.parametrize(
    ("reason", "full_sync"),
    [("DELIVERY_DELAY", ()), ("UPDATED_DATA", ()), ("SERVICE_OUTAGE", (INCOMPLETE,)), (None, ())],
)
def test_corrected_record_is_a_hint_and_an_outage_a_gap(reason, full_sync):
    """P40: CloudTrail corrects records; after an outage some may never come (CloudTrail record contents: addendum)."""
    assert read(event(addendum={"reason": reason})).hint == Hint(users=(SUB,), full_sync=full_sync)


OTHERS = {
    "pool of the request": event(requestParameters={"userPoolId": "us-east-1_Other"}),
    "pool of the rest": event(
        requestParameters=None, additionalEventData={"sub": SUB, "userPoolId": "us-east-1_Other"}
    ),
    "account": event(recipientAccountId="210987654321"),
    "account of the envelope": event() | {"account": "210987654321"},
    "Region": event(awsRegion="eu-west-1"),
    "trigger": {"sub": SUB, "userPoolId": "us-east-1_Other"},
    "pulse": {"detail-type": "Scheduled Event", "source": "aws.events", "account": "210987654321", "detail": {}},
}


@pytest.mark.parametrize("message", OTHERS.values(), ids=OTHERS.keys())
def test_other_pool_account_or_region_is_not_ours(message):
    """P40: rules of others may share the queue."""
    assert read(message).reading is Reading.OTHER_POOL
    assert read(message).hint == Hint()


@pytest.mark.parametrize(
    ("message", "reading"),
    [
        (event(errorCode="UserNotFoundException"), Reading.FAILED_CALL),
        (event("DeleteUserPool", errorCode="InvalidParameterException"), Reading.FAILED_CALL),
        (event("ListUsers"), Reading.UNLISTED),
        (event(eventSource="iam.amazonaws.com"), Reading.NONSENSE),
        (event(eventName=...), Reading.UNLISTED),
        ({"detail": HIDDEN}, Reading.NONSENSE),
        ({"sub": HIDDEN}, Reading.NONSENSE),
        ([event()], Reading.NONSENSE),
        (None, Reading.NONSENSE),
    ],
)
def test_what_changes_nobody_says_nothing(message, reading):
    """P40: it is counted by its kind, and deleted."""
    assert read(message) == read(message).__class__(reading)


def test_pulse_is_the_rules_sign_of_life():
    """P40: a rule at a rate of five minutes proves the way from EventBridge to the queue."""
    pulse = {"detail-type": "Scheduled Event", "source": "aws.events", "account": "123456789012", "region": "us-east-1"}

    assert read(pulse | {"detail": {}}).hint == Hint(pulse=True)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "x" * 262_144,
        "[" * 262_144,
        '{"a":' * 50_000,
        "9" * 10_000,
        '"\ud800"',
        '{"detail": {"eventName": NaN}}',
        "\0",
    ],
    ids=["empty", "letters", "lists", "objects", "digits", "surrogate", "not a number", "null byte"],
)
def test_nonsense_of_any_size_is_not_understood(body):
    """P32: a message of a quarter of a mebibyte, however deep, raises nothing."""
    assert read_message(body, WATCHED).reading is Reading.NONSENSE


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from([HIDDEN, SUB, POOL, ""]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                sorted(
                    {
                        "detail",
                        "eventName",
                        "eventSource",
                        "requestParameters",
                        "additionalEventData",
                        "responseElements",
                        "userPoolId",
                        "sub",
                        "groupName",
                        "username",
                        "errorCode",
                        "addendum",
                        "reason",
                        "account",
                        "region",
                        "source",
                        "detail-type",
                    }
                )
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(
    name=st.sampled_from(
        ["AdminDeleteUser", "CreateGroup", "UpdateUserPool", "DeleteUserPool", "Token_POST", "ListUsers"]
    ),
    changed=st.dictionaries(st.sampled_from(sorted(event()["detail"])), json_values, max_size=4),
    around=st.dictionaries(st.sampled_from(["account", "region", "detail", "sub", "source"]), json_values, max_size=2),
)
def test_any_field_of_any_type_is_a_message(name, changed, around):
    """P32: whatever stands anywhere, nothing is raised, and what is named is a UUID or a possible name."""
    hint = read(event(name) | {"detail": event(name)["detail"] | changed} | around).hint

    assert set(hint.users) <= {SUB}
    assert all(0 < len(group) <= 128 and " " not in group for group in hint.groups)


@given(body=st.text(max_size=40) | json_values.map(json.dumps))
def test_any_body_is_a_message(body):
    """P32: no body whatever raises."""
    read_message(body, WATCHED)
