"""The log that is kept in memory."""

import asyncio
import logging
import threading

from punktfunk.host.logbook import MAX_LINES, LogBook
from punktfunk.mgmt.values import LogLine


def record(text: str, level: int = logging.INFO, **more: object) -> logging.LogRecord:
    values = {"msg": text, "levelno": level, "levelname": logging.getLevelName(level), **more}
    return logging.makeLogRecord(values)


async def next_line(reader: object) -> LogLine:
    async with asyncio.timeout(20):
        line = await reader.next()
    assert isinstance(line, LogLine)
    return line


async def test_who_follows_gets_lines_of_every_thread() -> None:
    book = LogBook()
    reader = book.feed.subscribe()
    book.emit(record("from the loop"))
    thread = threading.Thread(target=book.emit, args=(record("from a thread"),))
    thread.start()

    assert (await next_line(reader)).message == "from the loop"
    assert (await next_line(reader)).message == "from a thread"
    thread.join()


async def test_a_reader_that_is_too_slow_is_cut_off_though_that_is_logged_too() -> None:
    book = LogBook()
    feed_log = logging.getLogger("punktfunk.events.feed")
    feed_log.addHandler(book)
    feed_log.setLevel(logging.INFO)
    try:
        reader = book.feed.subscribe()
        for number in range(MAX_LINES + 2):
            book.emit(record(str(number)))

        assert await reader.next() is None
        assert any("too slow" in line.message for line in book.last(10, "info"))
    finally:
        feed_log.removeHandler(book)


def test_lines_from_before_the_loop_are_kept() -> None:
    book = LogBook()
    book.emit(record("early"))

    assert [line.message for line in book.last(10, "debug")] == ["early"]


def test_an_error_says_where_it_was_without_secrets_and_without_forged_lines() -> None:
    book = LogBook()
    try:
        raise ValueError("token=hunter2hunter2\x1b[31m")
    except ValueError as error:
        book.emit(
            record("failed", logging.ERROR, exc_info=(ValueError, error, error.__traceback__))
        )

    (line,) = book.last(10, "error")
    assert line.message == "failed"
    assert line.trace.startswith("Traceback")
    assert "hunter2" not in line.trace
    assert "token=***" in line.trace
    assert "\x1b" not in line.trace
    assert "\n" in line.trace
