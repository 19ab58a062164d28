"""What would a careful colleague object to in this draft, and what must not leave like this?"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import urlsplit

from bot.llm.redact import TOKEN
from bot.ports import Json
from db.rulebook.words import people_in
from followups.rules.model import Policy
from followups.words.lint import Severity, lint, utf16_length

ECHO_LETTERS = 42
"""A reply may quote the subject, not a whole message of the customer's."""
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
_SPACE = re.compile(r"\s+")
_MAIL = re.compile(
    r"[\w.+-]+\s?[@＠]\s?[\w-]+(?:\.[\w-]+)+|(?<!\w)[@＠]\w{3,}|(?<![\d-])\d{3}-\d{4}(?![\d-])"
)
_WE_CALL = re.compile(
    r"\s?(?:様)?(?:に|へ|宛に|まで)?、?(?:お電話|折り返し|ご連絡)[^。]{0,6}(?:します|いたします|差し上げます)"
)
_PRICE = re.compile(
    r"[¥$€£]\s?\d[\d,.]*|\d[\d,.]*\s?(?:円|万円|億円|ドル|ユーロ|yen|dollars?|usd|jpy|eur|%|割引?|percent)"
    r"|(?:半額|[一二三四五六七八九十百千万]+円)",
    re.IGNORECASE,
)


def check_text(
    text: str,
    *,
    context_texts: Iterable[str],
    policy: Policy,
    language: str = "ja",
    theirs: Iterable[str] = (),
) -> list[Json]:
    """The findings about a text: [{kind, ja, en, is_blocking}].

    Args:
        context_texts: what was said and may be repeated (numbers, prices).
        theirs: what the customer wrote, where that is no `context_texts`: a number of theirs may be said
            only as one that we call.
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
    known_digits, called = _digits(said), _digits(_plain("\n".join(theirs)))
    for found in _PHONE.finditer(plain):
        digits = _digits(found[0])
        is_called = digits in called and _WE_CALL.match(plain, found.end()) is not None
        if len(digits) >= 9 and digits not in known_digits and not is_called:
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


def repeated(text: str, *, theirs: Iterable[str], known: Iterable[str]) -> list[Json]:
    """The findings about what a draft takes over from the customer: names, addresses, whole passages.

    Args:
        known: what we said, and how this customer is called.
    """
    plain, ours = _plain(text), _plain("\n".join(known))
    said = _SPACE.sub("", _plain("\n".join(theirs))).casefold()
    findings: list[Json] = []
    if names := [each for each in sorted(people_in(plain)) if each not in ours and len(each) > 1]:
        findings.append(
            _finding("name", f"お客様以外の名前です: {names[0]}", f"somebody else's name: {names[0]}")
        )
    if found := [each for each in _MAIL.findall(plain) if each not in ours]:
        findings.append(_finding("address", f"会話にない宛先です: {found[0]}", f"an address: {found[0]}"))
    bare = _SPACE.sub("", plain).casefold()
    if any(bare[at : at + ECHO_LETTERS] in said for at in range(len(bare) - ECHO_LETTERS + 1)):
        findings.append(
            _finding("echo", "お客様の文をそのまま繰り返しています", "repeats what the customer wrote")
        )
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
