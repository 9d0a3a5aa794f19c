"""Fingers and pens as the pointer, for input drivers that have neither."""

from punktfunk.model.input import (
    ButtonEvent,
    ContactKind,
    InputEvent,
    PenButtons,
    PenEvent,
    PointerButton,
    PointerPosition,
    TouchEvent,
)

_BUTTONS = {
    PenButtons.PRIMARY: PointerButton.RIGHT,
    PenButtons.SECONDARY: PointerButton.MIDDLE,
    PenButtons.TERTIARY: PointerButton.BACK,
}
_ON_THE_PICTURE = (ContactKind.DOWN, ContactKind.MOVE)
_PLACELESS = (
    *(ContactKind.BUTTON_ONLY, ContactKind.HOVER_LEAVE),
    *(ContactKind.CANCEL, ContactKind.CANCEL_ALL),
)
_GONE = (ContactKind.HOVER_LEAVE, ContactKind.CANCEL, ContactKind.CANCEL_ALL)


class Contacts:
    """Says what to do instead of an event. The devices it is done on know what is down.

    One finger is the left button, others beside it are nothing: clients that are told that
    there is no touch have gestures of their own. A pen loses pressure and tilt.

    Args:
        touch, pen: The driver takes these as they are.
    """

    def __init__(self, *, touch: bool, pen: bool) -> None:
        self._touch, self._pen = touch, pen
        self.forget()

    def forget(self) -> None:
        """Nothing is down any more."""
        self._finger: int | None = None
        self._tip = False
        self._pressed: frozenset[PointerButton] = frozenset()

    def as_taken(self, event: InputEvent) -> list[InputEvent]:
        """What the driver is to be given."""
        match event:
            case TouchEvent() if not self._touch:
                return self._of_finger(event)
            case PenEvent() if not self._pen:
                return self._of_pen(event)
        return [event]

    def _of_finger(self, event: TouchEvent) -> list[InputEvent]:
        mine = self._finger == event.pointer_id
        there = PointerPosition(event.x, event.y)
        match event.kind:
            case ContactKind.DOWN | ContactKind.MOVE if self._finger is None:
                self._finger = event.pointer_id
                return [there, ButtonEvent(PointerButton.LEFT, pressed=True)]
            case ContactKind.MOVE | ContactKind.DOWN if mine:
                return [there]
            case ContactKind.HOVER if self._finger is None:
                return [there]
            case ContactKind.UP if mine:
                self._finger = None
                return [there, ButtonEvent(PointerButton.LEFT, pressed=False)]
            case ContactKind.CANCEL | ContactKind.CANCEL_ALL if self._finger is not None and (
                mine or event.kind is ContactKind.CANCEL_ALL
            ):
                self._finger = None
                return [ButtonEvent(PointerButton.LEFT, pressed=False)]
        return []

    def _of_pen(self, event: PenEvent) -> list[InputEvent]:
        if event.kind is not ContactKind.BUTTON_ONLY:
            self._tip = event.kind in _ON_THE_PICTURE
        wanted = frozenset() if event.kind in _GONE else self._buttons(event)
        before, self._pressed = self._pressed, wanted
        moves: list[InputEvent] = []
        if event.kind not in _PLACELESS:
            moves.append(PointerPosition(event.x, event.y))
        return [
            *moves,
            *(ButtonEvent(it, pressed=False) for it in PointerButton if it in before - wanted),
            *(ButtonEvent(it, pressed=True) for it in PointerButton if it in wanted - before),
        ]

    def _buttons(self, event: PenEvent) -> frozenset[PointerButton]:
        """The button on a pen is pressed with the tip in the air or on the picture."""
        by_hand = frozenset(ours for its, ours in _BUTTONS.items() if event.buttons & its)
        return by_hand or frozenset({PointerButton.LEFT} if self._tip else ())
