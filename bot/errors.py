"""What can go wrong that is not a bug?"""

from __future__ import annotations


class Refused(Exception):
    """Someone asked for what cannot be done; shown to them as written."""

    def __init__(self, ja: str, en: str) -> None:
        super().__init__(en)
        self.ja = ja
        self.en = en

    def in_language(self, language: str) -> str:
        """The sentence in the reader's language ("ja…" or anything else)."""
        return self.ja if language.lower().startswith("ja") else self.en


class Unavailable(Exception):
    """Somebody else's server is down or slow; to be tried again."""

    def __init__(self, what: str, *, retry_after: float | None = None) -> None:
        super().__init__(what)
        self.retry_after = retry_after


class Misconfigured(Exception):
    """The program cannot start like this; the message says how to fix it."""
