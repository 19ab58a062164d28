"""What would a careful colleague object to in a text meant for customers?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import regex

from followups.rules.conditions import Text

MAX_TEXT = 5000
"""UTF-16 code units of a LINE text message."""
MAX_BUBBLE_TEXT = 3500
"""UTF-16 code units of a text in a bubble with a button: 30 KB of JSON hold it all, a kana takes 6 bytes."""
MAX_LABEL = 20
"""Grapheme clusters of a quick reply's or template button's label on LINE."""

_SHORTEST = 60
_LONGEST = {"ja": 140}
_LONGEST_ELSE = 280

_SLOT = re.compile(r"\{[^{}]*\}")
_LEFT_OPEN = re.compile(
    r"\{[^{}]*\}|\{\{|\}\}|[○〇]{2,}|(?:^|\n)[ \u3000]*様|\bundefined\b|\bNone\b|\bnull\b"
)
_LINK = re.compile(r"https?://\S+", re.IGNORECASE)
_HALF_KANA = re.compile(r"[\uff66-\uff9f]")
_DOUBLE_HONORIFIC = re.compile(
    r"(?:ご覧|お越し|お帰り|お見え|お召し上がり)になられ|おっしゃられ|お(?:伺い|うかがい)(?:いた|させていただ|申し上げ)"
    r"|ご拝見|拝見させていただ|お越しになられ|お[^\s、。]{1,6}になられ|各位様|様殿|させていただければと存じ"
)
_WATCHING = re.compile(
    r"\d+\s*(?:日|週間|か月|ヶ月|時間)(?:間|以上)?[^。\n]{0,12}(?:ログイン|ご利用|アクセス|ご来店|ご購入)[^。\n]{0,8}"
    r"(?:ない|なく|ありません|いません|おりません|ございません)"
    r"|ログイン(?:が|を)?[^。\n]{0,6}(?:確認でき|していません|されていません|ありません|ございません)"
    r"|(?:閲覧|ご覧になっ|訪問|クリックされ)[^。\n]{0,10}(?:ていました|たようです|たことを確認|履歴)"
    r"|(?:昨夜|昨晩|先ほど)[^。\n]{0,12}(?:ご覧|閲覧|ログイン)|行動履歴|アクセス履歴"
    r"|(?:we|we've|i) (?:have )?(?:noticed|saw|seen|see) (?:that )?(?:you|your)"
    r"|you (?:have not|haven't|did not|didn't) (?:logged|log|signed|sign|visited|visit|used|use|opened|open)"
    r"|(?:tracking|monitoring|watching) (?:you|your)",
    re.IGNORECASE,
)
_PROMISES = ("返金", "無料", "保証", "必ず", "最安")
_PROMISES_EN = re.compile(
    r"\b(?:refunds?|money back|free of charge|for free|guarantee[ds]?|lowest price)\b", re.IGNORECASE
)
_STIFF = re.compile(
    r"お世話になっております|平素(?:は|より)|よろしかったでしょうか|(?:ご査収|ご高覧|ご用命)|何卒よろしくお願い申し上げ"
    r"|させていただいております|恐れ入りますがお手数"
)
_ENDING = re.compile(
    r"(?:(です|ます|ません|でした|ました|ましょう|ください|下さい|でしょう)|(?:である|だった|のだ|べきだ|(?<=[一-龠々])だ))"
    r"(?:か|ね|よ)?(?:。|$)",
    re.MULTILINE,
)
"""Ends of sentences: polite (group 1) or plain."""
_URGING = re.compile(r"本日限り|今すぐ|お急ぎください|残りわずか|[!！]{2,}|★")


class Severity(StrEnum):
    """`error`: not to be sent. `warning`: better changed."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One objection.

    Attributes:
        kind: a fixed word (`length`, `questions`, `links`, `honorific`, `surveillance`, `promise`, `slot`,
            `register`, `kana`, `urgency`).
    """

    kind: str
    severity: Severity
    because: Text


def utf16_length(text: str) -> int:
    """UTF-16 code units, as LINE counts texts (🍎 is 2). A lone surrogate counts as 1."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def grapheme_length(text: str) -> int:
    """Grapheme clusters, as LINE counts labels (👨‍👩‍👧 is 1)."""
    return len(regex.findall(r"\X", text))


