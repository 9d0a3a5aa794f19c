import os
from pathlib import Path

from punktfunk.registry.facts import gather_facts


def test_only_session_variables_are_handed_on() -> None:
    environment = {
        "PATH": "/usr/bin",
        "XDG_RUNTIME_DIR": "/run/user/1000",
        "WAYLAND_DISPLAY": "wayland-0",
        "API_TOKEN": "secret",
        "SSH_AUTH_SOCK": "/tmp/agent",
        "LD_PRELOAD": "evil.so",
    }

    facts = gather_facts(environment=environment)

    assert sorted(facts.environment) == ["PATH", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"]


def test_render_nodes_are_listed_in_order_and_cards_are_not(tmp_path: Path) -> None:
    (tmp_path / "dri").mkdir()
    for name in ("renderD129", "renderD128", "card0"):
        (tmp_path / "dri" / name).touch()

    facts = gather_facts(environment={}, dev=tmp_path)

    assert facts.render_nodes == (
        str(tmp_path / "dri" / "renderD128"),
        str(tmp_path / "dri" / "renderD129"),
    )


def test_the_kernel_and_the_user_are_this_machines() -> None:
    facts = gather_facts({"wlroots": {"sway": "sway"}}, environment={})

    assert facts.kernel == os.uname().release
    assert facts.uid == os.getuid()
    assert facts.settings == {"wlroots": {"sway": "sway"}}
