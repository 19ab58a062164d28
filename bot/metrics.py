"""What is counted for operators? Low-cardinality Prometheus figures; no ids, no names."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

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
