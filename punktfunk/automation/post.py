"""One HTTP POST to an address that was looked up before."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence

import h11

from punktfunk.automation.targets import Target

MAX_ANSWER_BYTES = 65_536


async def post(
    target: Target,
    addresses: Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    tls: ssl.SSLContext | None,
) -> int:
    """Send it and return the status. Redirects are not followed, the answer's body is not kept.

    Args:
        addresses: To try one after the other. No name is looked up here.
        tls: For https.

    Raises:
        OSError: no connection, or a certificate that is not the target's.
        h11.RemoteProtocolError: the answer is no HTTP.
    """
    reader, writer = await _connect(target, addresses, tls)
    connection = h11.Connection(h11.CLIENT)
    request = h11.Request(
        method="POST",
        target=target.path,
        headers=[
            ("Host", target.host_header),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
            *headers.items(),
        ],
    )
    try:
        for event in (request, h11.Data(data=body), h11.EndOfMessage()):
            writer.write(connection.send(event) or b"")
        await writer.drain()
        return await _status(connection, reader)
    finally:
        writer.transport.abort()


async def _connect(
    target: Target, addresses: Sequence[str], tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    error = OSError("no address")
    for address in addresses:
        try:
            return await asyncio.open_connection(
                address, target.port, ssl=tls, server_hostname=target.host if tls else None
            )
        except OSError as failed:
            error = failed
    raise error


async def _status(connection: h11.Connection, reader: asyncio.StreamReader) -> int:
    """Read to the answer's end, so that its sender sees no error, but no further than this."""
    status, left_bytes = 0, MAX_ANSWER_BYTES
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            if not left_bytes:
                break
            data = await reader.read(left_bytes)
            left_bytes -= len(data)
            connection.receive_data(data)
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            break
    if not status:
        raise h11.RemoteProtocolError("no answer")
    return status
