"""What the configuration says of plugins, held against those that are here."""

import attrs
import pytest

from punktfunk.config import Settings, load_config
from punktfunk.errors import ConfigError
from punktfunk.host.catalog import Catalog
from punktfunk.model.offers import HostFacts
from punktfunk.registry.discovery import PluginFilter
from punktfunk.registry.facts import gather_facts

BUILTIN = PluginFilter(allow=frozenset({"builtin"}))


@pytest.fixture
async def catalog() -> Catalog:
    catalog = Catalog(Settings(), HostFacts(), BUILTIN)
    await catalog.refresh()
    return catalog


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"preset": 7}, "[plugin.builtin] preset: must be a string"),
        ({"bogus": 1}, "[plugin.builtin] bogus: no such setting"),
    ],
)
async def test_a_wrong_table_is_refused_before_it_counts(catalog, table, says):
    with pytest.raises(ConfigError) as caught:
        catalog.check_tables(attrs.evolve(Settings(), plugin={"builtin": table}))

    assert says in str(caught.value)


async def test_tables_of_other_plugins_are_theirs(catalog):
    catalog.check_tables(attrs.evolve(Settings(), plugin={"elsewhere": {"any": 1}}))


async def test_at_the_start_a_wrong_table_is_refused_with_its_place(tmp_path):
    (tmp_path / "config.toml").write_text("\n[plugin.builtin]\npreset = 7\n")
    loaded = load_config(tmp_path, environment={})
    catalog = Catalog(loaded.settings, gather_facts(loaded.settings.plugin), BUILTIN)
    await catalog.refresh()

    with pytest.raises(
        ConfigError, match=r"config.toml line 3: \[plugin.builtin\] preset: must be"
    ):
        catalog.check_settings(loaded.place)
