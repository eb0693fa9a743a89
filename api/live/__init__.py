"""现场动态 The live feed: what happened, to whom it concerns, in order and without loss, as it happens."""

from api.live.feed import Feed
from api.live.model import (
    Closing,
    EventFrame,
    FeedEnded,
    FeedEvent,
    FeedRow,
    Heartbeat,
    Placed,
    Quiet,
    Reach,
    Ready,
    ServerLeaves,
    SlowConsumer,
)
from api.live.scope import Scope, scope_of

__all__ = [
    "Closing",
    "EventFrame",
    "Feed",
    "FeedEnded",
    "FeedEvent",
    "FeedRow",
    "Heartbeat",
    "Placed",
    "Quiet",
    "Reach",
    "Ready",
    "Scope",
    "ServerLeaves",
    "SlowConsumer",
    "scope_of",
]
