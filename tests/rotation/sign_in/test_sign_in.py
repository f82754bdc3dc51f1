"""Proof by signing in, at a pool that verifies SRP and SECRET_HASH, keeps to flows and locks out."""

import re

import pytest

from connector.errors import RotationDenied, TargetUnavailable, TargetUnfit
from connector.rotation.aws.aws_clients import AwsDoor
from connector.rotation.model.ports import Proof, Verdict
from connector.rotation.sign_in.flows import Flow
from connector.rotation.sign_in.sign_in import SignIn
from tests.fakes.faults import Fault
from tests.fakes.refusals import Refusal
from tests.fakes.rotation.cloud import Cloud
from tests.fakes.rotation.srp_server import ServerExchange
from tests.rotation.people import CLIENT_SECRETS, NEW, OLD, SEED, WRONG, app_client, sign_in

ACCEPTED, REFUSED = Proof(Verdict.ACCEPTED), Proof(Verdict.REFUSED)


def allow(cloud: Cloud, flow: Flow, *secrets: str) -> None:
    """Let the app client have these secrets and no other flow."""
    cloud.pool.add_client("app", secrets=list(secrets), flows={f"ALLOW_{flow}"})


@pytest.mark.parametrize("secrets", [(), CLIENT_SECRETS[:1], CLIENT_SECRETS])
@pytest.mark.parametrize("flow", Flow)
def test_every_flow_tells_the_password_from_another(cloud: Cloud, door: AwsDoor, flow: Flow, secrets) -> None:
    """P26: SRP, USER_PASSWORD and ADMIN_USER_PASSWORD, without and with one or two client secrets, by an alias."""
    allow(cloud, flow, *secrets)
    cloud.pool.add_user("7d6f-internal", OLD.reveal(), aliases={"ann@example.com"})
    signing = sign_in(cloud, door, username="ann@example.com", app=app_client(*secrets[-1:], flow=flow))

    assert signing.prove(OLD) == ACCEPTED
    assert signing.prove(WRONG) == REFUSED


@pytest.mark.parametrize("flow", Flow)
def test_either_of_two_client_secrets_may_be_the_one_that_fits(cloud: Cloud, door: AwsDoor, flow: Flow) -> None:
    """P26: while a client secret is replaced, the list here holds one that the client no longer or not yet has."""
    allow(cloud, flow, CLIENT_SECRETS[1])
    cloud.pool.add_user("ann", OLD.reveal())
    signing = sign_in(cloud, door, app=app_client(*CLIENT_SECRETS, flow=flow))

    assert signing.prove(OLD) == ACCEPTED
    assert signing.prove(WRONG) == REFUSED
    assert cloud.pool.users["ann"].failures == 1


@pytest.mark.parametrize("known", [(), ("another-client-secret-0000",)])
def test_a_client_secret_that_does_not_fit_says_nothing_of_the_password(cloud: Cloud, door: AwsDoor, known) -> None:
    """P26: a missing or wrong SECRET_HASH is a fault of the configuration, not a wrong password."""
    allow(cloud, Flow.USER_SRP_AUTH, CLIENT_SECRETS[0])
    cloud.pool.add_user("ann", OLD.reveal())
    signing = sign_in(cloud, door, app=app_client(*known))

    proof = signing.prove(OLD)

    assert proof.verdict is Verdict.UNDECIDED
    assert "client secret" in proof.detail
    with pytest.raises(TargetUnfit, match="client secret"):
        signing.rehearse(OLD)


def test_a_proof_leaves_no_session_behind(cloud: Cloud, door: AwsDoor) -> None:
    """P26: the session that a proof opens is revoked."""
    allow(cloud, Flow.USER_SRP_AUTH, CLIENT_SECRETS[0])
    cloud.pool.add_user("ann", OLD.reveal())

    sign_in(cloud, door, app=app_client(CLIENT_SECRETS[0])).prove(OLD)

    assert not cloud.pool.refresh_tokens


def test_a_session_that_cannot_be_revoked_does_not_spoil_the_proof(cloud: Cloud, door: AwsDoor) -> None:
    """P26: an app client may have revocation switched off; the token then ends by itself."""
    allow(cloud, Flow.USER_SRP_AUTH)
    cloud.pool.add_user("ann", OLD.reveal())
    cloud.fail("RevokeToken", call=1, fault=Refusal("UnsupportedOperationException", "Revocation is disabled."))

    assert sign_in(cloud, door).prove(OLD) == ACCEPTED


