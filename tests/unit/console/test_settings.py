"""What the Settings page says of each setting, and what it keeps to itself."""

import json
import re
from typing import Any

import pytest

from punktfunk.config import load_config
from punktfunk.config.catalogue import KNOWN
from punktfunk.console.setting_words import LABELS, value_in_words
from punktfunk.host.live_config import LiveConfig
from punktfunk.mgmt.logins import FRESH_NS
from punktfunk.model.access import Scope

CANARY = "c4n4ry-7f3a9b1e"
PATH = "/settings"


@pytest.fixture
def configure(pages: Any) -> Any:
    """Has the host run with a file, variables and flags of a test's own."""

    def configure(text: str = "", **more: Any) -> LiveConfig:
        folder = pages.host.folder
        (folder / "config.toml").write_text(text)
        loaded = load_config(folder, **{"environment": {}, **more})
        pages.host.operations.config = live = LiveConfig(loaded)
        return live

    return configure


def row(page: str, key: str) -> str:
    """The form of one setting."""
    begin = page.index(f'id="setting-{key.replace(".", "-")}"')
    return page[begin : page.index("</form>", begin)]


def test_every_setting_has_a_label_and_every_choice_has_words() -> None:
    assert set(LABELS) == set(KNOWN)
    plain = [
        (key, choice)
        for key, known in KNOWN.items()
        for choice in known.rule.choices
        if value_in_words(key, choice) == choice
    ]
    assert plain == []


async def test_every_setting_is_there_with_its_field(pages: Any) -> None:
    page = await pages.read(PATH)

    for key in KNOWN:
        shown = row(page, key)
        assert f"<code>{key}</code>" in shown
        assert 'name="value"' in shown
        assert LABELS[key] in shown


async def test_choices_are_said_in_words_and_in_the_pages_language(pages: Any) -> None:
    english, german = [await pages.read(PATH, language=it) for it in ("en", "de")]

    assert '<option value="join">Join it</option>' in row(english, "stream.second_client")
    assert '<option value="info" selected>From info up</option>' in row(english, "host.log_level")
    assert "H.265" in row(english, "stream.codecs")
    assert '<option value="info" selected>Ab Info</option>' in row(german, "host.log_level")
    assert "Wo Apps erscheinen" in row(german, "desktop.mode")


async def test_a_setting_says_where_it_comes_from_and_what_it_was(
    pages: Any, configure: Any
) -> None:
    configure('# mine\n[desktop]\nmode = "attach"\n')

    page = await pages.read(PATH)

    changed = row(page, "desktop.mode")
    assert "config.toml line 3 · built in: On a display of their own" in changed
    assert 'data-unset="desktop.mode"' in changed
    untouched = row(page, "stream.max_fps")
    assert "<span>built in</span>" in untouched
    assert "data-unset" not in untouched
    assert "1 to 1,000" in untouched


async def test_what_a_variable_or_a_flag_holds_cannot_be_changed_here(
    pages: Any, configure: Any
) -> None:
    configure(
        environment={"PUNKTFUNK_STREAM__MAX_FPS": "120"},
        flags={"host.base_port": ("--base-port", 47_000)},
    )

    page = await pages.read(PATH)

    for key, place in (
        ("stream.max_fps", "PUNKTFUNK_STREAM__MAX_FPS"),
        ("host.base_port", "--base-port"),
    ):
        held = row(page, key)
        assert place in held
        assert "it cannot be changed here" in held
        assert "disabled" in held
        assert "<button" not in held
    assert "1029 to 65000" in row(page, "host.base_port")


async def test_what_waits_for_a_restart_says_so_at_once(pages: Any, configure: Any) -> None:
    live = configure()
    assert "Waits for a restart" not in await pages.read(PATH)
    live.change({"host.name": "den", "stream.max_fps": 60}, ())

    page = await pages.read("/parts/settings-list")

    assert "after the next start of the host" in page
    assert "Waits for a restart" in row(page, "host.name")
    assert "Waits for a restart" not in row(page, "stream.max_fps")
    assert "Counts after a restart" not in row(page, "stream.max_fps")
    assert "Counts after a restart" in row(page, "mgmt.names")


