"""Logs: one record is one line, secrets stay out, libraries that know secrets stay quiet."""

import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import logs

CANARY = 'canary/"wJalr"XUt+nFEMI='


@pytest.fixture(autouse=True)
def _logging_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    names = ("", "boto3", "botocore", "urllib3", "s3transfer")
    levels = {name: logging.getLogger(name).level for name in names}
    handlers = list(logging.getLogger().handlers)
    monkeypatch.setattr(logs, "_secrets", set())
    yield
    logging.getLogger().handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize("name", ["botocore", "botocore.auth", "boto3.session", "urllib3.connectionpool", "s3transfer"])
def test_libraries_that_know_secrets_never_log_below_info(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """P27: botocore prints passwords, ExternalIds and session keys at DEBUG."""
    logs.configure_logging("debug", "console")
    logging.getLogger(name).debug("Response body: %s", CANARY)
    logging.getLogger("connector.test").debug("said")

    assert [line.partition("Z ")[2] for line in capsys.readouterr().err.splitlines()] == ["DEBUG connector.test: said"]


def test_libraries_follow_a_higher_level() -> None:
    """At WARNING they are no louder than anybody else."""
    logs.configure_logging("warning", "console")

    assert logging.getLogger("botocore.auth").isEnabledFor(logging.INFO) is False


@pytest.mark.parametrize("form", logs.FORMATS)
@pytest.mark.parametrize(
    "message",
    [CANARY, json.dumps(CANARY), repr(CANARY), "ExternalId=canary%2F%22wJalr%22XUt%2BnFEMI%3D", f"a {CANARY}{CANARY}"],
)
def test_a_registered_secret_never_shows(form: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """P27: not in a message, an argument or a traceback, in none of the forms in which libraries write it."""
    logs.register_secret(CANARY)
    logs.configure_logging("debug", form)
    log = logging.getLogger("connector.test")
    log.info(message)
    log.info("said %s", message)
    log.debug("failed", exc_info=ValueError(message))
    told = capsys.readouterr().err

    assert (len(told.splitlines()), "wJalr" in told, logs.REDACTED in told) == (3, False, True)


def test_a_value_too_short_to_be_a_secret_is_left_alone() -> None:
    """Hiding every `ab` would hide the log."""
    logs.register_secret("")
    logs.register_secret("ab")

    assert logs.redact("about cabs") == "about cabs"


@given(text=st.text(alphabet=st.characters(), max_size=40), form=st.sampled_from(logs.FORMATS))
def test_one_record_is_one_line(text: str, form: str) -> None:
    """P32: no text forges a line, moves a cursor or reorders what stands around it."""
    formatter = logs.JsonFormatter() if form == "json" else logs.ConsoleFormatter()
    record = logging.LogRecord("connector.test", logging.INFO, __file__, 1, "user %s", (text,), None)
    line = formatter.format(record)

    assert len(line.splitlines()) == 1
    assert logs.escape_controls(line) == line


def test_json_lines_are_objects(capsys: pytest.CaptureFixture[str]) -> None:
    """P32: a user whose name is a line of the log stays inside the message."""
    logs.configure_logging("info", "json")
    logging.getLogger("connector.test").warning("user %s", '\n{"level": "error"}')
    line = json.loads(capsys.readouterr().err)

    assert (line["level"], line["logger"], line["run_id"]) == ("warning", "connector.test", None)
    assert line["message"] == 'user \n{"level": "error"}'


def test_every_line_of_a_run_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The run's id is in each line, and in none after its end."""
    logs.configure_logging("info", "console")
    log = logging.getLogger("connector.test")
    with logs.run_context():
        logs.name_run("12")
        log.info("inside")
    log.info("outside")

    assert [line.partition("INFO ")[2] for line in capsys.readouterr().err.splitlines()] == [
        "[run 12] connector.test: inside",
        "connector.test: outside",
    ]


def test_logging_twice_configured_logs_once(capsys: pytest.CaptureFixture[str]) -> None:
    """`serve` raises the level after the command line has set it."""
    logs.configure_logging("warning", "console")
    logs.configure_logging("info", "console")
    logging.getLogger("connector.test").info("once")

    assert len(capsys.readouterr().err.splitlines()) == 1


def test_what_requests_cause_is_logged_a_few_times_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """P31: whoever asks without end fills no disk; what a run tells is told each time."""
    now = [0.0]
    handler = logs.StderrHandler()
    handler.addFilter(logs.Sparing(lambda: now[0]))
    loggers = {name: logging.getLogger(f"{name}.of_a_test") for name in ("connector.web", "connector.sync")}
    for logger in loggers.values():
        logger.propagate = False
        logger.handlers[:] = [handler]
    for number in range(1000):
        for logger in loggers.values():
            logger.warning("request %s failed", number)
    now[0] = 6.0
    loggers["connector.web"].warning("request %s failed", "x")
    lines = capsys.readouterr().err.splitlines()

    assert len(lines) == 1000 + logs.Sparing.BURST + 1
    assert lines[-1] == "request x failed (and 980 more like it)"


def test_a_line_has_a_length() -> None:
    """P31: nor by asking for something long."""
    record = logging.makeLogRecord({"name": "a", "levelname": "INFO", "msg": "x" * 1_000_000})

    assert len(logs.ConsoleFormatter().format(record)) < 17_000