@pytest.mark.parametrize(
    "challenge", ["SMS_MFA", "EMAIL_OTP", "MFA_SETUP", "SELECT_MFA_TYPE", "DEVICE_SRP_AUTH", "SOFTWARE_TOKEN_MFA"]
)
@pytest.mark.parametrize("flow", Flow)
def test_a_further_factor_proves_the_password(cloud: Cloud, door: AwsDoor, flow: Flow, challenge: str) -> None:
    """P26: Cognito asks for the next factor only after the password was accepted."""
    allow(cloud, flow)
    cloud.pool.add_user("ann", OLD.reveal(), challenge=challenge)
    signing = sign_in(cloud, door, app=app_client(flow=flow))

    assert Proof(Verdict.FACTOR_OUTSTANDING, challenge) == signing.prove(OLD)
    assert signing.prove(WRONG) == REFUSED


@pytest.mark.parametrize("flow", Flow)
def test_a_first_password_is_proved_though_it_has_to_be_changed(cloud: Cloud, door: AwsDoor, flow: Flow) -> None:
    """P26: NEW_PASSWORD_REQUIRED comes only to who knew the temporary password."""
    allow(cloud, flow)
    cloud.pool.add_user("ann", OLD.reveal(), status="FORCE_CHANGE_PASSWORD")
    signing = sign_in(cloud, door, app=app_client(flow=flow))

    assert Proof(Verdict.FACTOR_OUTSTANDING, "NEW_PASSWORD_REQUIRED") == signing.prove(OLD)
    assert signing.prove(WRONG) == REFUSED


@pytest.mark.parametrize("challenge", ["CUSTOM_CHALLENGE", "SELECT_CHALLENGE"])
@pytest.mark.parametrize("flow", Flow)
def test_a_challenge_before_the_password_proves_nothing(
    cloud: Cloud, door: AwsDoor, flow: Flow, challenge: str
) -> None:
    """P26: custom authentication and a choice of first factors come to anybody."""
    allow(cloud, flow)
    cloud.pool.add_user("ann", OLD.reveal(), asks_first=challenge)
    signing = sign_in(cloud, door, app=app_client(flow=flow))

    proof = signing.prove(OLD)

    assert proof.verdict is Verdict.UNDECIDED
    assert challenge in proof.detail


@pytest.mark.parametrize("challenge", ["", "SELECT_MFA_TYPE"])
@pytest.mark.parametrize("flow", Flow)
def test_an_authenticator_is_answered_where_its_seed_is_given(
    cloud: Cloud, door: AwsDoor, flow: Flow, challenge: str
) -> None:
    """P26: with the seed the sign-in goes to its end, also where Cognito lets choose among factors."""
    allow(cloud, flow, CLIENT_SECRETS[0])
    cloud.pool.add_user("ann", OLD.reveal(), totp=SEED, challenge=challenge)
    signing = sign_in(cloud, door, app=app_client(CLIENT_SECRETS[0], flow=flow), seed=SEED)

    proofs = [signing.prove(OLD), signing.prove(OLD)]

    assert proofs == [ACCEPTED, ACCEPTED]
    assert len(cloud.pool.users["ann"].used_steps) == 2


def test_a_wrong_seed_still_proves_the_password(cloud: Cloud, door: AwsDoor) -> None:
    """P26: the code is asked for only after the password was accepted."""
    allow(cloud, Flow.USER_SRP_AUTH)
    cloud.pool.add_user("ann", OLD.reveal(), totp="MFRGGZDFMZTWQ2LK")

    proof = sign_in(cloud, door, seed=SEED).prove(OLD)

    assert proof.verdict is Verdict.FACTOR_OUTSTANDING
    assert "code" in proof.detail


def test_a_factor_that_is_not_an_authenticator_s_is_left_open(cloud: Cloud, door: AwsDoor) -> None:
    """P26: a seed answers one kind of factor."""
    allow(cloud, Flow.USER_SRP_AUTH)
    cloud.pool.add_user("ann", OLD.reveal(), challenge="SMS_MFA")

    assert sign_in(cloud, door, seed=SEED).prove(OLD) == Proof(Verdict.FACTOR_OUTSTANDING, "SMS_MFA")


