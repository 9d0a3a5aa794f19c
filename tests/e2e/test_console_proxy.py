"""The console behind real proxies, set up with the very lines of the guide, in a real browser."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from textwrap import dedent

import pytest
from host_process import HostProcess, eventually
from PIL import Image
from playwright.sync_api import Browser
from proof import Hosts
from visitor import Visitor

pytestmark = [pytest.mark.e2e, pytest.mark.unhurried, pytest.mark.timeout(180)]

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "login.md"
PUBLIC_URL = "https://home.example/punktfunk"
STOP_LIMIT_S = 10


@pytest.fixture(scope="module")
def port() -> int:
    """Where the proxies listen."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def browser_flags(port: int) -> list[str]:
    """Have `home.example` be this machine."""
    return [f"--host-resolver-rules=MAP home.example 127.0.0.1:{port}"]


def said_in_guide(heading: str, host: HostProcess) -> str:
    """The block of settings below some words, with the address that this host has."""
    found = re.search(rf"{heading}.*?```\w+\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert found
    return found[1].replace("127.0.0.1:47990", f"127.0.0.1:{host.mgmt_port}")


def caddy(host: HostProcess, port: int, folder: Path) -> list[str]:
    around = f"""
        {{
            admin off
            auto_https disable_redirects
            default_bind 127.0.0.1
            https_port {port}
            local_certs
            skip_install_trust
            storage file_system {folder}
        }}
        """
    file = folder / "Caddyfile"
    file.write_text(dedent(around).strip() + "\n" + said_in_guide("With Caddy", host))
    return ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]


def nginx(host: HostProcess, port: int, folder: Path) -> list[str]:
    temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    identity = host.config / "identity.pem"
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log stderr;\n"
        "events {}\n"
        "http { port_in_redirect off;\n"
        f"access_log off; {' '.join(f'{it}_temp_path {folder}/{it};' for it in temporary)}\n"
        f"server {{ listen 127.0.0.1:{port} ssl; server_name home.example;\n"
        f"ssl_certificate {identity}; ssl_certificate_key {identity};\n"
        f"{said_in_guide('With nginx', host)}}}\n"
        "}\n"
    )
    return ["nginx", "-c", str(file), "-e", "stderr"]


def answers(port: int) -> bool:
    with socket.socket() as it:
        return it.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(params=[caddy, nginx])
def behind_proxy(
    request: pytest.FixtureRequest, own_host: Hosts, browser: Browser, port: int, tmp_path: Path
) -> Iterator[Visitor]:
    """Somebody who sees a host through one of the proxies."""
    proxy: Callable[[HostProcess, int, Path], list[str]] = request.param
    if not shutil.which(proxy.__name__):
        if os.environ.get("CI") == "true":
            pytest.fail(f"{proxy.__name__} is not there")
        pytest.skip(f"needs {proxy.__name__}")
    host = own_host(f'[mgmt]\npublic_url = "{PUBLIC_URL}"\n')
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    running = subprocess.Popen(proxy(host, port, tmp_path), env=environment)
    try:
        eventually(lambda: answers(port), 20, "the proxy listens")
        with Visitor(browser, host, ignore_https_errors=True) as visitor:
            visitor.base = f"{PUBLIC_URL}/"
            yield visitor
    finally:
        running.terminate()
        running.wait(STOP_LIMIT_S)


def photograph() -> bytes:
    """One that packs badly, so that its file is long."""
    file = BytesIO()
    Image.frombytes("RGB", (1_400, 1_400), os.urandom(3 * 1_400**2)).save(file, "PNG")
    return file.getvalue()


def test_through_a_proxy_one_logs_in_changes_things_and_sees_what_happens(
    behind_proxy: Visitor,
) -> None:
    page, host = behind_proxy.page, behind_proxy.host
    page.goto(PUBLIC_URL)
    assert page.url == f"{behind_proxy.base}login"

    behind_proxy.log_in()

    (cookie,) = behind_proxy.context.cookies()
    assert (cookie["secure"], cookie["path"].rstrip("/")) == (True, "/punktfunk")
    behind_proxy.go("library")
    assert host.api("POST", "/library/custom", {"title": "Couch karaoke"})[0] == 201
    page.get_by_role("link", name="Couch karaoke").first.wait_for(timeout=5_000)

    page.get_by_role("link", name="Couch karaoke").first.click()
    page.get_by_role("link", name="Edit").click()
    picture = {"name": "cover.png", "mimeType": "image/png", "buffer": photograph()}
    page.get_by_label("Choose a picture: Cover").set_input_files(picture)  # type: ignore[arg-type]
    page.get_by_role("button", name="Save").click()
    art = page.locator("img.cover-art")
    eventually(lambda: art.evaluate("it => it.naturalWidth"), 20, "the picture is shown")

    assert [it for it in behind_proxy.asked if not f"{it}/".startswith(behind_proxy.base)] == []
    assert behind_proxy.trouble == []
