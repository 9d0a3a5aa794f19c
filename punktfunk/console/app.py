"""The console's app: who may see its pages, and what goes with each of them."""

from quart import Quart

from punktfunk.console import login, pages, preferences
from punktfunk.console.answers import install_answers
from punktfunk.console.assets import Assets
from punktfunk.console.entry import install_entry
from punktfunk.console.language import install_language
from punktfunk.console.shell import install_shell
from punktfunk.mgmt.requests import EXTENSION, Backing

MAX_FORM_BYTES = 65_536


def create_console(shared: Backing) -> Quart:
    """Make an app for every path that is not the API's.

    Args:
        shared: What the API's app was made with; both know the same logins.
    """
    app = Quart("punktfunk.console", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=MAX_FORM_BYTES, PROVIDE_AUTOMATIC_OPTIONS=False)
    app.url_map.merge_slashes = False
    app.extensions[EXTENSION] = shared
    assets = Assets()
    app.register_blueprint(assets.blueprint)
    install_language(app)
    install_shell(app, assets)
    install_answers(app)
    install_entry(app)
    app.register_blueprint(login.blueprint)
    app.register_blueprint(preferences.blueprint)
    for blueprint in pages.ALL:
        app.register_blueprint(blueprint)
    return app
