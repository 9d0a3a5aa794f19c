"""`punktfunk console`: a link that works, where it is opened, and what is said of it."""

import webbrowser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from punktfunk.cli.console import has_display, remarks
from punktfunk.mgmt.requests import EXTENSION

HERE = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "SSH_CONNECTION": ""}
SSH = {**HERE, "SSH_CONNECTION": "192.0.2.1 5 192.0.2.2 22"}


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the pages say that a browser was started with."""
    pages: list[str] = []
    monkeypatch.setattr(
        webbrowser,
        "open",
        lambda uri: pages.append(Path(uri.removeprefix("file://")).read_text()),
    )
    return pages


def test_the_link_is_printed_alone_and_logs_in(running: Any, opened: list[str]) -> None:
    done = running.ask("console", **HERE)

    assert done.exit_code == 0
    link = urlsplit(done.stdout.strip())
    assert f"{link.scheme}://{link.netloc}" == running.url
    assert (link.path, link.query) == ("/login", "link")
    code = link.fragment.removeprefix("code=")
    assert code not in done.stderr
    assert "good once, within 120 seconds" in done.stderr
    access = running.server._app.extensions[EXTENSION].access
    assert running.do(access.with_code, code, "").token_id == "mgmt-token"
    assert running.host.asked == ["createConsoleLink"]
    assert opened == []


@pytest.mark.parametrize(
    ("arguments", "environment", "opens"),
    [
        ((), {**HERE, "DISPLAY": ":0"}, True),
        ((), {**HERE, "WAYLAND_DISPLAY": "wayland-0"}, True),
        (("--no-browser",), {**HERE, "DISPLAY": ":0"}, False),
        ((), {**SSH, "DISPLAY": "localhost:10.0"}, False),
    ],
)
def test_a_browser_is_opened_where_a_person_sees_it(
    running: Any, opened: list[str], arguments: Any, environment: dict[str, str], opens: bool
) -> None:
    done = running.ask("console", *arguments, **environment)

    assert len(opened) == opens
    assert all(f'href="{done.stdout.strip()}"' in it for it in opened)


def test_over_ssh_it_says_how_to_get_there() -> None:
    said = "\n".join(remarks("http://127.0.0.1:47990", 120, SSH))

    assert "ssh -N -L 47990:127.0.0.1:47990" in said
    assert "ssh" not in "\n".join(remarks("http://127.0.0.1:47990", 120, HERE))
    assert "[::1]:47990" in "\n".join(remarks("https://[::1]:47990", 120, SSH))
    assert not has_display({})


def test_without_an_answer_there_is_no_link(running: Any) -> None:
    running.stop()
    done = running.ask("console", **HERE)
    running.start()

    assert done.exit_code == 1
    assert done.stdout == ""


def test_for_a_phone_an_address_is_needed_that_it_reaches(running: Any, opened: list[str]) -> None:
    done = running.ask("console", "--phone")

    assert done.exit_code == 2
    assert "--mgmt-tls" in done.stderr
    assert opened == []