def test_a_lock_out_is_not_a_wrong_password(cloud: Cloud, door: AwsDoor) -> None:
    """P26: after five failures the right password is refused as well, for a while."""
    allow(cloud, Flow.USER_SRP_AUTH)
    cloud.pool.add_user("ann", OLD.reveal())
    signing = sign_in(cloud, door)
    for _ in range(5):
        signing.prove(WRONG)

    locked = signing.prove(OLD)
    cloud.clock.sleep(1)

    assert locked.verdict is Verdict.UNDECIDED
    assert "locked" in locked.detail
    assert signing.prove(OLD) == ACCEPTED


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"enabled": False}, "disabled"),
        ({"status": "UNCONFIRMED"}, "not confirmed"),
        ({"status": "RESET_REQUIRED"}, "reset"),
    ],
)
def test_a_user_who_cannot_sign_in_proves_nothing(cloud: Cloud, door: AwsDoor, about, words: str) -> None:
    """P26: Cognito refuses these before it looks at the password."""
    allow(cloud, Flow.USER_PASSWORD_AUTH)
    cloud.pool.add_user("ann", OLD.reveal(), **about)

    proof = sign_in(cloud, door, app=app_client(flow=Flow.USER_PASSWORD_AUTH)).prove(OLD)

    assert proof.verdict is Verdict.UNDECIDED
    assert words in proof.detail


@pytest.mark.parametrize("flow", Flow)
@pytest.mark.parametrize("hides_users", [True, False])
def test_a_missing_user_is_never_accepted(cloud: Cloud, door: AwsDoor, flow: Flow, *, hides_users: bool) -> None:
    """P26: with PreventUserExistenceErrors nobody can tell a missing user from a wrong password."""
    cloud.pool.add_client("app", flows={f"ALLOW_{flow}"}, hides_users=hides_users)

    proof = sign_in(cloud, door, app=app_client(flow=flow)).prove(OLD)

    assert (Verdict.REFUSED if hides_users else Verdict.UNDECIDED) is proof.verdict


@pytest.mark.parametrize("flow", Flow)
def test_a_flow_that_the_app_client_does_not_allow_is_told(cloud: Cloud, door: AwsDoor, flow: Flow) -> None:
    """P26: ExplicitAuthFlows is the configuration's business, not the password's."""
    cloud.pool.add_client("app", flows=set())
    cloud.pool.add_user("ann", OLD.reveal())

    proof = sign_in(cloud, door, app=app_client(flow=flow)).prove(OLD)

    assert proof.verdict is Verdict.UNDECIDED
    assert f"does not allow {flow}" in proof.detail


@pytest.mark.parametrize(
    "fault", [Fault.THROTTLE, Fault.ERROR_500, Fault.ERROR_503, Fault.UNHEARD, Fault.RESET, Fault.HTML, Fault.CUT_JSON]
)
@pytest.mark.parametrize("operation", ["InitiateAuth", "RespondToAuthChallenge"])
def test_a_disturbed_sign_in_decides_nothing_and_is_not_repeated(
    cloud: Cloud, door: AwsDoor, operation: str, fault: Fault
) -> None:
    """P26: no answer is no refusal; repeating is for who counts the failures."""
    allow(cloud, Flow.USER_SRP_AUTH)
    cloud.pool.add_user("ann", OLD.reveal())
    cloud.fail(operation, call=1, fault=fault)
    signing = sign_in(cloud, door)

    proof = signing.prove(OLD)

    assert proof.verdict is Verdict.UNDECIDED
    assert cloud.calls[operation] == 1
    assert signing.prove(OLD) == ACCEPTED


@pytest.mark.parametrize("operation", ["InitiateAuth", "RespondToAuthChallenge"])
def test_an_answer_without_content_decides_nothing(cloud: Cloud, door: AwsDoor, operation: str) -> None:
    """P26: an empty object with HTTP 200 is neither a yes nor a no."""
    allow(cloud, Flow.USER_SRP_AUTH)
    cloud.pool.add_user("ann", OLD.reveal())
    cloud.fail(operation, call=1, fault=Fault.EMPTY_OBJECT)

    assert sign_in(cloud, door).prove(OLD).verdict is Verdict.UNDECIDED


