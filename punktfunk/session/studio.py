"""What the streams of a session share: one capture, one sound, and encoders for all who agree."""

import itertools
import logging
from collections.abc import Callable, Iterator

import attrs

from punktfunk.drivers.audio import AudioEncodeDriver
from punktfunk.drivers.encode import EncodeDriver
from punktfunk.errors import DriverUnavailable
from punktfunk.model.audio import OpusParams
from punktfunk.model.offers import Kind
from punktfunk.model.session import DriverRef
from punktfunk.model.video import EncodeParams, VideoMode
from punktfunk.session.camera import Camera, Tap
from punktfunk.session.drivers import load
from punktfunk.session.encoding import Encoding, can_share
from punktfunk.session.outlet import Outlet
from punktfunk.session.picture import PictureLoop
from punktfunk.session.sound import Listener, SoundLoop
from punktfunk.session.stage import Stage
from punktfunk.session.threads import LoopThread, beside

log = logging.getLogger(__name__)

_JOIN_TIMEOUT_S = 3.0


@attrs.define(eq=False)
class _Beside:
    """An encoding that works in a thread of its own, on copies of the pictures."""

    encoding: Encoding
    tap: Tap
    thread: LoopThread


class Studio:
    """Used by the main thread; runs the picture threads and the sound thread.

    The first encoding works in the thread that captures, so that a single client costs no
    copy. One that cannot be shared gets copies, so that it slows nobody else down.
    """

    def __init__(self, stage: Stage, wake: Callable[[], None]) -> None:
        self._stage = stage
        self._wake = wake
        self._numbers = itertools.count(1)
        self._camera = Camera(stage, self._request_keyframes)
        self._beside: list[_Beside] = []
        self._set_up_picture()
        self._set_up_sound()

    @property
    def mode(self) -> VideoMode | None:
        """Of the pictures that are taken; None while nobody streams."""
        return self._camera.mode

    @property
    def failure(self) -> Exception | None:
        """Why it cannot go on, or None."""
        return self._picture_thread.failure or self._sound_thread.failure

    def failure_of(self, encoding: Encoding) -> Exception | None:
        """Why this one cannot go on although the others can."""
        if encoding.failure is not None:
            return encoding.failure
        found = (it.thread.failure for it in self._beside if it.encoding is encoding)
        return next(found, None)

    def check(self, now_ns: int) -> None:
        """Raise `DriverFailed` when a driver has not returned for too long."""
        for thread in self._threads():
            thread.check(now_ns)

    # -- picture

    def join(
        self,
        outlet: Outlet,
        params: EncodeParams,
        camera_mode: VideoMode,
        meanwhile: Callable[[], None],
    ) -> Encoding:
        """Find or open an encoder for a stream.

        Args:
            camera_mode: What to capture, if nothing is captured yet.
            meanwhile: Called again and again while others stream and an encoder opens.

        Raises:
            DriverUnavailable, DriverFailed: it cannot be had.
        """
        made = (it for it in self._encodings() if it.failure is None)
        encoding = next((it for it in made if can_share(it.params, params)), None)
        if encoding is None:
            encoding = self._open_encoding(params, meanwhile)
        encoding.claim(outlet, params.bitrate_kbps)
        if self._camera.mode is None:
            try:
                self._camera.open(camera_mode, encoding.dmabufs)
            except BaseException:
                self.leave(outlet, encoding)
                raise
        return encoding

    def start(self, outlet: Outlet, encoding: Encoding) -> None:
        """From now on this stream gets pictures."""
        encoding.attach(outlet)
        self._picture_thread.start()
        for it in self._beside:
            if it.encoding is encoding:
                it.thread.start()
                self._picture.add_tap(it.tap)

    def leave(self, outlet: Outlet, encoding: Encoding) -> str:
        """Close what this stream was the last to use.

        Returns:
            The name of a thread that does not end; what it uses is then left alone, because
            it is inside a driver. Usually empty.
        """
        encoding.drop(outlet)
        if encoding.wanted:
            return ""
        last = not any(it is not encoding for it in self._encodings())
        stuck = self._picture_thread.stop() if last else ""
        stuck = stuck or self._close_encoding(encoding)
        if last and not stuck:
            _close("the capture", self._camera.close)
            self._set_up_picture()
        return stuck

    def _request_keyframes(self) -> None:
        for encoding in list(self._encodings()):
            encoding.request_keyframe()

    def _encodings(self) -> Iterator[Encoding]:
        if self._picture.encoding is not None:
            yield self._picture.encoding
        yield from (it.encoding for it in self._beside)

    def _open_encoding(self, params: EncodeParams, meanwhile: Callable[[], None]) -> Encoding:
        if self._camera.mode is None:
            encoder, name = self._open_encoder(params)
        else:
            encoder, name = beside(lambda: self._open_encoder(params), meanwhile)
        encoding = Encoding(encoder, params, number=next(self._numbers), name=name, wake=self._wake)
        if self._picture.encoding is None:
            self._picture.encoding = encoding
        else:
            tap = Tap()
            loop = PictureLoop(tap, encoding)
            thread = LoopThread("second picture", loop, self._wake, short_work=False)
            self._beside.append(_Beside(encoding, tap, thread))
        return encoding

    def _open_encoder(self, params: EncodeParams) -> tuple[EncodeDriver, str]:
        """The plan's first encoder, or its second when the first will not open."""
        problem: DriverUnavailable | None = None
        for ref in self._stage.plan.encoders[:2]:
            try:
                return self._open(ref, params), ref.name
            except DriverUnavailable as error:
                log.warning("encoder passed over: %s", error)
                problem = error
        assert problem is not None
        raise problem

    def _open(self, ref: DriverRef, params: EncodeParams) -> EncodeDriver:
        encoder = load(EncodeDriver, Kind.ENCODE, ref)
        try:
            encoder.open(params)
        except BaseException:
            _close("an encoder", encoder.close)
            raise
        return encoder

    def _close_encoding(self, encoding: Encoding) -> str:
        if self._picture.encoding is encoding:
            self._picture.encoding = None
            if not encoding.in_use.acquire(timeout=_JOIN_TIMEOUT_S):
                return "picture"
        for it in self._beside:
            if it.encoding is encoding:
                self._beside.remove(it)
                self._picture.remove_tap(it.tap)
                if stuck := it.thread.stop():
                    return stuck
                break
        _close("an encoder", encoding.close)
        return ""

    def _set_up_picture(self) -> None:
        self._picture = PictureLoop(self._camera)
        self._picture_thread = LoopThread("picture", self._picture, self._wake, short_work=False)

    # -- sound

    def listen(self, params: OpusParams, listener: Listener) -> None:
        """Let a stream hear the session.

        Raises:
            DriverUnavailable, DriverFailed: it cannot be had.
        """
        self._sound.join(params, listener)
        self._sound_thread.start()

    def stop_listening(self, listener: Listener) -> str:
        """Returns the name of a thread that hangs, as `leave` does."""
        self._sound.leave(listener)
        if self._sound.wanted:
            return ""
        if stuck := self._sound_thread.stop():
            return stuck
        _close("the sound", self._sound.close)
        self._set_up_sound()
        return ""

    def _set_up_sound(self) -> None:
        self._sound = SoundLoop(self._stage.audio, self._open_voice)
        self._sound_thread = LoopThread("sound", self._sound, self._wake, short_work=True)

    def _open_voice(self, params: OpusParams) -> AudioEncodeDriver:
        ref = self._stage.plan.audio_encoder
        encoder = load(AudioEncodeDriver, Kind.AUDIO_ENCODE, ref)
        encoder.open(params)
        return encoder

    def _threads(self) -> Iterator[LoopThread]:
        yield self._picture_thread
        yield self._sound_thread
        yield from (it.thread for it in self._beside)


def _close(what: str, close: Callable[[], None]) -> None:
    try:
        close()
    except Exception:
        log.exception("%s did not close", what)
