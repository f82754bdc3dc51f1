"""Codes of an authenticator app against the vectors of the standards."""

import base64
from datetime import UTC, datetime

import pytest

from connector.errors import ConfigError
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.authenticator import Authenticator, one_time_code
from tests.fakes.rotation.clock import FakeClock

RFC_KEY = b"12345678901234567890"
RFC_SEED = Secret(base64.b32encode(RFC_KEY).decode())


@pytest.mark.parametrize(
    ("counter", "code"),
    list(
        enumerate(["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"])
    ),
)
def test_codes_are_those_of_the_counter_standard(counter, code):
    """RFC 4226, appendix D."""
    assert code == one_time_code(RFC_KEY, counter)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_the_time_standard(seconds, code):
    """RFC 6238, appendix B; apps and Cognito show the last six of its eight digits."""
    clock = FakeClock(datetime.fromtimestamp(seconds, UTC))

    assert code == one_time_code(RFC_KEY, seconds // 30, digits=8)
    assert code[2:] == Authenticator(RFC_SEED, now=clock.now, sleep=clock.sleep).next_code().reveal()


def test_no_time_step_gives_two_codes():
    """RFC 6238, section 5.2: a code counts once, so the second one waits for the next step."""
    clock = FakeClock(datetime(2026, 1, 31, 8, 0, 10, tzinfo=UTC))
    authenticator = Authenticator(RFC_SEED, now=clock.now, sleep=clock.sleep)

    codes = {authenticator.next_code().reveal() for _ in range(3)}

    assert len(codes) == 3
    assert clock.slept == [20, 30]


def test_a_later_step_is_not_waited_for():
    """RFC 6238, section 5.2: whoever comes in another step need not wait."""
    clock = FakeClock()
    authenticator = Authenticator(RFC_SEED, now=clock.now, sleep=clock.sleep)
    authenticator.next_code()
    clock.sleep(31)

    authenticator.next_code()

    assert clock.slept == [31]


@pytest.mark.parametrize("seed", ["gezd gnbv gy3t qojq gezd gnbv gy3t qojq", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ===="])
def test_a_seed_may_be_written_as_it_is_shown(seed):
    """P26: setup pages show seeds in groups and in lower case."""
    clock = FakeClock(datetime.fromtimestamp(59, UTC))

    assert Authenticator(Secret(seed), now=clock.now, sleep=clock.sleep).next_code().reveal() == "287082"


@pytest.mark.parametrize("seed", ["018", "!!", "A"])
def test_a_seed_that_is_none_is_told_without_showing_it(seed):
    """P27: a seed is a secret, also a wrong one."""
    with pytest.raises(ConfigError) as caught:
        Authenticator(Secret(f"{seed}CANARY01"))

    assert "CANARY" not in str(caught.value)
