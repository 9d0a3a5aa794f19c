"""The pages, each with its parts that follow what happens."""

from punktfunk.console.pages.devices import blueprint as devices
from punktfunk.console.pages.home import blueprint as home
from punktfunk.console.pages.library import blueprint as library
from punktfunk.console.pages.library_title import blueprint as library_title
from punktfunk.console.pages.logs import blueprint as logs
from punktfunk.console.pages.performance import blueprint as performance
from punktfunk.console.pages.plugins import blueprint as plugins
from punktfunk.console.pages.sessions import blueprint as sessions
from punktfunk.console.pages.settings import blueprint as settings

ALL = (devices, home, library, library_title, logs, performance, plugins, sessions, settings)
