"""A person answers whatever the user pool asks, or is told why that cannot be done."""

import base64
from dataclasses import dataclass, field

import pytest

from connector.access.aws_doors import AwsDoors
from connector.access.device import device_verifier
from connector.access.person import authenticator_uri, sign_in_person
from connector.errors import LoginRefused, LoginUnavailable, LoginUnfit
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.dialogue import Dialogue
from connector.rotation.sign_in.flows import AppClient, Flow
from tests.fakes.challenges import POOL_ID, AskingPool, Question
from tests.fakes.refusals import Refusal
from tests.fakes.rotation.cloud import Cloud
from tests.fakes.rotation.pool_users import totp_code

APP = AppClient(POOL_ID, "app", flows=(Flow.USER_SRP_AUTH, Flow.USER_PASSWORD_AUTH))


@dataclass
class Somebody:
    """Sits at the terminal and gives these answers, in order."""

    answers: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def ask(self, question):
        """Answer in the open."""
        self.asked.append(question)
        return self.answers.pop(0)

    def ask_secret(self, question):
        """Answer unseen."""
        return Secret(self.ask(question))

    def choose(self, question, options):
        """Choose by the word."""
        self.asked.append(question)
        return list(options).index(self.answers.pop(0))

    def show_authenticator_key(self, key, uri):
        """Scan it."""
        self.shown += [key.reveal(), uri]