def test_a_damaged_srp_challenge_decides_nothing(cloud: Cloud, door: AwsDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 5054, section 2.5.4: a server whose number is zero could be anybody, so no claim is signed for it."""
    allow(cloud, Flow.USER_SRP_AUTH)
    cloud.pool.add_user("ann", OLD.reveal())
    zero = {"USER_ID_FOR_SRP": "ann", "SALT": "1", "SRP_B": "0", "SECRET_BLOCK": "AAAA"}
    monkeypatch.setattr(ServerExchange, "challenge", lambda _: zero)

    proof = sign_in(cloud, door).prove(OLD)

    assert proof.verdict is Verdict.UNDECIDED
    assert "not an SRP challenge" in proof.detail
    assert not cloud.calls["RespondToAuthChallenge"]


def test_who_may_not_sign_users_in_is_told(cloud: Cloud, door: AwsDoor) -> None:
    """P26: the ADMIN flow needs cognito-idp:AdminInitiateAuth."""
    allow(cloud, Flow.ADMIN_USER_PASSWORD_AUTH)
    cloud.pool.add_user("ann", OLD.reveal())
    cloud.deny("AdminInitiateAuth")

    with pytest.raises(RotationDenied, match="cognito-idp:AdminInitiateAuth"):
        sign_in(cloud, door, app=app_client(flow=Flow.ADMIN_USER_PASSWORD_AUTH)).prove(OLD)


def test_the_answer_to_an_srp_challenge_carries_no_session(cloud: Cloud, door: AwsDoor) -> None:
    """P26: AWS sends none with PASSWORD_VERIFIER (NabuCasa/pycognito#78), and botocore refuses an empty one."""
    allow(cloud, Flow.USER_SRP_AUTH)
    cloud.pool.add_user("ann", OLD.reveal())
    sent: list[dict[str, object]] = []
    cognito = door.cognito()
    cognito.meta.events.register(
        "provide-client-params.*.RespondToAuthChallenge", lambda params, **_: sent.append(params)
    )

    proof = SignIn(cognito, app_client(flow=Flow.USER_SRP_AUTH), username="ann").prove(OLD)

    assert proof == ACCEPTED
    assert ["Session" in parameters for parameters in sent] == [False]


@pytest.mark.parametrize("allowed", Flow)
def test_auto_takes_the_first_flow_that_the_app_client_allows(cloud: Cloud, door: AwsDoor, allowed: Flow) -> None:
    """P26: safest first, found once, and no failed sign-in is counted on the way."""
    allow(cloud, allowed, CLIENT_SECRETS[0])
    ann = cloud.pool.add_user("ann", OLD.reveal())
    signing = sign_in(cloud, door, app=app_client(CLIENT_SECRETS[0]))

    proofs = [signing.prove(OLD), signing.prove(OLD)]

    tried = list(Flow).index(allowed) + 1
    assert proofs == [ACCEPTED, ACCEPTED]
    assert cloud.calls["InitiateAuth"] + cloud.calls["AdminInitiateAuth"] == tried + 1
    assert ann.failures == 0


def test_auto_that_finds_nothing_says_what_to_add(cloud: Cloud, door: AwsDoor) -> None:
    """P26: an app client for a hosted page allows no flow that a program could use."""
    cloud.pool.add_client("app", flows=set())
    cloud.pool.add_user("ann", OLD.reveal())

    with pytest.raises(TargetUnfit, match=r"does not allow .*USER_SRP_AUTH.* Add ALLOW_USER_SRP_AUTH"):
        sign_in(cloud, door).rehearse(OLD)


def test_auto_without_the_right_to_the_last_flow_says_what_the_client_lacks(cloud: Cloud, door: AwsDoor) -> None:
    """P26: AWS decides about rights before it looks at the app client, so the denial alone would mislead."""
    cloud.pool.add_client("app", flows=set())
    cloud.pool.add_user("ann", OLD.reveal())
    cloud.deny("AdminInitiateAuth")

    with pytest.raises(RotationDenied, match="ALLOW_USER_SRP_AUTH"):
        sign_in(cloud, door).rehearse(OLD)


@pytest.mark.parametrize(
    ("password", "about", "verdict", "failures"),
    [
        (OLD, {}, Verdict.ACCEPTED, 0),
        (WRONG, {}, Verdict.REFUSED, 1),
        (OLD, {"totp": SEED}, Verdict.ACCEPTED, 0),
        (OLD, {"status": "RESET_REQUIRED"}, Verdict.UNDECIDED, 0),
        (WRONG, {"status": "RESET_REQUIRED"}, Verdict.REFUSED, 1),
    ],
)
@pytest.mark.parametrize("flow", Flow)
def test_a_rehearsal_costs_one_failed_sign_in_at_most(  # noqa: PLR0917 - one a column
    cloud: Cloud, door: AwsDoor, flow: Flow, password, about, verdict: Verdict, failures: int
) -> None:
    """P26: a right and a wrong password both show that flow, client and secret fit; a code is left unused."""
    allow(cloud, flow, CLIENT_SECRETS[0])
    ann = cloud.pool.add_user("ann", OLD.reveal(), **about)

    proof = sign_in(cloud, door, app=app_client(CLIENT_SECRETS[0]), seed=SEED).rehearse(password)

    assert (proof.verdict, ann.failures, ann.used_steps) == (verdict, failures, set())
    assert not cloud.pool.refresh_tokens


@pytest.mark.parametrize("flow", Flow)
def test_a_rehearsal_without_a_password_begins_srp_or_shows_a_wrong_one(
    cloud: Cloud, door: AwsDoor, flow: Flow
) -> None:
    """P26: where no current value is kept, what is wrong with the app client is known all the same."""
    allow(cloud, flow)
    ann = cloud.pool.add_user("ann", OLD.reveal())

    proof = sign_in(cloud, door).rehearse(None)

    assert proof.verdict is Verdict.UNDECIDED
    assert ann.failures == (0 if flow is Flow.USER_SRP_AUTH else 1)
    assert not cloud.calls["RespondToAuthChallenge"]


def test_a_rehearsal_during_a_lock_out_asks_for_time(cloud: Cloud, door: AwsDoor) -> None:
    """P26: "Password attempts exceeded" is worth trying again, and nothing is set meanwhile."""
    allow(cloud, Flow.USER_PASSWORD_AUTH)
    cloud.pool.add_user("ann", OLD.reveal(), locked_until=60.0)

    with pytest.raises(TargetUnavailable, match="locked"):
        sign_in(cloud, door).rehearse(OLD)


def test_a_client_without_a_secret_refuses_a_secret_hash(cloud: Cloud, door: AwsDoor) -> None:
    """P26: a secret too many is InvalidParameterException (pmill/aws-cognito#23), and is told as what it is."""
    allow(cloud, Flow.USER_SRP_AUTH)
    cloud.pool.add_user("ann", OLD.reveal())

    with pytest.raises(TargetUnfit, match="one too many"):
        sign_in(cloud, door, app=app_client(CLIENT_SECRETS[0])).rehearse(OLD)


@pytest.mark.parametrize("flow", Flow)
def test_nothing_secret_is_shown(cloud: Cloud, door: AwsDoor, flow: Flow, caplog: pytest.LogCaptureFixture) -> None:
    """P27: with every logger at DEBUG no password, secret, hash, session, token or code is logged or told."""
    caplog.set_level("DEBUG")
    caplog.set_level("DEBUG", "botocore")
    allow(cloud, flow, CLIENT_SECRETS[0])
    ann = cloud.pool.add_user("ann", OLD.reveal(), totp=SEED)
    signing = sign_in(cloud, door, app=app_client(CLIENT_SECRETS[0], flow=flow), seed=SEED)
    shown: list[object] = []
    for fault in (Fault.HTML, Refusal("NotAuthorizedException", "Access token eyJhbGciOiJSUzI1NiJ9.secret refused")):
        cloud.fail("RespondToAuthChallenge", call=cloud.calls["RespondToAuthChallenge"] + 1, fault=fault)
        cloud.fail("AdminRespondToAuthChallenge", call=cloud.calls["AdminRespondToAuthChallenge"] + 1, fault=fault)
        shown.append(signing.prove(OLD))
    shown += [signing.prove(WRONG), reached := signing.enter(OLD), app_client(CLIENT_SECRETS[0])]

    told = f"{shown!r} {[str(each) for each in shown]} {caplog.text}"

    assert reached.access_token is not None
    secrets = [OLD, WRONG, reached.access_token, reached.refresh_token]
    assert not [secret for secret in secrets if secret and secret.reveal() in told]
    assert not re.search(r"eyJ|client-secret|SECRET_HASH|SRP_A\b", told)
    assert ann.password not in told


def test_an_unreachable_pool_decides_nothing(cloud: Cloud) -> None:
    """P26: a connection that cannot be made is no refusal."""
    door = AwsDoor(cloud.session(), "eu-west-1", "http://127.0.0.1:9", connect_timeout=1, read_timeout=1)
    signing = sign_in(cloud, door)

    assert signing.prove(NEW).verdict is Verdict.UNDECIDED
    with pytest.raises(TargetUnavailable):
        signing.rehearse(OLD)
