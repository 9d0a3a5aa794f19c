"""The management API's app: gate, routes, envelope. Tests make one with a host of their own."""

from collections.abc import Callable, Iterable

from quart import Quart, Response

from punktfunk.mgmt import blueprints
from punktfunk.mgmt.access import Access
from punktfunk.mgmt.beside import Beside
from punktfunk.mgmt.blueprints import metrics
from punktfunk.mgmt.contract import read_contract
from punktfunk.mgmt.edge import SECURITY_HEADERS, AsgiApp, Edge
from punktfunk.mgmt.gate import Gate
from punktfunk.mgmt.host import MgmtHost
from punktfunk.mgmt.packing import install_packing
from punktfunk.mgmt.public_url import PublicUrl
from punktfunk.mgmt.reference import Reference
from punktfunk.mgmt.refusals import install_refusals
from punktfunk.mgmt.requests import EXTENSION, Backing, backing
from punktfunk.mgmt.uploads import MAX_BODY_BYTES, BoundedRequest
from punktfunk.trust.pairing import awake_and_asleep_ns

API_PREFIX = "/api/v1"
BODY_TIMEOUT_S = 10


def create_app(
    host: MgmtHost,
    token: str | Callable[[], str],
    *,
    names: Iterable[str] = (),
    public_url: str = "",
    now_ns: Callable[[], int] = awake_and_asleep_ns,
    pages: Callable[[Backing], AsgiApp] | None = None,
) -> Quart:
    """Make an app.

    Args:
        token: Of the administrator, on every path but health; see also `host.tokens`. A
            function says which it is now.
        names: Host names it may be called by, besides `localhost`.
        public_url: Where a reverse proxy shows it; empty for nowhere.
        now_ns: A monotonic clock that also counts while the machine sleeps.
        pages: Makes what answers for every path that is not the API's.
    """
    app = Quart("punktfunk.mgmt", static_folder=None)
    app.request_class = BoundedRequest
    app.config.update(
        BODY_TIMEOUT=BODY_TIMEOUT_S,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        PROVIDE_AUTOMATIC_OPTIONS=False,
    )
    app.url_map.merge_slashes = False  # else `//` in an id is answered with a redirect
    contract = read_contract()
    public = PublicUrl.read(public_url)
    access = Access(token if callable(token) else lambda: token, host, now_ns, public)
    app.extensions[EXTENSION] = shared = Backing(host, contract, access)
    Gate(access, host, contract).guard(app)
    install_refusals(app)
    install_packing(app)
    for blueprint in blueprints.ALL:
        app.register_blueprint(blueprint, url_prefix=API_PREFIX)
    app.register_blueprint(metrics.blueprint)  # where monitoring systems look for it
    app.add_url_rule(f"{API_PREFIX}/openapi.json", "openapi", _openapi, methods=["GET"])
    app.after_request(_add_headers)
    if public is not None:
        names = [*names, public.name]
    prefix = public.prefix if public else ""
    inner = Beside(app.asgi_app, pages(shared)) if pages else app.asgi_app
    app.asgi_app = Edge(Reference(inner), names, prefix)  # type: ignore[method-assign]
    return app


async def _openapi() -> Response:
    return Response(backing().contract.text, mimetype="application/json")


async def _add_headers(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    return response
