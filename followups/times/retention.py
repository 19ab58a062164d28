"""For how long is what is no longer needed kept?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Spans after which rows are removed; None: never.

    Attributes:
        events: single events, by whole months. What rules look at stays: signals are kept apart.
        decisions: why a customer got something or did not, except each rule's latest answer.
        inbox: what LINE and Slack sent, once it was dealt with; its words are emptied at once.
        media: pictures and files that customers sent.
    """

    events: timedelta | None = None
    decisions: timedelta | None = timedelta(days=400)
    inbox: timedelta | None = timedelta(days=30)
    media: timedelta | None = timedelta(days=180)
