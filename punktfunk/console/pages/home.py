"""The first page: what goes on, and whether everything that is needed is there."""

from quart import Blueprint

from punktfunk.console.shell import page

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
async def home() -> str:
    return await page("home.html", "")
