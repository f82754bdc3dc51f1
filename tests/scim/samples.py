"""People and teams for the tests of rendering, plain ones and such as only an attacker would make up."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from connector.directory.people import Address, FederatedIdentity, Person, Team

CREATED = datetime(2024, 2, 29, 12, 0, 0, 123_000, tzinfo=UTC)
CHANGED = datetime(2025, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)

ANN = Person(
    id="0b5d8b3e-7a11-4f5e-9f55-000000000001",
    username="ann",
    names=("ann", "ann", "0b5d8b3e-7a11-4f5e-9f55-000000000001"),
    active=True,
    status="CONFIRMED",
    family_name="Ångström",
    display_name="Ann Ångström",
    email="a@corp.local",
    created=CREATED,
    modified=CHANGED,
    email_verified=True,
    formatted_name="Dr. Ann Ångström",
    given_name="Ann",
    middle_name="Q.",
    nick_name="Annie",
    profile_url="https://people.example.com/ann",
    title="Engineer",
    user_type="Staff",
    preferred_language="sv",
    locale="sv-SE",
    timezone="Europe/Stockholm",
    phone_number="+46700000000",
    phone_number_verified=True,
    photo="https://people.example.com/ann.png",
    address=Address("1 Way, Town", "1 Way", "Town", "Shire", "12345", "SE"),
    roles=("reader", "writer"),
    entitlements=("vpn",),
    enterprise={
        "employee_number": "7",
        "cost_center": "C1",
        "organization": "Acme",
        "division": "North",
        "department": "R&D",
    },
    preferred_username="annie",
    birthdate="1980-01-01",
    gender="female",
    website="https://ann.example.com",
    updated_at="1700000000",
    identities=(FederatedIdentity("Google", "Google", "1234", primary=True),),
    custom_attributes={"custom:badge": "17", "dev:custom:x": "y"},
)
BO = Person(
    id="0b5d8b3e-7a11-4f5e-9f55-000000000002",
    username="bo",
    names=("bo", "bo", "0b5d8b3e-7a11-4f5e-9f55-000000000002"),
    active=False,
    status="UNCONFIRMED",
    family_name="bo",
    display_name="bo",
    email="bo@no-email.example.com",
)
TEAM = Team(
    id="9a6f6f4e-0000-5000-8000-000000000001",
    name="Équipe “A/B”",
    description="Les gens",
    precedence=0,
    role_arn="arn:aws:iam::123456789012:role/team",
    created=CREATED,
    modified=CHANGED,
)

_SPITEFUL = st.sampled_from(
    [
        '"',
        "\\",
        "</script><script>alert(1)</script>",
        "\x02/Users/x",
        "\x01\x1f\x7f\u2028",
        '"}},"active":false',
        "\u202egnp.exe",
        "👩‍👩‍👧‍👦",
        "Z\u0308alg\u0336o",
        "\uffff",
        "'; DROP TABLE users; --",
        "{username}",
        "%s%n",
    ]
)
hostile_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20) | _SPITEFUL
_moments = st.none() | st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - the strategy adds the time zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001 - likewise
    timezones=st.just(UTC),
)


class _Spread:
    """Spreads a few drawn texts over many attributes, which is much faster than to draw a text for each."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._texts = draw(st.lists(hostile_text.filter(bool), min_size=1, max_size=5))
        self._random = draw(st.randoms(use_true_random=False))

    def some(self) -> str:
        """Return a text that is not empty."""
        return self._random.choice(self._texts)

    def any(self) -> str:
        """Return a text that may be empty."""
        return self._random.choice(["", *self._texts])

    def several(self) -> tuple[str, ...]:
        """Return up to three texts."""
        return tuple(self.some() for _ in range(self._random.randrange(4)))

    def flag(self) -> bool:
        """Return yes or no."""
        return self._random.random() < 1 / 2

    def web_address(self) -> str:
        """Return an address such as the mapping lets pass, or none."""
        return self._random.choice(["", f"https://example.com/{self._random.randrange(10**9)}?q=1#top"])


@st.composite
def hostile_people(draw: st.DrawFn) -> Person:
    """Draw a person whose every text may be an attack."""
    spread = _Spread(draw)
    keys = ("employee_number", "cost_center", "organization", "division", "department")
    return Person(
        id=str(draw(st.uuids())),
        username=spread.some(),
        names=(spread.some(), spread.some(), spread.some()),
        active=spread.flag(),
        status=spread.any(),
        family_name=spread.some(),
        display_name=spread.some(),
        email=spread.any(),
        created=draw(_moments),
        modified=draw(_moments),
        email_verified=spread.flag(),
        formatted_name=spread.any(),
        given_name=spread.any(),
        middle_name=spread.any(),
        nick_name=spread.any(),
        profile_url=spread.web_address(),
        title=spread.any(),
        user_type=spread.any(),
        preferred_language=spread.any(),
        locale=spread.any(),
        timezone=spread.any(),
        phone_number=spread.any(),
        phone_number_verified=spread.flag(),
        photo=spread.web_address(),
        address=Address(*(spread.any() for _ in range(6))) if spread.flag() else None,
        roles=spread.several(),
        entitlements=spread.several(),
        enterprise={key: spread.any() for key in keys if spread.flag()},
        preferred_username=spread.any(),
        birthdate=spread.any(),
        gender=spread.any(),
        website=spread.any(),
        updated_at=spread.any(),
        identities=tuple(
            FederatedIdentity(provider, spread.any(), spread.any(), spread.flag()) for provider in spread.several()
        ),
        custom_attributes={name: spread.some() for name in spread.several()},
    )


@st.composite
def hostile_teams(draw: st.DrawFn) -> Team:
    """Draw a team whose every text may be an attack."""
    spread = _Spread(draw)
    return Team(
        id=str(draw(st.uuids())),
        name=spread.some(),
        description=spread.any(),
        precedence=draw(st.none() | st.integers(0, 2**31 - 1)),
        role_arn=spread.any(),
        created=draw(_moments),
        modified=draw(_moments),
        provider=spread.flag(),
    )
