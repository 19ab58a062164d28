"""What is counted for operators? Low-cardinality Prometheus figures; no ids, no names."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

STORIES = Counter("yorisoi_story_rows_total", "Rows a story has dealt with.", ["story"], registry=REGISTRY)
STORY_SECONDS = Histogram(
    "yorisoi_story_seconds",
    "How long one run of a story took.",
    ["story"],
    registry=REGISTRY,
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 60),
)
STORY_FAILURES = Counter(
    "yorisoi_story_failures_total", "Runs of a story that ended in an error.", ["story"], registry=REGISTRY
)
MESSAGES = Counter(
    "yorisoi_messages_total", "Messages that came to an end.", ["kind", "state"], registry=REGISTRY
)
WAITING = Gauge(
    "yorisoi_waiting_rows", "Rows that wait, by kind (10,000: or more).", ["kind"], registry=REGISTRY
)
OLDEST = Gauge(
    "yorisoi_waiting_seconds", "How long the oldest waiting row has been due.", ["kind"], registry=REGISTRY
)
TICK_AGE = Gauge("yorisoi_tick_age_seconds", "Since when time has not been looked at.", registry=REGISTRY)
PAUSED = Gauge("yorisoi_paused", "1 while all follow-ups are paused.", registry=REGISTRY)
DATABASE_UP = Gauge("yorisoi_database_up", "1 when the database answered.", registry=REGISTRY)
