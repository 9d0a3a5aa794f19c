"""Configuration: one TOML file, the environment, and flags become frozen settings.

`settings` says what there is, `loading` puts it together, `document` and `environment` read
the two places where people write it down.
"""

from punktfunk.config.folder import config_folder
from punktfunk.config.loading import LoadedConfig, Origin, Source, load_config
from punktfunk.config.settings import Settings

__all__ = ["LoadedConfig", "Origin", "Settings", "Source", "config_folder", "load_config"]
