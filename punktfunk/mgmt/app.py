"""The management API's app: gate, routes, envelope. Tests make one with a host of their own."""

import time
from collections.abc import Callable, Iterable

from quart import Quart, Response

from punktfunk.mgmt import blueprints
from punktfunk.mgmt.blueprints import metrics
from punktfunk.mgmt.contract import read_contract
from punktfunk.mgmt.edge import SECURITY_HEADERS, Edge
from punktfunk.mgmt.gate import MAX_BODY_BYTES, Gate
from punktfunk.mgmt.host import MgmtHost
from punktfunk.mgmt.reference import Reference
from punktfunk.mgmt.refusals import install_refusals
from punktfunk.mgmt.requests import EXTENSION, Backing, backing

API_PREFIX = "/api/v1"
BODY_TIMEOUT_S = 10


def create_app(
    host: MgmtHost,
    token: str,
    *,
    names: Iterable[str] = (),
    now_ns: Callable[[], int] = time.monotonic_ns,
) -> Quart:
    """Make an app.

    Args:
        token: Of the administrator, on every path but health; see also `host.tokens`.
        names: Host names it may be called by, besides `localhost`.
        now_ns: A monotonic clock.
    """
    app = Quart("punktfunk.mgmt", static_folder=None)
    app.config.update(
        BODY_TIMEOUT=BODY_TIMEOUT_S,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        PROVIDE_AUTOMATIC_OPTIONS=False,
    )
    app.url_map.merge_slashes = False  # else `//` in an id is answered with a redirect
    contract = read_contract()
    app.extensions[EXTENSION] = Backing(host, contract)
    Gate(token, host, contract, now_ns).guard(app)
    install_refusals(app)
    for blueprint in blueprints.ALL:
        app.register_blueprint(blueprint, url_prefix=API_PREFIX)
    app.register_blueprint(metrics.blueprint)  # where monitoring systems look for it
    app.add_url_rule(f"{API_PREFIX}/openapi.json", "openapi", _openapi, methods=["GET"])
    app.after_request(_add_headers)
    app.asgi_app = Edge(Reference(app.asgi_app), names)  # type: ignore[method-assign]
    return app


async def _openapi() -> Response:
    return Response(backing().contract.text, mimetype="application/json")


async def _add_headers(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    return response
