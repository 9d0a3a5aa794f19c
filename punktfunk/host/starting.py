"""From a launch to a session that runs: its plan, its ports, its worker."""

import asyncio
import itertools
import logging
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

import attrs

from punktfunk.config.chain import SessionSettings
from punktfunk.errors import DriverFailed, DriverUnavailable, Refused
from punktfunk.gamestream.launch import LaunchRequest
from punktfunk.host.attempts import first_that_starts
from punktfunk.host.catalog import Catalog
from punktfunk.host.cleanup import Cleaner
from punktfunk.host.handshake import in_words
from punktfunk.host.policy import display_mode, preferences
from punktfunk.host.session import HostSession
from punktfunk.model.apps import App
from punktfunk.model.clients import PairedClient
from punktfunk.model.session import SessionPlan, StreamEnd
from punktfunk.model.video import VideoMode
from punktfunk.session.plan import Cast, casts_in_order, plan_session
from punktfunk.session.pool import WorkerPool
from punktfunk.session.stream import MediaSockets

log = logging.getLogger(__name__)

REFILL_DELAY_S = 3.0
_FALLBACK_MODE = VideoMode(width_px=1_280, height_px=720, refresh_mhz=60_000)


@attrs.frozen(kw_only=True)
class Paths:
    """Where sessions keep their things.

    Attributes:
        journals: Undo journals, one file a session.
        memory: What drivers remember from one session to the next.
        runtime: Parent of the seats' runtime folders; short, private.
    """

    journals: Path
    memory: Path
    runtime: Path


@attrs.frozen(kw_only=True)
class Launch:
    """Who launches what, and what the settings say of it."""

    client: PairedClient
    app: App
    request: LaunchRequest
    wanted: SessionSettings


class Starter:
    """Starts sessions, each in a worker from the pool.

    Args:
        bind_media: Open the sockets of a slot.
        remember_control_v2: Told of a client that encrypts its control stream.
    """

    def __init__(
        self,
        *,
        pool: WorkerPool,
        catalog: Catalog,
        cleaner: Cleaner,
        paths: Paths,
        host_environment: Mapping[str, str],
        bind_media: Callable[[int], MediaSockets],
        remember_control_v2: Callable[[str], None],
    ) -> None:
        self._pool = pool
        self._catalog = catalog
        self._cleaner = cleaner
        self._paths = paths
        self._host_environment = host_environment
        self._bind_media = bind_media
        self._remember_control_v2 = remember_control_v2
        self._session_ids = itertools.count(1)

    def cast(self, launch: Launch) -> tuple[Cast, ...]:
        """The drivers for it, the best first.

        Raises:
            Refused: a kind of driver has none that fits.
        """
        return casts_in_order(
            launch.app,
            self._catalog.offers,
            preferences(launch.wanted.drivers),
            attach=launch.wanted.desktop.mode == "attach",
        )

    async def start(self, slot: int, launch: Launch, casts: tuple[Cast, ...]) -> HostSession:
        """Start the session with the first cast whose display can be had.

        Raises:
            Refused: with the reason; nothing of it is left.
        """
        plans = (self._plan(launch, cast) for cast in casts)
        return await first_that_starts(plans, lambda plan: self._try(slot, launch, plan))

    async def _try(self, slot: int, launch: Launch, plan: SessionPlan) -> HostSession:
        app = launch.app
        sockets = self._bind_media(slot)
        try:
            worker = await self._pool.take()
            try:
                await worker.prepare(plan)
            except BaseException:
                await worker.quit(StreamEnd.FAILED)
                await self._cleaner.clean(Path(plan.journal))
                raise
        except (DriverUnavailable, DriverFailed) as error:
            log.warning("session did not start: %s", error, extra={"app": app.title})
            reason = f"{app.title} could not be started: {in_words(error)}"
            sockets.close()
            raise Refused(reason, status=503) from error
        except BaseException:
            sockets.close()
            raise
        finally:
            asyncio.get_running_loop().call_later(REFILL_DELAY_S, self._pool.refill)
        return HostSession(
            slot=slot,
            client=launch.client,
            sockets=sockets,
            app=app,
            plan=plan,
            worker=worker,
            control_v2_used=self._remember_control_v2,
        )

    def _plan(self, launch: Launch, cast: Cast) -> SessionPlan:
        session_id = next(self._session_ids)
        seat = f"pf-{session_id}-{secrets.token_hex(4)}"
        client, app, request, wanted = launch.client, launch.app, launch.request, launch.wanted
        return plan_session(
            cast,
            app,
            session_id=session_id,
            seat=seat,
            client=client.fingerprint,
            mode=display_mode(request.mode or _FALLBACK_MODE, wanted.stream),
            channels=request.layout.channels,
            sound_on_host=request.play_audio_on_host,
            prep=wanted.prep,
            settings_of=self._catalog.settings_of,
            runtime_root=str(self._paths.runtime),
            journal=str(self._paths.journals / f"{seat}.jsonl"),
            memory=str(self._paths.memory),
            host_environment=self._host_environment,
            keep_awake=f"{client.name} plays {app.title}" if wanted.stream.inhibit_idle else "",
        )
