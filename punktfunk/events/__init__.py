"""What happens in the host: `bus` keeps and passes it on, `lane` protects listeners' neighbours."""

from punktfunk.events.bus import EventBus, Publish, event_json
from punktfunk.events.feed import Feed, Gap, GapReason, Reader, Subscription
from punktfunk.events.lane import Lane

__all__ = [
    "EventBus",
    "Feed",
    "Gap",
    "GapReason",
    "Lane",
    "Publish",
    "Reader",
    "Subscription",
    "event_json",
]
