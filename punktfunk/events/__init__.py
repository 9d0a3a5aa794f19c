"""What happens in the host: `bus` keeps and passes it on, `lane` protects listeners' neighbours."""

from punktfunk.events.bus import (
    EventBus,
    Gap,
    GapReason,
    Publish,
    Subscription,
    event_json,
)
from punktfunk.events.lane import Lane

__all__ = ["EventBus", "Gap", "GapReason", "Lane", "Publish", "Subscription", "event_json"]
