from datetime import UTC, datetime, timedelta, timezone

from connector.cognito.records import group_record, user_record
from connector.directory.records import GroupRecord, UserRecord

CREATED = datetime(2024, 5, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))


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
    utc = datetime(2024, 5, 1, 10, 0, tzinfo=UTC)

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
        "staff", "Everybody", 0, "arn:aws:iam::123456789012:role/staff", datetime(2024, 5, 1, 10, 0, tzinfo=UTC)
    )

    assert expected == group_record(answer)


def test_an_empty_group_is_still_a_record() -> None:
    """P17: as with users."""
    assert GroupRecord(name="") == group_record({})
