"""`/pair`: five stages over HTTP, each handed to the pairing service.

docs/protocol/gamestream.md, section 2.5.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from punktfunk.errors import ProtocolError, Refused
from punktfunk.gamestream import nvhttp
from punktfunk.gamestream.pairing import AttemptKey, read_request
from punktfunk.gamestream.query import Query
from punktfunk.model.clients import PairedClient
from punktfunk.trust.pairing import PairingService

HungUp = Callable[[], Awaitable[None]]


class ClientGone(ConnectionError):
    """The client closed its connection: there is nobody to answer."""


_PAIRED = ("paired", 1)
_NOT_PAIRED = ("paired", 0)


async def pair(
    pairing: PairingService,
    query: Query,
    *,
    remote_address: str,
    client: PairedClient | None,
    hung_up: HungUp,
) -> bytes:
    """Answer one stage; the first one waits for a person to enter the PIN.

    Args:
        client: Whose certificate TLS proved, for the last stage.
        hung_up: Returns when the client closes the connection, which ends the attempt.

    Raises:
        ProtocolError: malformed or out of order; the attempt is over.
        Refused: not now, not paired, or no PIN in time.
        ClientGone: the client went away while it waited.
    """
    if query.text("phrase") == "pairchallenge":
        if client is None:
            raise Refused(nvhttp.UNAUTHORISED, status=401)
        return nvhttp.answer(_PAIRED)
    key = AttemptKey.of(query.text("uniqueid"), remote_address)
    try:
        return await _stage(pairing, key, query, hung_up)
    except ProtocolError:
        pairing.drop(key)
        raise


async def _stage(pairing: PairingService, key: AttemptKey, query: Query, hung_up: HungUp) -> bytes:
    if query.text("phrase") == "getservercert":
        request = read_request(query.text("devicename"), query.hex("salt"), query.hex("clientcert"))
        certificate_pem = await _unless(hung_up, pairing.begin(key, request))
        return nvhttp.answer(_PAIRED, ("plaincert", certificate_pem.hex()))
    if "clientchallenge" in query:
        reply = pairing.answer_challenge(key, query.hex("clientchallenge"))
        return nvhttp.answer(_PAIRED, ("challengeresponse", reply.hex()))
    if "serverchallengeresp" in query:
        reply = pairing.answer_response(key, query.hex("serverchallengeresp"))
        return nvhttp.answer(_PAIRED, ("pairingsecret", reply.hex()))
    if "clientpairingsecret" in query:
        client = pairing.finish(key, query.hex("clientpairingsecret"))
        return nvhttp.answer(_PAIRED if client else _NOT_PAIRED)
    raise ProtocolError("this is no stage of a pairing")


async def _unless(hung_up: HungUp, work: Coroutine[Any, Any, bytes]) -> bytes:
    """Do the work, or stop it when the client goes away."""
    working = asyncio.ensure_future(work)
    listening = asyncio.ensure_future(hung_up())
    try:
        await asyncio.wait((working, listening), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone("the client hung up")
        return working.result()
    finally:
        for task in (working, listening):
            task.cancel()
        await asyncio.gather(working, listening, return_exceptions=True)
