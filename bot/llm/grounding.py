"""Does everything in an automatic answer stand in the passages it was written from?

The model may have been talked into anything by what the customer wrote, so nothing it says is believed:
each number, link, address, name and promise must stand in the passages, and each sentence must be made of
their words and say yes where they say yes. What fails is not sent; the passage itself is given then.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from bot.llm.redact import TOKEN
from db.rulebook.words import people_in, words_of
from followups.answers.passages import SENTENCES
from followups.words.lint import grapheme_length

LONGEST_ANSWER = 400
"""Grapheme clusters; longer answers are not read in a chat."""
SUPPORTED_SHARE = 0.6
"""Of the telling words of a sentence that must stand in the passages."""
_LINK = re.compile(
    r"[a-z][a-z0-9+.-]*://[^\s<>「」、。)）\]]+|(?<![\w@.])www\.[^\s<>「」、。)）\]]+"
    r"|(?<![\w@./-])(?:[a-z0-9-]+(?:\.|\[\.\]|\(\.\)|。))+(?:[a-z]{2,12})(?:/[^\s<>「」、。)）]*)?(?![\w-])",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[\w.+-]+\s?[@＠]\s?[\w.-]+|(?<!\w)[@＠]\w{3,}|(?<![0-9A-Za-z])[UCR][0-9a-f]{32}")
_NUMBER = re.compile(r"\d[\d,.:/\- ー‐‑–—−()]*")
_KANJI_NUMBER = re.compile(
    r"[〇零一二三四五六七八九十百千万]{2,}|[一二三四五六七八九十百千万半]+(?:円|割|%|日|週|か月|ヶ月|年|人|回|倍|額)"
)
_PROMISE = re.compile(
    r"返金|無料|保証|必ず|最安|割引|値引|半額|全額|特典|プレゼント|クーポン|ポイント|約束|補償|賠償|解約金|違約金|タダ|ただで|お得"
    r"|絶対|確実|いつでも|永久|永年|永遠|free|refund|guarantee|discount|coupon|voucher|gift|bonus|credit|promise|compensat"
    r"|waive|lifetime|forever|always|never|reward|cashback|cheapest|lowest",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"ません|ない(?![でく]?(?:か|よう))|なく|ず(?:に|、)|不可|できかね|いたしかね|わけではな|\bnot\b|n['’]t\b|\bno\b|\bnever\b|cannot|without",
    re.IGNORECASE,
)
_POLITE = frozenset(
    {
        "問い合わせ",
        "有り難い",
        "有難い",
        "案内",
        "連絡",
        "尋ねる",
        "回答",
        "自動",
        "応答",
        "次",
        "通り",
        "下記",
        "以下",
    }
) | {"thank", "answer", "follow", "below"}
_THANKS = re.compile(
    r"(?:お問い合わせ|ご質問|ご連絡|お尋ね)?(?:いただき)?、?ありがとうございます[。!]?|(?:次|以下|下記)のとおりです[。:]?"
    r"|ご案内します[。]?|thank you(?: for (?:asking|writing|your question))?[.!]?",
    re.IGNORECASE,
)
"""Says nothing that could be wrong."""
_SPACE = re.compile(r"[\s　]+")


def ungrounded(answer: str, passages: Sequence[str]) -> str | None:
    """Why this answer must not be sent, in one word; None: all of it stands in the passages.

    Returns:
        `length`, `token`, `link`, `address`, `number`, `name`, `promise`, `words`, `polarity` or `empty`.
    """
    text, known = _plain(answer), _plain("\n".join(passages))
    if not text.strip():
        return "empty"
    if grapheme_length(text) > LONGEST_ANSWER:
        return "length"
    if TOKEN.search(text) or "⟦" in text or "⟧" in text or re.search(r"[{}<>|`]", text):
        return "token"
    bare = _SPACE.sub("", known)
    for kind, pattern in (("link", _LINK), ("address", _ADDRESS)):
        if any(_SPACE.sub("", found) not in bare for found in pattern.findall(text)):
            return kind
    if _numbers(text) - _numbers(known):
        return "number"
    if any(not _stands(name, known) for name in people_in(answer)):
        return "name"
    stated = [sentence for sentence in map(str.strip, SENTENCES.findall(known)) if sentence]
    said = [_SPACE.sub("", each) for each in stated]
    for sentence in map(str.strip, SENTENCES.findall(text)):
        if not sentence or any(_SPACE.sub("", sentence).rstrip("。.") in each for each in said):
            continue
        if _PROMISE.search(sentence):
            return "promise"
        if because := _unsupported(sentence, stated):
            return because
    return None


def _stands(name: str, known: str) -> bool:
    return all(part.casefold() in known.casefold() for part in name.split())


def _unsupported(sentence: str, stated: Sequence[str]) -> str | None:
    telling = [word for word in words_of(sentence) if word not in _POLITE]
    if not telling:
        return None if _THANKS.fullmatch(sentence) else "words"
    by_sentence = [set(words_of(each)) for each in stated]
    known: set[str] = set().union(*by_sentence) if by_sentence else set()
    if sum(word in known for word in telling) / len(telling) < SUPPORTED_SHARE:
        return "words"
    nearest = max(range(len(stated)), key=lambda number: len(by_sentence[number] & set(telling)))
    if bool(_NOT.search(sentence)) is not bool(_NOT.search(stated[nearest])):
        return "polarity"
    return None


def _numbers(text: str) -> set[str]:
    found = {re.sub(r"\D", "", each) for each in _NUMBER.findall(text)}
    return {each for each in found if each} | set(_KANJI_NUMBER.findall(text))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", re.sub(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]", "", text))
