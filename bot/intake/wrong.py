"""How is it said what is wrong with a value that came in, and where?"""

from __future__ import annotations


class Wrong(Exception):
    """One call cannot be taken."""

    def __init__(self, where: str, en: str, ja: str) -> None:
        super().__init__(en)
        self.where = where
        self.en = en
        self.ja = ja


def said(value: object) -> str:
    """A value as a refusal may quote it: short, printable."""
    text = (
        "null"
        if value is None
        else str(value)
        if isinstance(value, str | int | float)
        else type(value).__name__
    )
    short = text if len(text) <= 60 else text[:59] + "…"
    return ascii(short) if not short.isprintable() else f"“{short}”"


def unstorable(content: object, where: str = "") -> Wrong | None:
    """What of this content PostgreSQL cannot hold, and where: NUL, infinite numbers."""
    if isinstance(content, str) and "\0" in content:
        return Wrong(where, "holds a NUL character", "NUL文字は使えません")
    if isinstance(content, float) and content in {float("inf"), float("-inf")}:
        return Wrong(where, "is a number beyond 1.8e308", "数値が大きすぎます（1.8e308まで）")
    if isinstance(content, dict):
        for key, value in content.items():
            shown = key.replace("\0", "\\u0000")
            path = f"{where}.{shown}" if where else shown
            if wrong := unstorable(key, path) or unstorable(value, path):
                return wrong
    if isinstance(content, list):
        for index, value in enumerate(content):
            if wrong := unstorable(value, f"{where}[{index}]"):
                return wrong
    return None
