"""The real host, real clients and a lossy path between them, each as a process."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from harness import MoonlightClient, Relay, create_identities
from host_process import HostProcess
from playwright.sync_api import Browser, sync_playwright
from proof import RELAY_ADDRESS, Figures, Hosts, Player, end_cleanly
from visitor import Visitor

_FIGURES: list[tuple[str, dict[str, Any]]] = []
_LOGS = pytest.StashKey[list[Path]]()
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def identities(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of clients whose certificates share subject and serial, as the real ones do."""
    folder = tmp_path_factory.mktemp("identities")
    found = {name: folder / name for name in ("alice", "bob", "carol", "mallory")}
    create_identities(list(found.values()))
    return found


@pytest.fixture(scope="module")
def shared_host(module_settings: str) -> Iterator[HostProcess]:
    """One host for a file; ended by Ctrl-C, and nothing may be left of it."""
    with HostProcess(module_settings) as host:
        yield host
        end_cleanly(host)


@pytest.fixture(scope="module")
def module_settings() -> str:
    """What `config.toml` of the file's host says; files override it."""
    return ""


@pytest.fixture
def host(shared_host: HostProcess, request: pytest.FixtureRequest) -> Iterator[HostProcess]:
    """The file's host, without sessions before and after; its log is shown when a test fails."""
    keep_log(request.node, shared_host.log_path)
    yield shared_host
    if shared_host.running:
        shared_host.end_sessions()


@pytest.fixture
def own_host(request: pytest.FixtureRequest) -> Iterator[Hosts]:
    """Start hosts for one test alone."""
    with ExitStack() as stack:

        def start(*arguments: Any, **options: Any) -> HostProcess:
            host = HostProcess(*arguments, **options)
            keep_log(request.node, host.log_path)
            return stack.enter_context(host)

        yield start


@pytest.fixture
def player(
    identities: dict[str, Path], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Player]:
    """Clients in processes of their own, paired unless told otherwise."""
    with ExitStack() as stack:

        def enter(
            host: HostProcess,
            name: str = "alice",
            *,
            address: str = "127.0.0.1",
            pair: bool = True,
        ) -> MoonlightClient:
            log_path = tmp_path / f"{name}-{len(request.node.stash.get(_LOGS, []))}.log"
            keep_log(request.node, log_path)
            identity = identities[name]
            if pair and identity not in host.paired:
                with MoonlightClient(identity, "127.0.0.1", host.base_port, log_path) as first:
                    host.pair(first, identity)
            if pair and address != "127.0.0.1":
                pin = identity / f"host-127.0.0.1-{host.base_port}.pem"
                shutil.copy(pin, identity / f"host-{address}-{host.base_port}.pem")
            client = MoonlightClient(identity, address, host.base_port, log_path)
            return stack.enter_context(client)

        yield enter


@pytest.fixture
def client(host: HostProcess, player: Player) -> MoonlightClient:
    """A paired client of the file's host."""
    return player(host)


@pytest.fixture
def relay(host: HostProcess, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Relay]:
    """A path to the file's host that can lose datagrams; clients use `RELAY_ADDRESS`."""
    log_path = tmp_path / "relay.log"
    keep_log(request.node, log_path)
    arguments = ("--listen", RELAY_ADDRESS, "--base-port", str(host.base_port), "--seed", "11")
    with Relay(*arguments, log_path=log_path) as relay:
        yield relay


@pytest.fixture(scope="module")
def browser_flags() -> list[str]:
    """More of what the file's browser is started with; files override it."""
    return []


@pytest.fixture(scope="module")
def browser(browser_flags: list[str]) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs Chromium; no package of that name here")
    with sync_playwright() as playwright:
        # Its sandbox needs another user than root; it only ever sees pages of this host.
        flags = ["--no-sandbox", *browser_flags]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def visitor(
    browser: Browser, host: HostProcess, request: pytest.FixtureRequest
) -> Iterator[Visitor]:
    """Somebody who is logged in to the file's host; a parameter has the browser's options."""
    with Visitor(browser, host, **getattr(request, "param", {})) as visitor:
        yield visitor.log_in()


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Keep numbers that a test has measured; they are listed at the end of the run."""

    def keep(**numbers: Any) -> None:
        _FIGURES.append((request.node.name, numbers))
        for name, number in numbers.items():
            request.node.user_properties.append((name, number))

    return keep


@pytest.fixture(scope="session")
def desktop_tools() -> None:
    """Skip without a compositor and a sound server; where everything must be there, fail."""
    wanted = ("sway", "foot", "pipewire", "wireplumber")
    missing = [name for name in wanted if not shutil.which(name)]
    if missing:
        problem = f"not installed: {', '.join(missing)}"
        if os.environ.get("CI") == "true":
            pytest.fail(problem)
        pytest.skip(problem)


def keep_log(node: pytest.Item, path: Path) -> None:
    node.stash.setdefault(_LOGS, []).append(path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if report.failed:
        for path in dict.fromkeys(item.stash.get(_LOGS, [])):
            if path.exists():
                lines = path.read_text("utf-8", "replace").splitlines()[-80:]
                report.sections.append((f"log {path.name}", "\n".join(lines)))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _FIGURES:
        terminalreporter.section("figures")
        for name, numbers in _FIGURES:
            shown = ", ".join(f"{key}={_short(value)}" for key, value in numbers.items())
            terminalreporter.line(f"{name}: {shown}")


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
