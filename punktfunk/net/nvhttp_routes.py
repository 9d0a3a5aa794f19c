"""nvhttp's routes: who may call what, and which answer they get.

docs/protocol/gamestream.md, sections 2.3 to 2.6. Whether a certificate is paired is decided in
one place, `NvHttpRoutes.respond`, on every request and before any route is looked at.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from enum import Enum, auto

import attrs

from punktfunk.errors import DriverUnavailable, ProtocolError, Refused
from punktfunk.gamestream import nvhttp
from punktfunk.gamestream.launch import read_launch, read_resume
from punktfunk.gamestream.pairing import AttemptKey
from punktfunk.gamestream.query import Query, split_target
from punktfunk.model.clients import PairedClient
from punktfunk.net.box_art import default_box_art
from punktfunk.net.http1 import HttpRequest
from punktfunk.net.nvhttp_host import NvHttpHost
from punktfunk.net.nvhttp_pair import ClientGone, HungUp, pair
from punktfunk.trust.pairing import PairingService
from punktfunk.trust.store import ClientStore

XML = "application/xml"
PNG = "image/png"

log = logging.getLogger(__name__)

_UNAUTHORISED = 401


class Access(Enum):
    """Who may call a route."""

    ANYBODY = auto()
    ANYBODY_PLAIN = auto()  # without TLS anybody, over TLS paired clients only
    PAIRED = auto()


@attrs.frozen(kw_only=True)
class Peer:
    """Where a request comes from.

    Attributes:
        certificate_der: What TLS proved; None without TLS or without a certificate.
    """

    remote_address: str
    local_address: str
    tls: bool
    certificate_der: bytes | None = attrs.field(repr=False)
    hung_up: HungUp


@attrs.frozen
class Answer:
    """The body of an HTTP 200."""

    body: bytes
    content_type: str = XML


@attrs.frozen(kw_only=True)
class Call:
    """A request that may go to its route."""

    peer: Peer
    client: PairedClient | None
    query: Query

    @property
    def paired_client(self) -> PairedClient:
        """Raises Refused where somebody got here without being paired."""
        if self.client is None:
            raise Refused(nvhttp.UNAUTHORISED, status=401)
        return self.client


@attrs.frozen
class Route:
    """Attributes: `failed` names the elements that say 0 in a refusal."""

    access: Access
    handler: Callable[[Call], Awaitable[Answer]]
    failed: tuple[str, ...] = ()


class NvHttpRoutes:
    """Turns a request into an answer.

    Raises ClientGone when the client hung up; everything else becomes an answer.
    """

    def __init__(self, host: NvHttpHost, store: ClientStore, pairing: PairingService) -> None:
        self._host = host
        self._store = store
        self._pairing = pairing
        self.routes = {
            "/serverinfo": Route(Access.ANYBODY_PLAIN, self._serverinfo),
            "/pair": Route(Access.ANYBODY, self._pair, ("paired",)),
            "/unpair": Route(Access.ANYBODY_PLAIN, self._unpair),
            "/applist": Route(Access.PAIRED, self._applist),
            "/appasset": Route(Access.PAIRED, self._appasset),
            "/launch": Route(Access.PAIRED, self._launch, ("gamesession", "resume")),
            "/resume": Route(Access.PAIRED, self._resume, ("resume",)),
            "/cancel": Route(Access.PAIRED, self._cancel, ("cancel",)),
        }

    async def respond(self, request: HttpRequest, peer: Peer) -> Answer:
        if request.method != b"GET":
            return refusal(400, "only GET is answered here")
        if from_a_browser(request):
            return refusal(403, "requests from web pages are refused")
        path = request.target.partition(b"?")[0].decode("latin-1")
        route = self.routes.get(path)
        client = self._store.match(peer.certificate_der) if peer.tls else None
        if not _admitted(route, client, peer.tls):
            return refusal(401, nvhttp.UNAUTHORISED, *(route.failed if route else ()))
        if route is None:
            return refusal(404, "there is nothing at this path")
        return await self._call(route, request.target, client, peer)

    async def _call(
        self, route: Route, target: bytes, client: PairedClient | None, peer: Peer
    ) -> Answer:
        try:
            _, query = split_target(target)
            return await route.handler(Call(peer=peer, client=client, query=query))
        except ProtocolError as error:
            return refusal(400, str(error), *route.failed)
        except Refused as error:
            status = error.fields.get("status")
            if status != _UNAUTHORISED:  # which unpaired clients hear every few seconds
                log.info("refused: %s", error, extra={"peer": peer.remote_address})
            return refusal(status if isinstance(status, int) else 403, str(error), *route.failed)
        except DriverUnavailable as error:
            hint = f" ({error.hint})" if error.hint else ""
            return refusal(503, f"{error}{hint}", *route.failed)
        except ClientGone:
            raise
        except Exception:
            log.exception("nvhttp could not answer")
            return refusal(500, "the host failed; its log says why", *route.failed)

    async def _serverinfo(self, call: Call) -> Answer:
        info = self._host.server_info(call.client, call.peer.local_address, call.peer.tls)
        if call.client is None:
            info = info.for_strangers()
        return Answer(nvhttp.serverinfo(info, paired=call.client is not None))

    async def _pair(self, call: Call) -> Answer:
        body = await pair(
            self._pairing,
            call.query,
            remote_address=call.peer.remote_address,
            client=call.client,
            hung_up=call.peer.hung_up,
        )
        return Answer(body)

    async def _unpair(self, call: Call) -> Answer:
        """Ends a pairing under way. Only TLS can prove who asks for more than that."""
        self._pairing.drop(AttemptKey.of(call.query.text("uniqueid"), call.peer.remote_address))
        if call.client is not None:
            self._store.remove(call.client.fingerprint)
        return Answer(nvhttp.answer())

    async def _applist(self, call: Call) -> Answer:
        return Answer(nvhttp.applist(self._host.apps()))

    async def _appasset(self, call: Call) -> Answer:
        moonlight_id = call.query.number("appid", 0, 0x7FFF_FFFF)
        picture = await self._host.app_asset(moonlight_id)
        if picture is None:
            picture = await asyncio.to_thread(default_box_art, moonlight_id)
        return Answer(picture, PNG)

    async def _launch(self, call: Call) -> Answer:
        url = await self._host.launch(
            call.paired_client,
            read_launch(call.query),
            call.peer.remote_address,
            call.peer.local_address,
        )
        await self._still_paired(call)
        return Answer(nvhttp.answer(("sessionUrl0", url), ("gamesession", 1)))

    async def _resume(self, call: Call) -> Answer:
        url = await self._host.resume(
            call.paired_client,
            read_resume(call.query),
            call.peer.remote_address,
            call.peer.local_address,
        )
        await self._still_paired(call)
        return Answer(nvhttp.answer(("sessionUrl0", url), ("resume", 1)))

    async def _cancel(self, call: Call) -> Answer:
        await self._host.cancel(call.paired_client)
        return Answer(nvhttp.answer(("cancel", 1)))

    async def _still_paired(self, call: Call) -> None:
        """Starting takes a while. A client unpaired meanwhile must not keep what it got."""
        if self._store.match(call.peer.certificate_der) is None:
            await self._host.cancel(call.paired_client)
            raise Refused(nvhttp.UNAUTHORISED, status=401)


def refusal(status: int, message: str, *failed: str) -> Answer:
    return Answer(nvhttp.failure(status, message, *((name, 0) for name in failed)))


def from_a_browser(request: HttpRequest) -> bool:
    """GET has side effects here, and a browser may own a client certificate.

    No client sends these headers. A person who types an address sends `none`; a page that
    was rebound to our address would send `same-origin`.
    """
    sites = request.header(b"sec-fetch-site")
    return bool(request.header(b"origin")) or any(site.strip() != b"none" for site in sites)


def _admitted(route: Route | None, client: PairedClient | None, tls: bool) -> bool:
    """Default deny: strangers get where a route says so, and nowhere else."""
    if client is not None:
        return True
    if route is None:
        return not tls
    return route.access is Access.ANYBODY or (route.access is Access.ANYBODY_PLAIN and not tls)
