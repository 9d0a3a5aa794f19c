"""Which motor turns how strongly, at a given time. Pure; the clock is the caller's."""

import attrs

from punktfunk_gamepad_uinput.uinput import Effect

MAX_EFFECTS = 16
FULL = 0xFFFF
_NS_PER_MS = 1_000_000


@attrs.frozen
class _Run:
    """An effect being played `times` times since `start_ns`."""

    start_ns: int
    times: int

    def is_on(self, effect: Effect, now_ns: int) -> bool:
        if effect.length_ms == 0:
            return now_ns >= self.start_ns + effect.delay_ms * _NS_PER_MS
        elapsed_ns = now_ns - self.start_ns
        if elapsed_ns < 0 or elapsed_ns >= self.times * _round_ns(effect):
            return False
        return elapsed_ns % _round_ns(effect) >= effect.delay_ms * _NS_PER_MS

    def next_change_ns(self, effect: Effect, now_ns: int) -> int | None:
        delay_ns = effect.delay_ms * _NS_PER_MS
        if effect.length_ms == 0:
            start_ns = self.start_ns + delay_ns
            return start_ns if now_ns < start_ns else None
        round_ns = _round_ns(effect)
        played = max(0, now_ns - self.start_ns) // round_ns
        if played >= self.times:
            return None
        begun_ns = self.start_ns + played * round_ns
        return begun_ns + delay_ns if now_ns < begun_ns + delay_ns else begun_ns + round_ns


class Effects:
    """What programs left with a pad, and what of it plays."""

    def __init__(self) -> None:
        self._effects: dict[int, Effect] = {}
        self._runs: dict[int, _Run] = {}
        self._gain = FULL

    def upload(self, effect: Effect) -> None:
        """Keep an effect, or change it while it plays."""
        self._effects[effect.id] = effect

    def erase(self, number: int) -> None:
        self._effects.pop(number, None)
        self._runs.pop(number, None)

    def play(self, number: int, times: int, now_ns: int) -> None:
        """Begin, begin again, or with 0 times stop."""
        if times > 0 and number in self._effects:
            self._runs[number] = _Run(now_ns, times)
        else:
            self._runs.pop(number, None)

    def set_gain(self, gain: int) -> None:
        """0 to 65535, for everything that plays."""
        self._gain = min(max(gain, 0), FULL)

    def strengths(self, now_ns: int) -> tuple[int, int]:
        """The low- and the high-frequency motor, 0 to 65535 each."""
        on = [
            self._effects[number]
            for number, run in self._runs.items()
            if run.is_on(self._effects[number], now_ns)
        ]
        strong = min(sum(effect.strong for effect in on), FULL)
        weak = min(sum(effect.weak for effect in on), FULL)
        return strong * self._gain // FULL, weak * self._gain // FULL

    def next_change_ns(self, now_ns: int) -> int | None:
        """When `strengths` gives another answer without anybody's doing."""
        changes = (
            run.next_change_ns(self._effects[number], now_ns) for number, run in self._runs.items()
        )
        return min((change for change in changes if change is not None), default=None)


def _round_ns(effect: Effect) -> int:
    return (effect.delay_ms + effect.length_ms) * _NS_PER_MS
