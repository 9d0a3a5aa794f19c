"""Ctrl-C while a browser has pages open that follow events, and the host looks at the machine."""

import re
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from host_process import eventually
from playwright.sync_api import Browser
from proof import Hosts
from visitor import Visitor

from punktfunk.testing import write_distribution

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PROGRAM = """
    import atexit, gc
    from functools import partial

    from punktfunk.cli import main
    from punktfunk.mgmt import server
    from punktfunk.registry import prober

    server.GRACE_S = server._Config.graceful_timeout = 600
    prober.ProbeLimits = partial(prober.ProbeLimits, plugin_s=600, total_s=600)
    atexit.register(lambda: print("left to look through:", len(gc.get_objects())))
    main()
"""
"""A host that comes to no end where it waits for requests, or for a plugin that thinks."""
PLUGIN = """
    import time
    from pathlib import Path

    from punktfunk.plugin import Manifest, hookimpl

    manifest = Manifest(api=1, title="Thinker")

    @hookimpl
    def encode_offers(host):
        if Path({switch!r}).exists():
            Path({asked!r}).touch()
            time.sleep(600)
        return []
"""
LIMIT_S = 60.0


def test_nobody_and_nothing_is_waited_for(
    own_host: Hosts, browser: Browser, tmp_path: Path
) -> None:
    switch, asked = tmp_path / "switch", tmp_path / "asked"
    source = PLUGIN.format(switch=str(switch), asked=str(asked))
    (tmp_path / "thinker.py").write_text(dedent(source))
    write_distribution(tmp_path, "thinker", {"punktfunk.plugins": {"thinker": "thinker"}})
    host = own_host(
        '[plugins]\nallow = ["thinker"]\n',
        command=(sys.executable, "-c", dedent(PROGRAM)),
        environment={"PYTHONPATH": str(tmp_path)},
    )
    with Visitor(browser, host) as visitor:
        home = visitor.log_in().go("")
        look_again = home.locator("#look-again")
        look_again.wait_for()
        for path in ("log", "library", "performance"):
            tab = visitor.context.new_page()
            tab.goto(f"{visitor.base}{path}")
            tab.locator("#live-mark.on").wait_for(state="attached")
        switch.touch()
        look_again.click()
        eventually(asked.exists, LIMIT_S, "the plugin is asked")

        host.interrupt()

    log = host.log_text()
    assert host.leftovers() == []
    assert "Traceback" not in log
    (left,) = re.findall(r"^left to look through: (\d+)$", log, re.MULTILINE)
    assert int(left) < 1_000
