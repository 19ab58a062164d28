"""Which passages does a page of knowledge hold, and how well does one cover a question?

A page is Markdown; each heading with the text under it is a passage, and is its source by file and heading.
How well a passage covers a question is the share of the question's words it holds, each weighed by how rare
it is among all passages (the idf of BM25), with a part for the heading and one for the nearness in meaning.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from followups.rules.yaml.problems import Problem
from followups.words.lint import grapheme_length

COVERED_FROM = 0.55
"""Below this, a question counts as not covered and goes to a person (set on the labelled questions in the
tests: no question without an answer in the pages reaches it)."""
MOST_LETTERS = 1_200
"""Of one passage; longer ones are cut between paragraphs."""
ANSWER_LETTERS = 280
"""Of an answer in a chat."""
FUSION = 60
"""The constant k of reciprocal rank fusion, Σ 1 / (k + rank) (Cormack, Clarke, Büttcher 2009)."""
_HEADING_SHARE = 0.35
_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*\s*")
_FENCE = re.compile(r"\s*(```|~~~)")
_JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)[^)]*\)")
_EMPHASIS = re.compile(r"(\*\*|__|`)(.+?)\1")
_BULLET = re.compile(r"^\s*[-*+]\s+", re.MULTILINE)
SENTENCES = re.compile(r"[^。！？!?\n]*(?:[。！？!?]+|\.(?=\s|$)|\n|$)")
"""Sentences with their ends; a line is one too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One passage as it may be shown: plain text, without Markdown's marks.

    Attributes:
        path: the file. heading: the headings above it, joined by ` › `.
        language: `ja` or `en`.
    """

    path: str
    heading: str
    text: str
    language: str

    @property
    def source(self) -> str:
        """`billing.md#請求書の発行`."""
        return f"{self.path}#{self.heading.rsplit(' › ', 1)[-1]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How well one passage covers a question, 0 to 1, and which of its words were found."""

    score: float
    found: tuple[str, ...]


def read_page(text: str, *, path: str) -> tuple[list[Passage], list[Problem]]:
    """The passages of one page, in order, and what is wrong with it."""
    passages: list[Passage] = []
    problems: list[Problem] = []
    headings: list[tuple[int, str]] = []
    lines: list[str] = []
    is_fenced = False

    def end() -> None:
        body = _plain("\n".join(lines)).strip()
        lines.clear()
        if body:
            heading = " › ".join(title for _, title in headings)
            passages.extend(_passages(path, heading, body))

    for number, line in enumerate(_COMMENT.sub(_blank, text).splitlines(), start=1):
        if _FENCE.match(line):
            is_fenced = not is_fenced
            continue
        found = None if is_fenced else _HEADING.fullmatch(line)
        if found is None:
            lines.append(line)
            continue
        if not headings and any(each.strip() for each in lines):
            ja = "見出しの前に文があります（# 見出し から始めてください）"
            problems.append(Problem(path, 1, 1, ja, "text before the first heading (begin with # a heading)"))
            lines.clear()
        end()
        level = len(found[1])
        title = _plain(found[2]).strip()
        if not title:
            problems.append(
                Problem(path, number, 1, "見出しが空です（書き足してください）", "an empty heading (name it)")
            )
        headings[:] = [(depth, each) for depth, each in headings if depth < level] + [(level, title)]
    if not headings:
        ja, en = (
            "見出しがありません（# 見出し を書いてください）",
            "no heading (write # and what it is about)",
        )
        problems.append(Problem(path, 1, 1, ja, en))
    else:
        end()
    return passages, problems


def coverage(
    question: Collection[str],
    *,
    heading: Collection[str],
    body: Collection[str],
    held_by: Mapping[str, int],
    passages: int,
    nearness: float | None = None,
) -> Coverage:
    """How well a passage covers a question.

    Args:
        question, heading, body: their words, as `db.rulebook.words` reads them.
        held_by: in how many passages each word of the question stands.
        passages: how many there are.
        nearness: cosine of the embeddings, where there are any.
    """
    if not question:
        return Coverage(score=0.0, found=())
    weight = {word: _rarity(held_by.get(word, 0), passages) for word in question}
    total = sum(weight.values())
    above, below = set(heading), set(body) | set(heading)
    found = tuple(word for word in question if word in below)
    in_all = sum(weight[word] for word in found) / total
    named = sum(_rarity(held_by.get(word, 1), passages) for word in above)
    shared = sum(weight[word] for word in set(question) & above)
    in_heading = shared / max(named, total) if named else 0.0
    score = (1 - _HEADING_SHARE) * in_all + _HEADING_SHARE * min(1.0, 1.6 * in_heading)
    if nearness is not None:
        score = max(score, 0.5 * score + 0.5 * max(0.0, nearness))
    return Coverage(score=round(score, 4), found=found)


def fused(*rankings: Sequence[int]) -> list[int]:
    """Several orders of the same things as one: reciprocal rank fusion."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, each in enumerate(ranking, start=1):
            scores[each] = scores.get(each, 0.0) + 1 / (FUSION + rank)
    return sorted(scores, key=lambda each: (-scores[each], each))


def extract(text: str, *, most: int = ANSWER_LETTERS) -> str:
    """The beginning of a passage that fits a chat: whole sentences, at least one."""
    kept = ""
    for sentence in SENTENCES.findall(text):
        if kept and grapheme_length(kept + sentence) > most:
            break
        kept += sentence
    return kept.strip() if grapheme_length(kept) <= most else kept[: most - 1].strip() + "…"


def language_of(text: str) -> str:
    """`ja` where there is kana or kanji."""
    return "ja" if _JAPANESE.search(text) else "en"


def _rarity(holding: int, passages: int) -> float:
    """How much a word tells; one that stands nowhere tells most, so that its absence counts."""
    return math.log(1 + (passages - holding + 0.5) / (holding + 0.5)) if passages else 1.0


def _passages(path: str, heading: str, body: str) -> list[Passage]:
    parts: list[str] = [""]
    for paragraph in re.split(r"\n\s*\n", body):
        if parts[-1] and len(parts[-1]) + len(paragraph) > MOST_LETTERS:
            parts.append("")
        parts[-1] = f"{parts[-1]}\n{paragraph}".strip()[: 2 * MOST_LETTERS]
    return [
        Passage(path=path, heading=heading, text=part, language=language_of(f"{heading}\n{part}"))
        for part in parts
        if part
    ]


def _plain(text: str) -> str:
    text = _IMAGE.sub(r"\1", text)
    text = _LINK.sub(lambda found: found[1] if found[2].startswith("#") else f"{found[1]} {found[2]}", text)
    text = _EMPHASIS.sub(r"\2", text)
    return _BULLET.sub("・", text)


def _blank(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")