def sign_in(pool, monkeypatch, *answers, password="right"):
    """Sign Ann in with these answers; returns tokens and what she was asked."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", pool.url)
    cognito, somebody = AwsDoors("eu-west-1").user_pool(), Somebody(list(answers))
    dialogue = Dialogue(cognito, APP, username="ann")
    label = f"{POOL_ID}:ann"
    return sign_in_person(cognito, dialogue, somebody, password=Secret(password), label=label), somebody


ANSWERED = {
    "nothing but the password": ((), ()),
    "authenticator": ((Question("SOFTWARE_TOKEN_MFA", {"SOFTWARE_TOKEN_MFA_CODE": "123456"}),), ("123 456",)),
    "text message": (
        (Question("SMS_MFA", {"SMS_MFA_CODE": "1"}, {"CODE_DELIVERY_DESTINATION": "+*******9934"}),),
        ("1",),
    ),
    "e-mail": ((Question("EMAIL_OTP", {"EMAIL_OTP_CODE": "7"}, {"CODE_DELIVERY_DESTINATION": "a***@e***"}),), ("7",)),
    "choice of factors": (
        (
            Question("SELECT_MFA_TYPE", {"ANSWER": "EMAIL_OTP"}, {"MFAS_CAN_CHOOSE": '["SMS_MFA","EMAIL_OTP"]'}),
            Question("EMAIL_OTP", {"EMAIL_OTP_CODE": "7"}),
        ),
        ("e-mail", "7"),
    ),
    "first password with attributes": (
        (
            Question(
                "NEW_PASSWORD_REQUIRED",
                {"NEW_PASSWORD": "N3w!", "userAttributes.family_name": "Lee"},
                {"requiredAttributes": '["userAttributes.family_name"]'},
            ),
        ),
        ("Lee", "N3w!", "N3w!"),
    ),
    "a second code after a wrong one": (
        (Question("SOFTWARE_TOKEN_MFA", {"SOFTWARE_TOKEN_MFA_CODE": "2"}),),
        ("1", "2"),
    ),
    "set-up of an authenticator": (
        (Question("MFA_SETUP", {}, {"MFAS_CAN_SETUP": '["SOFTWARE_TOKEN_MFA"]'}),),
        ("123456",),
    ),
}


@pytest.mark.parametrize(("questions", "answers"), ANSWERED.values(), ids=ANSWERED)
def test_every_question_can_be_answered(questions, answers, monkeypatch):
    """Tokens come at the end, under the internal name where the pool said it."""
    with AskingPool(*questions) as pool:
        tokens, somebody = sign_in(pool, monkeypatch, *answers)

        assert tokens.refresh_token.reveal() in pool.refresh_tokens
        assert tokens.username == ("ann-internal" if questions else "ann")
        assert somebody.answers == []


def test_person_is_told_where_the_code_went(monkeypatch):
    """The pool says it, masked."""
    with AskingPool(*ANSWERED["text message"][0]) as pool:
        _, somebody = sign_in(pool, monkeypatch, "1")

    assert somebody.asked == ["Code of your text message sent to +*******9934"]


def test_authenticator_is_set_up_by_a_picture_or_a_key(monkeypatch):
    """What is shown is what apps scan."""
    with AskingPool(*ANSWERED["set-up of an authenticator"][0]) as pool:
        _, somebody = sign_in(pool, monkeypatch, "123456")

        assert somebody.shown[0] == pool.seed
        assert somebody.shown[1] == authenticator_uri(Secret(pool.seed), f"{POOL_ID}:ann")
        assert somebody.shown[1].startswith(f"otpauth://totp/{POOL_ID}%3Aann?secret=")


REFUSED = {
    "custom challenge": ((Question("CUSTOM_CHALLENGE"),), (), LoginUnfit, "proves nothing of a password|cannot answer"),
    "device sign-in": ((Question("DEVICE_SRP_AUTH"),), (), LoginUnfit, "DEVICE_SRP_AUTH"),
    "three wrong codes": (
        (Question("SMS_MFA", {"SMS_MFA_CODE": "9"}),),
        ("1", "2", "3"),
        LoginRefused,
        "code is wrong",
    ),
    "wrong code at set-up": (
        (Question("MFA_SETUP", {}, {"MFAS_CAN_SETUP": '["SOFTWARE_TOKEN_MFA"]'}),),
        ("000000",),
        LoginRefused,
        "code is wrong",
    ),
    "set-up of something else": (
        (Question("MFA_SETUP", {}, {"MFAS_CAN_SETUP": '["SMS_MFA"]'}),),
        (),
        LoginUnfit,
        "not an authenticator",
    ),
    "two different new passwords": (
        (Question("NEW_PASSWORD_REQUIRED", {}, {"requiredAttributes": "[]"}),),
        ("one", "other"),
        LoginRefused,
        "differ",
    ),
    "no factor that can be answered": (
        (Question("SELECT_MFA_TYPE", {}, {"MFAS_CAN_CHOOSE": '["WEB_AUTHN"]'}),),
        (),
        LoginUnfit,
        "no factor",
    ),
    "questions without an end": (
        tuple(Question("SMS_MFA", {"SMS_MFA_CODE": "1"}) for _ in range(20)),
        ("1",) * 20,
        LoginUnfit,
        "does not come to an end",
    ),
}


@pytest.mark.parametrize(("questions", "answers", "error", "text"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_answered_is_a_clear_refusal(questions, answers, error, text, monkeypatch):
    """No token is kept, and nothing is half done."""
    with AskingPool(*questions) as pool, pytest.raises(error, match=text):
        sign_in(pool, monkeypatch, *answers)


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal("NotAuthorizedException", "Incorrect username or password."),
        Refusal("NotAuthorizedException", "User is disabled."),
        Refusal("UserNotFoundException", "User does not exist."),
    ],
    ids=["wrong", "disabled", "missing"],
)
def test_who_may_not_come_in_hears_one_sentence(refusal, monkeypatch):
    """No enumeration, whatever the pool lets be seen."""
    with AskingPool() as pool:
        pool.faults["InitiateAuth"] = refusal
        with pytest.raises(LoginRefused) as caught:
            sign_in(pool, monkeypatch)

    assert caught.value.message == "Wrong user name or password."
    assert caught.value.exit_code == 77


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (Refusal("NotAuthorizedException", "Password attempts exceeded"), LoginUnavailable),
        (Refusal("TooManyRequestsException", "Rate exceeded"), LoginUnavailable),
        (Refusal("PasswordResetRequiredException", "Password reset required"), LoginRefused),
        (Refusal("ResourceNotFoundException", "User pool client app does not exist."), LoginUnfit),
        (Refusal("InternalErrorException", "", 500), LoginUnavailable),
    ],
    ids=["locked out", "throttled", "reset", "no client", "500"],
)
def test_other_refusals_are_told_for_what_they_are(refusal, error, monkeypatch):
    """Each with what to do, and the exit code of the contract."""
    with AskingPool() as pool:
        pool.faults["InitiateAuth"] = refusal
        with pytest.raises(error) as caught:
            sign_in(pool, monkeypatch)

    assert caught.value.remedy


def test_device_is_confirmed_so_that_its_session_can_be_renewed(monkeypatch):
    """A pool that tracks devices takes no refresh without the key of one that it knows."""
    with AskingPool(tracks_devices=True) as pool:
        tokens, _ = sign_in(pool, monkeypatch)

        assert tokens.device_key == "eu-west-1_device"
        verifier = pool.confirmed[0]["DeviceSecretVerifierConfig"]
        assert len(base64.b64decode(verifier["PasswordVerifier"])) in range(380, 386)


def test_device_verifier_is_a_new_one_each_time():
    """Nobody signs in by it, so nothing of it is kept."""
    assert device_verifier("group", "key") != device_verifier("group", "key")


def test_srp_and_an_authenticator_sign_in_at_the_strict_pool(monkeypatch):
    """The password is proved, never sent; the code is checked and counts once."""
    with Cloud() as cloud:
        seed = "JBSWY3DPEHPK3PXP"
        cloud.pool.add_user("ann", "0ld-Passw0rd!", totp=seed, aliases={"ann@example.com"})
        cloud.pool.add_client("app", secrets=["s1", "s2"], flows={"ALLOW_USER_SRP_AUTH"})
        monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint_url)
        cognito = AwsDoors("eu-west-1").user_pool()
        app = AppClient(cloud.pool.pool_id, "app", (Secret("old"), Secret("s2")), (Flow.USER_SRP_AUTH,))
        code = totp_code(seed, int(cloud.clock.now().timestamp()) // 30)
        dialogue = Dialogue(cognito, app, username="ann@example.com", now=cloud.clock.now)
        somebody = Somebody([code])
        tokens = sign_in_person(cognito, dialogue, somebody, password=Secret("0ld-Passw0rd!"), label="p:ann")

    assert tokens.username == "ann"
    assert tokens.client_secret.reveal() == "s2"
