"""Which everyday slip made a text no YAML: a tab, a full-width colon, a missing space or quote?"""

from __future__ import annotations

import re

_KEY = r"^[ \u3000]*(?:- +)?[\w.-]+"
_WIDE_COLON = re.compile(_KEY + r"(?P<at>：)")
_TIGHT_COLON = re.compile(r"^[ \u3000]*(?:- +)?[A-Za-z_][\w.-]*(?P<at>:)[^\s/]")
_WIDE_SPACE = re.compile(r"^[ ]*(?P<at>\u3000)")
_TAB = re.compile(r"^[ ]*(?P<at>\t)")
_BRACE_TEXT = re.compile(r"(?:: |- )(?P<at>\{[\w.]+\})[^\s,}\]]")
_OPENER = re.compile(r"(?:: +|- +)(?P<at>[@`%|>&*!])")
_TWO_COLONS = re.compile(_KEY + r": +[^\"'{\[\s].*(?P<at>: )")
_WIDE = re.compile(r"[\uff01-\uff5e]")

_SLIPS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (
        _TAB,
        "字下げにタブは使えません（半角の空白にしてください）",
        "a tab cannot indent (use spaces)",
    ),
    (
        _WIDE_SPACE,
        "字下げに全角の空白は使えません（半角の空白にしてください）",
        "a full-width space cannot indent (use plain spaces)",
    ),
    (
        _WIDE_COLON,
        "全角の「：」は使えません（半角の「:」と空白にしてください。例: id: welcome）",
        "the full-width colon “：” is not read (write “: ”, for example id: welcome)",
    ),
    (
        _TIGHT_COLON,
        "「:」の後に空白がありません（例: id: welcome）",
        "there is no space after the colon (for example id: welcome)",
    ),
    (
        _BRACE_TEXT,
        '{…} で始まる文は引用符で囲んでください（例: "{customer.name}様"）',
        'text that begins with {…} needs quotes (for example "{customer.name}様")',
    ),
    (
        _OPENER,
        'この記号で始まる値は引用符で囲んでください（例: "@…"）',
        'a value that begins with this sign needs quotes (for example "@…")',
    ),
    (
        _TWO_COLONS,
        '「: 」を含む文は引用符で囲んでください（例: "お知らせ: 本日まで"）',
        'text that holds “: ” needs quotes (for example "Note: until today")',
    ),
)


def slip(text: str, line: int) -> tuple[int, int, str, str] | None:
    """The slip on or just above the line (from 1) where reading stopped: line, column, ja, en; None: unknown.

    Reading often stops only on the line after the slip, so the two lines that hold something above it are
    looked at too, nearest first.
    """
    lines = re.split(r"\r\n|\r|\n", text)
    filled = [number for number in range(min(line, len(lines)), 0, -1) if lines[number - 1].strip()]
    for number in filled[:3]:
        for pattern, ja, en in _SLIPS:
            if (found := pattern.search(lines[number - 1][:1000])) is not None:
                return number, found.start("at") + 1, ja, en
    return None


def narrow(word: str) -> str | None:
    """The word in half-width characters, when it holds full-width letters, digits or signs; else None."""
    found = _WIDE.sub(lambda wide: chr(ord(wide[0]) - 0xFEE0), word).replace("\u3000", " ").strip()
    return found if found != word.strip() or "\u3000" in word else None
