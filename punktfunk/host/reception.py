"""What a client that was let in may choose from, and the wait for its RTSP requests."""

import itertools
from collections.abc import Callable

from punktfunk.config.chain import SessionSettings, session_settings
from punktfunk.config.settings import Settings
from punktfunk.gamestream.endpoint import normalize_ip
from punktfunk.gamestream.launch import LaunchRequest
from punktfunk.gamestream.sdp import HostCapabilities
from punktfunk.host.catalog import Catalog
from punktfunk.host.handshake import Handshake
from punktfunk.host.joining import offered_to_guest
from punktfunk.host.member import Member
from punktfunk.host.policy import encryption_requested, stream_limits
from punktfunk.host.ports import Ports
from punktfunk.host.session import HostSession
from punktfunk.model.offers import Kind
from punktfunk.model.video import Codec


class Reception:
    """Args:
    timeout_s: How long a client may take for its next request.
    """

    def __init__(
        self, settings: Settings, ports: Ports, catalog: Catalog, timeout_s: float
    ) -> None:
        self._settings = settings
        self._ports = ports
        self._catalog = catalog
        self._timeout_s = timeout_s
        self._stream_ids = itertools.count(1)

    def use(self, settings: Settings) -> None:
        """From now on expect clients by these settings."""
        self._settings = settings

    def wanted(self, client: str, app: str) -> SessionSettings:
        """What the settings say of a client and an app.

        Args:
            client: A fingerprint; empty for one that is not known.
            app: A library id; empty while it has not been chosen.
        """
        return session_settings(self._settings, app, client)

    def offered_codecs(self, client: str = "", app: str = "") -> frozenset[Codec]:
        """What a client may choose from: probed to work, and allowed."""
        offer = self._catalog.best_encoder()
        allowed = frozenset(Codec(name) for name in self.wanted(client, app).stream.codecs)
        return (offer.codecs if offer else frozenset()) & allowed

    def second_client(self, app: str) -> str:
        """What a device gets that starts an app that runs, unless it has a rule of its own."""
        return self.wanted("", app).stream.second_client

    def expect(
        self,
        session: HostSession,
        member: Member,
        request: LaunchRequest,
        remote_ip: str,
        local_ip: str | None,
        unused: Callable[[], None],
    ) -> None:
        """Wait for a client's requests; each begins the time anew.

        Args:
            unused: Called when it does not come.
        """
        client, app = member.fingerprint, session.app.library_id
        remote_ip = normalize_ip(remote_ip)
        wanted = self.wanted(client, app).stream
        codecs = self.offered_codecs(client, app)
        if member.guest:
            codecs = offered_to_guest(codecs, session.codec)
        features = self._catalog.features(Kind.INPUT, session.plan.input)
        pad_features = self._catalog.features(Kind.GAMEPAD, session.plan.gamepad)
        stream_id = next(self._stream_ids)
        member.expect(
            Handshake(
                stream_id=stream_id,
                request=request,
                remote_ip=remote_ip,
                local_ip=local_ip,
                ports=self._ports.media(member.slot),
                capabilities=HostCapabilities(
                    codecs=codecs,
                    pen_touch="touch" in features,
                    controller_motion="motion" in pad_features,
                    encryption_requested=encryption_requested(wanted.encryption, remote_ip),
                ),
                limits=stream_limits(member.client, wanted, codecs),
                start=member.start_stream,
                touched=member.touch,
                over=lambda: member.handshake_over(stream_id),
            ),
            self._timeout_s,
            unused,
        )
