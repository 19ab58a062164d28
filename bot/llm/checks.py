"""What would a careful colleague object to in this draft, and what must not leave like this?"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import urlsplit

from bot.llm.redact import TOKEN
from bot.ports import Json
from followups.lint import Severity, lint, utf16_length
from followups.rules.model import Policy

LONGEST_DRAFT = 1_000
"""UTF-16 units; a reply in a chat is far shorter."""
_LINK = re.compile(
    r"!?\[[^\]]*\]\([^)]*\)|[a-z][a-z0-9+.-]*://[^\s<>「」、。)）\]]+|(?<![\w@.])www\.[^\s<>「」、。)）\]]+",
    re.IGNORECASE,
)
_BARE_HOST = re.compile(
    r"(?<![\w@./-])(?:[a-z0-9-]+\.)+(?:com|net|org|jp|io|app|dev|me|info|biz|xyz|shop|site|link|ly|gl|cc|ru|cn|tk)"
    r"(?:/[^\s<>「」、。)）]*)?(?![\w-])",
    re.IGNORECASE,
)
_PHONE = re.compile(r"(?<!\d)\+?\d[\d\-() ー‐‑–—−]{7,}\d(?!\d)")
_PRICE = re.compile(
    r"[¥$€£]\s?\d[\d,.]*|\d[\d,.]*\s?(?:円|万円|億円|ドル|ユーロ|yen|dollars?|usd|jpy|eur|%|割引?|percent)"
    r"|(?:半額|[一二三四五六七八九十百千万]+円)",
    re.IGNORECASE,
)


def check_text(
    text: str, *, context_texts: Iterable[str], policy: Policy, language: str = "ja"
) -> list[Json]:
    """The findings about a text: [{kind, ja, en, is_blocking}].

    Args:
        context_texts: what was said and may be repeated (numbers, prices).
    """
    is_too_long = utf16_length(text) > LONGEST_DRAFT
    text = text[:LONGEST_DRAFT]  # it is refused as too long; the patterns need not read it to its end
    plain, said = _plain(text), _plain("\n".join(context_texts))
    findings = [
        _finding(each.kind, each.because.ja, each.because.en, is_blocking=each.severity is Severity.ERROR)
        for each in lint(text, language=language)
        if each.kind != "length" or each.severity is Severity.ERROR
    ]
    if foreign := foreign_links(text, policy):
        findings.append(
            _finding(
                "links",
                f"許可されていないリンクです: {foreign[0]}",
                f"link that is not allowed: {foreign[0]}",
            )
        )
    known_digits = _digits(said)
    for match in _PHONE.findall(plain):
        if len(_digits(match)) >= 9 and _digits(match) not in known_digits:
            findings.append(
                _finding("phone", "会話にない電話番号です", "a telephone number nobody mentioned")
            )
            break
    if unknown := [
        match for match in _PRICE.findall(plain) if match.replace(" ", "") not in said.replace(" ", "")
    ]:
        findings.append(
            _finding(
                "price",
                f"会話にない金額・割合です: {unknown[0]}",
                f"an amount nobody mentioned: {unknown[0]}",
            )
        )
    if TOKEN.search(text) or "⟦" in text or "⟧" in text:
        findings.append(_finding("token", "置き換え記号が残っています", "a placeholder is left"))
    if is_too_long:
        findings.append(_finding("length", "長すぎます", "too long"))
    return findings


def foreign_links(text: str, policy: Policy) -> list[str]:
    """Links in the text to hosts that are not allowed (`link_hosts`), as written."""
    allowed = {host.lower() for host in policy.link_hosts}
    plain = _plain(text)
    return [
        each for each in (*_LINK.findall(plain), *_BARE_HOST.findall(plain)) if _host(each) not in allowed
    ]


def without_links(text: str, policy: Policy) -> str:
    """The text with every link removed that leads elsewhere than allowed."""
    for each in foreign_links(text, policy):
        text = text.replace(each, "")
    return text


def _host(link: str) -> str:
    written = link if "://" in link else f"https://{link}"
    try:
        split = urlsplit(written)
        if split.scheme not in {"http", "https"} or split.username is not None:
            return ""
        return (split.hostname or "").lower()
    except ValueError:
        return ""


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _digits(text: str) -> str:
    return "".join(each for each in text if each.isdecimal())


def _finding(kind: str, ja: str, en: str, *, is_blocking: bool = True) -> Json:
    return {"kind": kind, "ja": ja, "en": en, "is_blocking": is_blocking}
