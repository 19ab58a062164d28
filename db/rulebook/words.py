"""Which words does a text hold, however it spells them? For indexing passages and for questions alike.

Japanese by Sudachi's short units in their normalised form (引越し, 引っ越し and ひっこし are one), without
particles and other words that tell nothing; English words by their stem.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import cache, lru_cache
from typing import Any


def _set(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_KEPT = frozenset({"名詞", "動詞", "形容詞", "形状詞", "副詞", "接頭辞", "接尾辞"})
_DROPPED = frozenset({"代名詞", "数詞", "助数詞可能"})
_TELLS_NOTHING = _set("""
    幾ら 仕舞う 為る 有る 居る 成る 出来る 教える 下さる 方法 仕方 遣り方 手順 事 物 所 時 為 訳 方 様
    何 何処 何時 何故 如何 どう どの 願う 御 御- 思う 言う 見る 分かる 知る 質問 問い 場合 良い 無い
    欲しい ちょっと 少し 今 もう まだ とても 可能 必要 遣る 行く 来る 貰う 頂く 致す 御座る 申す 伺う
    聞く さん 様 上 下 中 内 自分 私 此方 其れ 此れ とか はい 済む すみません 様子 内容 件 際 点 的 化
    者 人 日 月 年 分 回 つ 個 度 達 困る 困り 変える 使う 使い方 付ける 置く 出す 入れる 入る 出る
""")
_EMPTY_ENGLISH = _set("""
    a an the i you we they he she it my your our their me us them do does did done is am are was were be
    been being have has had having can could will would shall should may might must how what where when
    why which who whom whose to of in on at by for from with without about into over under as and or but
    not no yes if then than so that this these those there here please tell know want wish like get got
    let make made need help thing way ok just also any some there's what's i'm it's don't doesn't can't
""")
_ENGLISH = re.compile(r"[a-z][a-z0-9'’]*")
_ENGLISH_NAME = re.compile(r"\b[A-Z][a-z]+ [A-Z][a-z]+\b")
_ENDINGS = (
    ("ational", "ate"), ("ization", "ize"), ("fulness", "ful"), ("ousness", "ous"), ("iveness", "ive"),
    ("ations", "ate"), ("ation", "ate"), ("ities", "ity"), ("ies", "y"), ("sses", "ss"),
    ("ments", ""), ("ment", ""),
    ("ings", ""), ("ing", ""), ("edly", ""), ("ied", "y"), ("ed", ""), ("ers", ""), ("er", ""), ("ly", ""),
    ("xes", "x"), ("ches", "ch"), ("shes", "sh"), ("es", "e"), ("s", ""),
)  # fmt: skip
_SHORTEST_STEM = 3
_LONGEST = 2_000
_BROKEN = re.compile(r"[\x00\ud800-\udfff]")
_guard = threading.Lock()


def words_of(text: str) -> list[str]:
    """The telling words of a text, each once, in order."""
    plain = unicodedata.normalize("NFKC", _BROKEN.sub(" ", text))
    found: dict[str, None] = {}
    for start in range(0, len(plain), _LONGEST):
        for word in _read(plain[start : start + _LONGEST]):
            found.setdefault(word)
    return list(found)


@lru_cache(maxsize=2_048)
def _read(text: str) -> tuple[str, ...]:
    with _guard:  # a tokenizer holds state
        return tuple(word for morpheme in _tokenizer().tokenize(text) if (word := _word(morpheme)))


@cache
def _tokenizer() -> Any:
    from sudachipy import Dictionary, SplitMode

    return Dictionary(dict="small").tokenizer(SplitMode.A)


def _word(morpheme: Any) -> str | None:
    surface = morpheme.surface().casefold()
    if _ENGLISH.fullmatch(surface):
        return None if surface in _EMPTY_ENGLISH or len(surface) == 1 else stem(surface)
    kind = morpheme.part_of_speech()
    if kind[0] not in _KEPT or _DROPPED & set(kind[:3]):
        return None
    word = str(morpheme.normalized_form()).casefold()
    if word in _TELLS_NOTHING or (len(word) == 1 and "\u3040" <= word <= "\u30ff"):
        return None
    return stem(word) if _ENGLISH.fullmatch(word) else word


def people_in(text: str) -> set[str]:
    """The names of people in a text, as far as they can be told by words alone."""
    plain = unicodedata.normalize("NFKC", _BROKEN.sub(" ", text))[:_LONGEST]
    with _guard:
        found = {
            morpheme.surface()
            for morpheme in _tokenizer().tokenize(plain)
            if "人名" in morpheme.part_of_speech()[:3]
        }
    return found | set(_ENGLISH_NAME.findall(plain))


def stem(word: str) -> str:
    """An English word without its ending; lighter than Porter's, the same on both sides of a search."""
    word = re.sub(r"['’]s?$", "", word)
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and not (ending == "s" and word.endswith(("ss", "us", "is"))):
            short = word[: len(word) - len(ending)]
            if len(short) >= _SHORTEST_STEM:
                short += instead
                doubled = len(short) > _SHORTEST_STEM and short[-1] == short[-2] and short[-1] not in "lsz"
                word = short[:-1] if doubled and ending in {"ing", "ings", "ed", "er", "ers"} else short
                break
    return word[:-1] if word.endswith("e") and len(word) > _SHORTEST_STEM else word
