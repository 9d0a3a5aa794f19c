import io
import logging
import re

import pytest

from punktfunk.cli import logs


@pytest.fixture
def stream() -> io.StringIO:
    stream = io.StringIO()
    logs.set_up("info", stream)
    return stream


log = logging.getLogger("punktfunk.host.sessions")


def test_a_record_is_one_line_with_its_fields_at_the_end(stream: io.StringIO) -> None:
    log.info("session started: %s", "Desktop", extra={"session": 1, "client": "Deck"})

    pattern = r"\d\d:\d\d:\d\d info host\.sessions: session started: Desktop "
    assert re.fullmatch(pattern + r"\(session=1 client=Deck\)\n", stream.getvalue())


def test_less_than_the_level_is_left_out(stream: io.StringIO) -> None:
    log.debug("a detail")

    assert stream.getvalue() == ""


def test_setting_up_twice_says_nothing_twice(stream: io.StringIO) -> None:
    logs.set_up("info", stream)
    log.info("once")

    assert stream.getvalue().count("once") == 1


def test_a_name_from_outside_forges_no_line(stream: io.StringIO) -> None:
    log.info("paired %s", "x\n12:00:00 error fake", extra={"client": "a\x1b[31m\r\nb"})

    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()


def test_a_traceback_follows_its_line(stream: io.StringIO) -> None:
    try:
        raise ValueError("rikey=0011223344556677")
    except ValueError:
        log.exception("it failed")

    assert "Traceback" in stream.getvalue()
    assert "0011223344556677" not in stream.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "GET /launch?rikey=SECRET12&rikeyid=5",
        "Authorization: Bearer SECRET12",
        'body {"pin": "SECRET12"}',
        "{'token': 'SECRET12'}",
        "PUNKTFUNK_MGMT_TOKEN=SECRET12",
        "a client sent pft_SECRET12-SECRET12_",
        "salt = SECRET12",
        "-----BEGIN PRIVATE KEY-----\nSECRET12\n-----END PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\nSECRET12",
    ],
)
def test_what_looks_like_a_secret_is_blotted_out(text: str) -> None:
    assert "SECRET12" not in logs.redacted(text)


@pytest.mark.parametrize(
    "text", ["a device waits for its PIN", "wrong PIN entered twice", "the token is in a file"]
)
def test_words_are_left_alone(text: str) -> None:
    assert logs.redacted(text) == text


def test_the_journal_gets_priorities_and_no_clock() -> None:
    record = logging.makeLogRecord(
        {"name": "punktfunk.net", "msg": "hello", "levelname": "WARNING", "levelno": 30}
    )

    assert logs.LineFormatter(journal=True).format(record) == "<4>net: hello"
