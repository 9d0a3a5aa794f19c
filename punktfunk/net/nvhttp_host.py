"""What nvhttp needs of the rest of the host."""

from collections.abc import Sequence
from typing import Protocol

from punktfunk.gamestream.launch import LaunchRequest
from punktfunk.gamestream.nvhttp import ServerInfo
from punktfunk.model.apps import App
from punktfunk.model.clients import PairedClient


class NvHttpHost(Protocol):
    """Answers for the routes; all are called on the event loop.

    To refuse, raise `Refused(message, status=...)`: the client's person reads the message,
    and the status is one of docs/protocol/gamestream.md, section 2.6 (403 when not given).
    """

    def server_info(self, client: PairedClient | None, local_address: str, tls: bool) -> ServerInfo:
        """Facts for one client. Strangers (None) see a free host whatever is returned."""

    def apps(self) -> Sequence[App]:
        """What the client may launch."""

    async def app_asset(self, moonlight_id: int) -> bytes | None:
        """Box art as PNG; None for a picture made by nvhttp. Quick: clients wait 2 s."""

    async def launch(
        self,
        client: PairedClient,
        request: LaunchRequest,
        remote_address: str,
        local_address: str,
    ) -> str:
        """Start the app, listen for RTSP, and return `request.session_url(...)`."""

    async def resume(
        self,
        client: PairedClient,
        request: LaunchRequest,
        remote_address: str,
        local_address: str,
    ) -> str:
        """Give the client's running app a new stream; the same answer as `launch`."""

    async def cancel(self, client: PairedClient) -> None:
        """Stop the client's streams and app. Return when `server_info` says free."""
