"""What nvhttp asks of the host."""

import socket
from collections.abc import Sequence

from punktfunk.config.settings import Settings
from punktfunk.errors import Refused
from punktfunk.gamestream.launch import LaunchRequest
from punktfunk.gamestream.nvhttp import NO_MAC, ServerInfo
from punktfunk.host.apps import Apps
from punktfunk.host.network import mac_of
from punktfunk.host.ports import Ports
from punktfunk.host.sessions import Sessions
from punktfunk.model.apps import App
from punktfunk.model.clients import PairedClient
from punktfunk.model.video import Codec
from punktfunk.trust.identity import HostIdentity

_NOT_FOUND = 404


class GameStreamHost:
    """Implements `punktfunk.net.nvhttp_host.NvHttpHost`."""

    def __init__(
        self,
        settings: Settings,
        identity: HostIdentity,
        ports: Ports,
        sessions: Sessions,
        apps: Apps,
    ) -> None:
        self.name = settings.host.name or socket.gethostname()
        self._apps = apps
        self._bound = bool(settings.host.bind)
        self._identity = identity
        self._ports = ports
        self._sessions = sessions

    def server_info(self, client: PairedClient | None, local_address: str, tls: bool) -> ServerInfo:
        session = self._sessions.of_client(client.fingerprint) if client and tls else None
        return ServerInfo(
            hostname=self.name,
            unique_id=self._identity.unique_id,
            https_port=self._ports.https,
            http_port=self._ports.http,
            local_address=local_address,
            # "None" would keep clients from even showing the host; a launch says what is wrong.
            codecs=self._sessions.reception.offered_codecs(client.fingerprint if client else "")
            or frozenset({Codec.H264}),
            mac=mac_of(local_address) if client else NO_MAC,
            current_game=session.app.moonlight_id if session else 0,
        )

    def apps(self) -> Sequence[App]:
        return self._apps.all()

    async def app_asset(self, moonlight_id: int) -> bytes | None:
        return await self._apps.picture(moonlight_id)

    async def launch(
        self,
        client: PairedClient,
        request: LaunchRequest,
        remote_address: str,
        local_address: str,
    ) -> str:
        app = self._apps.find(request.app_id)
        if app is None:
            raise Refused("there is no such app on this host", status=_NOT_FOUND)
        await self._sessions.launch(
            client, app, request, remote_address, self._source(local_address)
        )
        return request.session_url(local_address, self._ports.rtsp)

    async def resume(
        self,
        client: PairedClient,
        request: LaunchRequest,
        remote_address: str,
        local_address: str,
    ) -> str:
        await self._sessions.resume(client, request, remote_address, self._source(local_address))
        return request.session_url(local_address, self._ports.rtsp)

    def _source(self, local_address: str) -> str | None:
        """Which of our addresses media must come from; None when we are bound to one."""
        return None if self._bound else local_address

    async def cancel(self, client: PairedClient) -> None:
        await self._sessions.stop_client(client.fingerprint)
