"""Asks plugins from child processes: one that crashes or hangs costs only its own answer."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

import attrs

from punktfunk.model.offers import HostFacts
from punktfunk.registry.discovery import PluginRecord
from punktfunk.registry.probe_child import ChildEnded, ChildKind, ProbeChild
from punktfunk.registry.report import ProbeBegins, ProbeRequest

log = logging.getLogger(__name__)


class Answer(Protocol):
    """What a child says of one plugin."""

    @property
    def record(self) -> PluginRecord: ...


A = TypeVar("A", bound=Answer)


@attrs.frozen(kw_only=True)
class ProbeLimits:
    """How long asking may take, for one plugin and for all together."""

    plugin_s: float = 3.0
    total_s: float = 10.0


@attrs.frozen(kw_only=True)
class Failure:
    """A plugin that the child did not come back from.

    Attributes:
        harmful: Importing it was enough.
    """

    plugin: str
    reason: str
    harmful: bool = False


async def ask_plugins(
    kind: ChildKind[A],
    names: Iterable[str],
    facts: HostFacts,
    limits: ProbeLimits,
    check: Callable[[A], None],
) -> dict[str, A | Failure]:
    """Ask installed plugins, each once.

    A plugin that crashes or hangs takes the child down with it; the rest are then asked in
    another child. Nothing that a plugin started in the child's process group outlives this.

    Args:
        check: Raises ValueError for an answer that cannot be used.

    Returns:
        An answer or a failure for every name.
    """
    names = tuple(names)
    deadline_s = asyncio.get_running_loop().time() + limits.total_s
    results: dict[str, A | Failure] = {}
    while waiting := tuple(name for name in names if name not in results):
        run = _Run(kind, ProbeRequest(facts=facts, ask=waiting), limits, deadline_s, check)
        results |= await run.finish()
    return results


class _Run(Generic[A]):
    """One child, until it is done or down."""

    def __init__(
        self,
        kind: ChildKind[A],
        request: ProbeRequest,
        limits: ProbeLimits,
        deadline_s: float,
        check: Callable[[A], None],
    ) -> None:
        self._kind = kind
        self._request = request
        self._limits = limits
        self._deadline_s = deadline_s
        self._check = check
        self._answers: dict[str, A] = {}
        self._asked: ProbeBegins | None = None

    async def finish(self) -> dict[str, A | Failure]:
        """Return the answers, and at least one failure unless all have answered."""
        async with ProbeChild(self._kind, self._request) as child:
            reason = await self._listen(child)
        missing = [name for name in self._request.ask if name not in self._answers]
        if not missing:
            return dict(self._answers)
        asked = self._asked
        if asked is not None and asyncio.get_running_loop().time() < self._deadline_s:
            missing = [asked.begins]
        elif not self._answers and asked is None:
            noun = self._kind.noun
            reason = f"could not be asked, the {noun} itself {reason}: {child.last_words}"
        for name in missing:
            log.warning(
                "plugin %s %s", name, reason, extra={"plugin": name, "printed": child.last_words}
            )
        return {**self._answers, **{name: self._failure(name, reason) for name in missing}}

    async def _listen(self, child: ProbeChild[A]) -> str:
        """Collect answers; say why there are no more."""
        loop, deadline_s = asyncio.get_running_loop(), self._deadline_s
        asked_until_s = deadline_s
        try:
            while True:
                until_s = min(asked_until_s, deadline_s)
                message = await child.next_message(max(0.0, until_s - loop.time()))
                if isinstance(message, ProbeBegins):
                    if self._asked is None:
                        asked_until_s = loop.time() + self._limits.plugin_s
                    self._asked = message
                else:
                    self._take(message)
                    asked_until_s = deadline_s
        except TimeoutError:
            if asked_until_s < deadline_s:
                return f"did not answer within {self._limits.plugin_s:g} s"
            over = f"the {self._kind.noun}'s {self._limits.total_s:g} s were over"
            return f"was not asked to the end: {over}"
        except ChildEnded as end:
            return str(end)
        except ValueError as error:
            return f"gave an answer that makes no sense: {error}"

    def _take(self, answer: A) -> None:
        asked, name = self._asked, answer.record.name
        if asked is None or name != asked.begins:
            raise ValueError("it answers for another plugin")
        self._check(answer)
        self._answers[name] = answer
        self._asked = None

    def _failure(self, name: str, reason: str) -> Failure:
        asked = self._asked
        harmful = asked is not None and asked.begins == name and asked.step == "import"
        return Failure(plugin=name, reason=reason, harmful=harmful)
