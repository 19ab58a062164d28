"""What does the model see instead of personal data, and how does that come back into its words?"""

from __future__ import annotations

import re
from collections.abc import Iterable

_HYPHEN = r"[-－ー‐‑–—−]"
_DIGIT = r"[0-9０-９]"
_GAP = rf"(?:[ 　]|{_HYPHEN})?"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("mail", re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+[@＠][A-Za-z0-9-]+(?:[.．][A-Za-z0-9-]+)+")),
    ("line_id", re.compile(r"(?<![0-9A-Za-z])[UCR][0-9a-f]{32}(?![0-9A-Za-z])")),
    ("card", re.compile(rf"(?<!{_DIGIT})(?:{_DIGIT}{{4}}{_GAP}){{3}}{_DIGIT}{{1,4}}(?!{_DIGIT})")),
    (
        "phone",
        re.compile(
            rf"(?<!{_DIGIT})(?:[+＋]{_DIGIT}{{1,3}}[ 　]?(?:{_HYPHEN})?)?[(（]?{_DIGIT}{{1,5}}[)）]?"
            rf"(?:[ 　]|{_HYPHEN})?[(（]?{_DIGIT}{{1,4}}[)）]?(?:[ 　]|{_HYPHEN})?{_DIGIT}{{3,4}}(?!{_DIGIT})"
        ),
    ),
    ("postcode", re.compile(rf"〒[ 　]?{_DIGIT}{{3}}{_HYPHEN}?{_DIGIT}{{4}}")),
    ("postcode", re.compile(rf"(?<!{_DIGIT}){_DIGIT}{{3}}{_HYPHEN}{_DIGIT}{{4}}(?!{_DIGIT})")),
    (
        "address",
        re.compile(
            r"(?:北海道|東京都|(?:大阪|京都)府|[\u4e00-\u9fff]{2,3}県)[\u3040-\u30ff\u4e00-\u9fff々ヶ]{1,12}[市区町村郡]"
            rf"[^\s、。,]{{0,30}}|[\u4e00-\u9fff]{{1,6}}[市区町村][\u3040-\u30ff\u4e00-\u9fff々ヶ]{{1,12}}(?:{_DIGIT}|{_HYPHEN}|丁目|番地?|号)+"
        ),
    ),
)
_MIN_PHONE_DIGITS = 9
TOKEN = re.compile(r"⟦[^⟦⟧]{1,40}⟧")
_OPENING = re.compile(r"(?:(?:Hi|Hello|Dear) )?⟦name⟧(?:様|さま|さん)?(?:[、,] ?|\n)?")


class Redactor:
    """Replaces what identifies one customer by tokens, and puts it back. One per conversation.

    The same thing gets the same token, so that the model can still tell things apart.
    """

    def __init__(self, *, name: str | None, company: str | None = None, ids: Iterable[str] = ()) -> None:
        """`name`, `company` as known; `ids`: external and LINE ids. All are replaced wherever they stand."""
        self._originals: dict[str, str] = {}
        self._known: list[tuple[str, str]] = []
        self._has_name = bool(name and name.strip())
        if name and name.strip():
            parts = name.split()
            self._originals["⟦name⟧"] = parts[0]
            self._known.append((name.strip(), "⟦name⟧"))
            self._known += [
                ("".join(parts), "⟦name⟧"),
                *((part, "⟦name⟧") for part in parts if len(part) > 1),
            ]
        if company and company.strip():
            self._originals["⟦company⟧"] = company.strip()
            self._known.append((company.strip(), "⟦company⟧"))
        self._known += [(each, "⟦id⟧") for each in ids if len(each) > 3]
        self._known.sort(key=lambda pair: -len(pair[0]))

    def hide(self, text: str) -> str:
        """The text with tokens in the place of personal data."""
        hidden = text.replace("⟦", "[").replace("⟧", "]")
        for kind, pattern in _PATTERNS:
            hidden = _outside_tokens(
                hidden, lambda part, k=kind, p=pattern: p.sub(lambda m: self._token(k, m[0]), part)
            )
        for known, token in self._known:
            hidden = _outside_tokens(hidden, lambda part, k=known, t=token: part.replace(k, t))
        return hidden

    def restore(self, text: str) -> str:
        """The text with what the tokens stand for; a salutation without a name is dropped.

        Tokens that were never given out stay, for the checks to find.
        """
        if not self._has_name:
            text = _OPENING.sub("", text)
            text = text[:1].upper() + text[1:]
        return TOKEN.sub(lambda match: self._originals.get(match[0], match[0]), text)

    def _token(self, kind: str, original: str) -> str:
        if kind == "phone" and sum(each.isdigit() for each in original) < _MIN_PHONE_DIGITS:
            return original
        for token, known in self._originals.items():
            if known == original:
                return token
        number = sum(token.startswith(f"⟦{kind}") for token in self._originals) + 1
        token = f"⟦{kind}{number}⟧"
        self._originals[token] = original
        return token


def _outside_tokens(text: str, change: object) -> str:
    assert callable(change)
    parts = re.split(r"(⟦[^⟦⟧]{1,40}⟧)", text)
    return "".join(part if TOKEN.fullmatch(part) else change(part) for part in parts)