def _finding(kind: str, ja: str, en: str, severity: Severity = Severity.WARNING) -> Finding:
    return Finding(kind=kind, severity=severity, because=Text(ja=ja, en=en))


def _length(text: str, language: str, *, is_answer: bool = False) -> list[Finding]:
    if utf16_length(text) > MAX_TEXT:
        return [_finding("length", f"{MAX_TEXT}字を超えています", f"over {MAX_TEXT} units", Severity.ERROR)]
    size = grapheme_length(_LINK.sub("", text))
    longest = _LONGEST.get(language, _LONGEST_ELSE)
    if (is_answer or size >= _SHORTEST) and size <= longest:
        return []
    return [
        _finding(
            "length",
            f"{size}字です（目安は{_SHORTEST}〜{longest}字）",
            f"{size} characters ({_SHORTEST} to {longest} read best)",
        )
    ]


def lint(
    text: str,
    *,
    language: str = "ja",
    is_template: bool = False,
    has_button: bool = False,
    is_answer: bool = False,
) -> tuple[Finding, ...]:
    """What is wrong with a text for customers; nothing when it is fine.

    Args:
        is_template: placeholders are allowed, and count as three characters.
        has_button: a button's link counts as the one link.
        is_answer: it answers what was asked, so it may be short.
    """
    found: list[Finding] = []
    body = _SLOT.sub("〇", text).replace("〇", "田中花") if is_template else text
    if not text.strip():
        return (_finding("length", "本文が空です", "the text is empty", Severity.ERROR),)
    found += _length(body, language, is_answer=is_answer)
    if len(re.findall(r"[?？]|(?:ません|です|ます|でしょう)か(?=[。\s]|$)", body)) > 1:
        found.append(_finding("questions", "質問は1つまでにします", "ask one question at most"))
    links = len(_LINK.findall(body)) + (1 if has_button else 0)
    if links > 1:
        found.append(_finding("links", "リンクは1つまでです", "one link at most", Severity.ERROR))
    if match := _DOUBLE_HONORIFIC.search(body):
        found.append(_finding("honorific", f"二重敬語です: {match[0]}", f"double honorific: {match[0]}"))
    if match := _WATCHING.search(body):
        ja = f"見張られていると感じさせます: {match[0]}"
        found.append(_finding("surveillance", ja, f"sounds like watching: {match[0]}", Severity.ERROR))
    promises = [word for word in _PROMISES if word in body]
    promises += [match[0] for match in _PROMISES_EN.finditer(body)]
    if promises:
        listed = ", ".join(dict.fromkeys(promises))
        ja, en = f"約束になる言葉です: {listed}", f"promises what may not be kept: {listed}"
        found.append(_finding("promise", ja, en, Severity.ERROR))
    if match := _LEFT_OPEN.search(body):
        ja = f"埋まっていない所があります: {match[0].strip()}"
        found.append(_finding("slot", ja, f"a slot is left open: {match[0].strip()}", Severity.ERROR))
    if match := _STIFF.search(body):
        ja, en = f"チャットには硬い表現です: {match[0]}", f"stiff for a chat: {match[0]}"
        found.append(_finding("register", ja, en))
    if language == "ja" and len({bool(match[1]) for match in _ENDING.finditer(body)}) > 1:
        ja = "「です・ます」と「だ・である」が混ざっています"
        found.append(_finding("register", ja, "mixes the polite and the plain style"))
    if match := _HALF_KANA.search(body):
        found.append(_finding("kana", f"半角カナです: {match[0]}", f"half-width kana: {match[0]}"))
    if match := _URGING.search(body):
        found.append(_finding("urgency", f"急かす表現です: {match[0]}", f"urges: {match[0]}"))
    return tuple(found)
