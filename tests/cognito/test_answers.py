from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.cognito.answers import group_record, user_record, user_sub
from connector.directory.mapping import Rules, person_of
from connector.directory.records import GroupRecord, UserRecord
from connector.errors import RecordRejected

NAMES = ["Username", "Attributes", "Enabled", "UserStatus", "UserCreateDate", "GroupName", "Name", "Value", "sub"]
CREATED = 1_714_557_600.125


def test_a_whole_user_becomes_a_record() -> None:
    """Cognito API reference, UserType; times are kept in UTC."""
    answer = {
        "Username": "ann",
        "Attributes": [{"Name": "sub", "Value": "s-1"}, {"Name": "custom:team", "Value": "Ü\u0000"}],
        "UserCreateDate": CREATED,
        "UserLastModifiedDate": CREATED,
        "Enabled": False,
        "UserStatus": "EXTERNAL_PROVIDER",
    }
    utc = datetime(2024, 5, 1, 10, 0, 0, 125_000, UTC)

    expected = UserRecord("ann", {"sub": "s-1", "custom:team": "Ü\u0000"}, False, "EXTERNAL_PROVIDER", utc, utc)

    assert expected == user_record(answer)


def test_an_empty_user_is_still_a_record() -> None:
    """P17: reading never fails over a record; the mapping says later why it cannot be served."""
    assert UserRecord(username="", attributes={}, status="") == user_record({})


def test_an_attribute_without_value_is_empty_and_one_without_name_is_left_out() -> None:
    """P17: AttributeType requires only the name."""
    answer = {"Username": "bo", "Attributes": [{"Name": "email"}, {"Value": "lost"}]}

    assert user_record(answer).attributes == {"email": ""}


def test_a_whole_group_becomes_a_record() -> None:
    """Cognito API reference, GroupType."""
    answer = {
        "GroupName": "staff",
        "UserPoolId": "us-east-1_x",
        "Description": "Everybody",
        "RoleArn": "arn:aws:iam::123456789012:role/staff",
        "Precedence": 0,
        "CreationDate": CREATED,
    }

    expected = GroupRecord(
        "staff", "Everybody", 0, "arn:aws:iam::123456789012:role/staff", datetime(2024, 5, 1, 10, 0, 0, 125_000, UTC)
    )

    assert expected == group_record(answer)


def test_an_empty_group_is_still_a_record() -> None:
    """P17: as with users."""
    assert GroupRecord(name="") == group_record({})


@pytest.mark.parametrize("moment", [CREATED, "2024-05-01T12:00:00.125+02:00", "1714557600.125"])
def test_times_are_read_in_every_way_in_which_aws_writes_them(moment: float | str) -> None:
    """AWS JSON protocol: seconds since 1970; botocore reads the others too, and so do we."""
    assert user_record({"UserCreateDate": moment}).created == datetime(2024, 5, 1, 10, 0, 0, 125_000, UTC)


@pytest.mark.parametrize("moment", ["yesterday", 1e300, -1e17, "", [], {"seconds": 1}])
def test_a_time_that_is_none_costs_only_itself(moment: object) -> None:
    """P17: a bad attribute is left out and named, whatever it is."""
    record = user_record({"Username": "ann", "UserCreateDate": CREATED, "UserLastModifiedDate": moment})
    group = group_record({"GroupName": "staff", "CreationDate": moment})

    assert (record.created is not None, record.modified, record.unread) == (True, None, ("UserLastModifiedDate",))
    assert (group.name, group.created) == ("staff", None)


def test_what_is_null_is_as_good_as_left_out() -> None:
    """P17: the parser no longer takes nulls away."""
    names = ("Username", "Attributes", "UserCreateDate", "UserLastModifiedDate", "Enabled", "UserStatus")
    attribute = {"Name": "email", "Value": None}

    assert user_record(dict.fromkeys(names)) == user_record({})
    assert user_record({"Attributes": [attribute]}).attributes == {"email": ""}
    assert group_record(dict.fromkeys(("GroupName", "Description", "Precedence", "RoleArn", "CreationDate"))) == (
        group_record({})
    )


def test_what_is_not_text_costs_only_itself() -> None:
    """P17: emulators send numbers, truth values and lists; each is named, and the rest is served."""
    values = {"email": "a@corp.local", "custom:level": 5, "custom:on": True, "custom:list": ["x"], "nickname": {"a": 1}}
    listed = [{"Name": name, "Value": value} for name, value in values.items()]
    record = user_record(
        {"Username": "ann", "Attributes": [*listed, {"Name": 7, "Value": "x"}, "odd"], "UserStatus": 3}
    )

    assert (record.username, record.attributes, record.status) == ("ann", {"email": "a@corp.local"}, "")
    assert record.unread == (
        *("custom:level", "custom:on", "custom:list", "nickname", "Attributes", "Attributes", "UserStatus"),
    )


@pytest.mark.parametrize("answer", [None, 5, "ann", [], {"Username": 5}, {"Username": ["ann"], "Attributes": "odd"}])
def test_a_record_that_is_none_has_no_name(answer: object) -> None:
    """P17: so it is a reject, told and counted, and never the end of a run."""
    assert (user_record(answer).username, user_sub(answer), group_record(answer).name) == ("", "", "")


@pytest.mark.parametrize(
    ("enabled", "active", "unread"),
    [
        (True, True, ()),
        (False, False, ()),
        (None, True, ()),
        ("true", True, ()),
        ("false", False, ()),
        ("False", False, ()),
        ("no", False, ("Enabled",)),
        (0, False, ("Enabled",)),
        (1, False, ("Enabled",)),
        ([], False, ("Enabled",)),
    ],
)
def test_only_who_is_surely_enabled_is_active(enabled: object, unread: tuple[str, ...], *, active: bool) -> None:
    """P19: a disabled user whose emulator writes `"false"` is not let in by an importer."""
    record = user_record({"Username": "ann", "Enabled": enabled})

    assert (record.enabled, record.unread) == (active, unread)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_any_json_is_a_record(answer: object) -> None:
    """P17: reading never raises, and mapping what was read raises nothing but that it cannot be served."""
    assert isinstance(group_record(answer).name, str)
    assert user_sub(answer) in {user_record(answer).sub, ""}
    with suppress(RecordRejected):
        person_of(user_record(answer), Rules())


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ([{"Name": "email", "Value": "x"}, {"Name": "sub", "Value": "s-1"}], "s-1"),
        ([], ""),
        ([{"Name": "sub"}], ""),
        (None, ""),
    ],
)
def test_the_sub_alone_is_that_of_the_record(attributes: list[dict[str, str]] | None, expected: str) -> None:
    """Members are read by their sub, which must be the one of the walk over users."""
    answer = {"Username": "ann", "Attributes": attributes}

    assert user_sub(answer) == user_record(answer).sub == expected
