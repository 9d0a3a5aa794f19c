"""Web addresses that are told when something happens."""

import asyncio
import hmac
import logging
import ssl
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import h11

from punktfunk import __version__
from punktfunk.automation.post import post
from punktfunk.automation.targets import Resolve, addresses_of, resolve, target_of
from punktfunk.config.settings import WebhookSettings
from punktfunk.errors import ConfigError, Refused, StateDamaged
from punktfunk.events import event_json
from punktfunk.model.events import Event, types_matching
from punktfunk.trust.files import read_private

WAITS_S = (0.0, 2.0, 10.0)
"""Before each try."""
MIN_SECRET_BYTES, _MAX_SECRET_BYTES = 16, 4_096
_WORTH_ANOTHER_TRY = frozenset({408, 425, 429})

log = logging.getLogger(__name__)


class Webhook:
    """Posts the event's JSON, signed if there is a secret; three tries, no redirects.

    Args:
        name: For the log.
        folder: What `secret_file` is relative to.

    Raises:
        ConfigError: the secret's file is of no use.
    """

    def __init__(
        self,
        name: str,
        settings: WebhookSettings,
        folder: Path,
        *,
        resolve: Resolve = resolve,
        waits_s: Sequence[float] = WAITS_S,
        now_unix_s: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.types = types_matching(settings.on)
        self._settings = settings
        self._target = target_of(settings.url)
        self._secret = _read_secret(name, folder / settings.secret_file, settings)
        self._tls = ssl.create_default_context() if self._target.scheme == "https" else None
        self._resolve = resolve
        self._waits_s = waits_s
        self._now_unix_s = now_unix_s

    async def handle(self, event: Event) -> None:
        """Tell it, or say in the log why not; never raises for what is at the other end."""
        told = {"event": event.type, "to": self._target.origin}
        problem = ""
        for wait_s in self._waits_s:
            await asyncio.sleep(wait_s)
            try:
                async with asyncio.timeout(self._settings.timeout_s):
                    status = await self._try(event)
            except Refused as error:
                log.warning("%s refused: %s", self.name, error, extra=told)
                return
            except TimeoutError:
                problem = f"no answer within {self._settings.timeout_s} s"
            except (OSError, h11.RemoteProtocolError) as error:
                problem = str(error) or type(error).__name__
            else:
                if 200 <= status < 300:
                    log.info("%s told", self.name, extra=told)
                    return
                problem = f"status {status}"
                if status < 500 and status not in _WORTH_ANOTHER_TRY:
                    break
        log.warning("%s could not be told: %s", self.name, problem, extra=told)

    async def _try(self, event: Event) -> int:
        body = event_json(event).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"punktfunk/{__version__}",
            "Punktfunk-Event": event.type,
        }
        if self._secret:
            timestamp = str(int(self._now_unix_s()))
            headers["Punktfunk-Timestamp"] = timestamp
            headers["Punktfunk-Signature"] = signature(self._secret, timestamp, body)
        addresses = await addresses_of(
            self._target, self._resolve, allow_private=self._settings.allow_private
        )
        return await post(self._target, addresses, headers, body, self._tls)


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 over timestamp, a full stop, and the body."""
    return "v1=" + hmac.new(secret, timestamp.encode() + b"." + body, sha256).hexdigest()


def _read_secret(name: str, path: Path, settings: WebhookSettings) -> bytes:
    if not settings.secret_file:
        return b""
    try:
        secret = read_private(path, _MAX_SECRET_BYTES).strip()
    except FileNotFoundError:
        raise ConfigError(f"{name}.secret_file: {path} is not there") from None
    except StateDamaged:
        raise ConfigError(f"{name}.secret_file: {path} is too long for a secret") from None
    if len(secret) < MIN_SECRET_BYTES:
        raise ConfigError(f"{name}.secret_file: {path} needs at least {MIN_SECRET_BYTES} bytes")
    return secret
