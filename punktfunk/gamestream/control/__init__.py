"""Control messages: what a client asks for while it streams, and what it is told.

See docs/protocol/gamestream.md, section 6.
"""

from punktfunk.gamestream.control.channel import (
    MAX_FAILURES_IN_A_ROW,
    ControlChannel,
    ControlCounters,
)
from punktfunk.gamestream.control.cipher import ControlCipher, Scheme, Side
from punktfunk.gamestream.control.messages import (
    ControlMessage,
    FrameFecStatus,
    HostMessage,
    Input,
    InvalidateReferences,
    LtrAck,
    Ping,
    RequestIdr,
    StartB,
    Termination,
    TerminationCode,
    decode_message,
    encode_message,
)

__all__ = [
    "MAX_FAILURES_IN_A_ROW",
    "ControlChannel",
    "ControlCipher",
    "ControlCounters",
    "ControlMessage",
    "FrameFecStatus",
    "HostMessage",
    "Input",
    "InvalidateReferences",
    "LtrAck",
    "Ping",
    "RequestIdr",
    "Scheme",
    "Side",
    "StartB",
    "Termination",
    "TerminationCode",
    "decode_message",
    "encode_message",
]