async def test_entries_that_a_field_would_tear_are_left_to_the_file(
    pages: Any, configure: Any
) -> None:
    configure('[desktop]\ncommand = ["sh", "-c", "one\\ntwo"]\n')

    command = row(await pages.read(PATH), "desktop.command")

    assert "the file is the place for that" in command
    assert "disabled" in command


async def test_hostile_values_are_text(
    pages: Any, configure: Any, hostile: tuple[str, ...]
) -> None:
    for words in hostile:
        text = json.dumps(words, ensure_ascii=False)
        configure(
            f"[desktop]\ncommand = [{text}]\n[plugin.odd]\na = {text}\n"
            f"[drivers]\nencode = [{text}]\n"
            f'[[hook]]\non = ["session.started"]\ncommand = [{text}]\n'
        )
        page = await pages.read(PATH)
        assert "<img src=x" not in page
        assert "[[hook]]" in page
        assert "[plugin.odd]" in page


async def test_secrets_of_plugins_and_paths_of_webhooks_are_not_shown(
    pages: Any, configure: Any
) -> None:
    configure(
        f"""
        [plugin.odd]
        api_token = "{CANARY}"
        colour = "red"
        login = {{ user = "me", Password = "{CANARY}" }}
        shops = [{{ secrets = ["{CANARY}"] }}]
        [[webhook]]
        on = ["stream.*"]
        url = "https://hooks.example/{CANARY}"
        """
    )

    page = await pages.read(PATH)

    assert "colour = &#34;red&#34;" in page
    assert "https://hooks.example/…" in page
    assert CANARY not in page


async def test_tokens_are_listed_by_name_and_their_texts_are_nowhere(
    pages: Any, hostile: tuple[str, ...]
) -> None:
    texts = [pages.host.tokens.create(Scope.READ, name)[0] for name in ("lamp", hostile[0])]
    old, _ = pages.host.tokens.create(Scope.CONTROL, "old", 1)
    pages.host.wall_s += 2 * 86_400

    page = await pages.read(PATH)

    assert "<bdi>lamp</bdi>" in page
    assert "Look only" in page
    assert "expired" in page
    assert "<img src=x" not in page
    assert not any(text in page for text in (*texts, old))


@pytest.mark.parametrize("scope", [Scope.READ, Scope.CONTROL])
async def test_who_may_not_change_anything_sees_settings_without_buttons_and_no_tokens(
    pages: Any, configure: Any, scope: Scope
) -> None:
    configure('[desktop]\nmode = "attach"\n')
    pages.host.tokens.create(Scope.READ, "lamp")

    page = await pages.read(PATH, scope=scope)

    assert "config.toml line 2" in page
    for button in ("data-unset", "setting-save", "data-api", 'id="token-new"'):
        assert button not in page, button
    fields = re.findall(r'<(?:input|select|textarea)[^>]*name="value"[^>]*>', page)
    assert len(fields) >= len(KNOWN)
    assert [it for it in fields if "disabled" not in it] == []
    assert "lamp" not in page


async def test_an_old_login_has_to_show_its_token_again_to_change_a_setting(
    pages: Any, configure: Any
) -> None:
    configure()
    access = pages.backing.access
    cookie, login = access.logins.open(access.with_token("0123456789abcdef" * 4, ""))
    client = pages.api.test_client()

    async def ask(method: str, path: str, body: object) -> tuple[int, Any]:
        answer = await client.open(
            path,
            method=method,
            json=body,
            headers={
                "Host": "127.0.0.1:47990",
                "Cookie": f"{access.cookie.name}={cookie}",
                "X-CSRF-Token": login.csrf,
                "Sec-Fetch-Site": "same-origin",
            },
            scope_base={"server": ("127.0.0.1", 47_990)},
        )
        return answer.status_code, await answer.get_json()

    change = ("PATCH", "/api/v1/config", {"set": {"stream.max_fps": 60}})
    login.shown_ns -= FRESH_NS
    status, told = await ask(*change)
    assert (status, told["code"]) == (403, "confirm_token")
    status, _ = await ask("POST", "/login/confirm", {"token": "wrong"})
    assert status == 422
    assert (await ask(*change))[0] == 403
    assert pages.host.operations.config.settings.stream.max_fps == 240

    status, _ = await ask("POST", "/login/confirm", {"token": "0123456789abcdef" * 4})
    assert status == 204
    assert (await ask(*change))[0] == 200
    assert pages.host.operations.config.settings.stream.max_fps == 60
