"""How values look in the management API's JSON."""

from typing import Any, TypeVar

import cattrs
from cattrs.gen import make_dict_unstructure_fn, override

from punktfunk.mgmt.values import HostInfo, SessionInfo, SessionStatus, StreamInfo
from punktfunk.model.clients import NativeClient, PairedClient
from punktfunk.model.video import Codec
from punktfunk.trust.pending import PendingDevice
from punktfunk.trust.tokens import ScopedToken

T = TypeVar("T")

_CODEC_NAMES = {Codec.H264: "h264", Codec.HEVC: "h265", Codec.AV1: "av1"}
_RENAMED: dict[type, dict[str, str]] = {  # what is inside another comes before it
    HostInfo: {"unique_id": "uniqueid"},
    SessionInfo: {"width_px": "width", "height_px": "height"},
    StreamInfo: {
        "width_px": "width",
        "height_px": "height",
        "packet_size_bytes": "packet_size",
        "min_fec_packets": "min_fec",
    },
    SessionStatus: {"width_px": "width", "height_px": "height"},
    PendingDevice: {"age_s": "age_secs"},
}
_LEFT_OUT: dict[type, tuple[str, ...]] = {
    NativeClient: ("renamed",),
    PairedClient: ("certificate_der", "control_v2_used", "renamed"),
    ScopedToken: ("sha256",),
}


def to_json(value: object) -> Any:
    """Return plain JSON values."""
    return converter.unstructure(value)


def from_json(plain: object, wanted: type[T]) -> T:
    """Read what has passed the schema already."""
    return converter.structure(plain, wanted)


def _make_converter() -> cattrs.Converter:
    made = cattrs.Converter()
    made.register_unstructure_hook(Codec, lambda codec: _CODEC_NAMES[codec])
    for wanted in (*_RENAMED, *_LEFT_OUT):
        fields: dict[str, Any] = {
            **{ours: override(rename=name) for ours, name in _RENAMED.get(wanted, {}).items()},
            **{name: override(omit=True) for name in _LEFT_OUT.get(wanted, ())},
        }
        made.register_unstructure_hook(wanted, make_dict_unstructure_fn(wanted, made, **fields))
    return made


converter = _make_converter()
