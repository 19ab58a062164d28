"""Is a page read into passages with their sources, and are labelled questions covered as they should?"""

from __future__ import annotations

from db.rulebook.words import words_of
from followups.answers.passages import COVERED_FROM, coverage, extract, fused, read_page
from tests.flows.knowledge import PAGES
from tests.followups.answers.labelled import QUESTIONS


def test_each_heading_is_a_passage_and_its_marks_are_gone() -> None:
    page = (
        "# 料金\n\n## プラン\n**月額**は[こちら](https://a.example/p)です。\n- 一\n- 二\n\n"
        "## 解約\nいつでもできます。\n"
    )
    passages, problems = read_page(page, path="a.md")
    assert problems == []
    assert [(each.source, each.text) for each in passages] == [
        ("a.md#プラン", "月額はこちら https://a.example/pです。\n・一\n・二"),
        ("a.md#解約", "いつでもできます。"),
    ]


def test_a_page_without_a_heading_is_told_as_such() -> None:
    _, problems = read_page("ただの文です。", path="a.md")
    assert [str(problem.line) for problem in problems] == ["1"]


def test_an_answer_ends_with_a_sentence() -> None:
    text = "一つ目の文です。" * 60
    assert extract(text).endswith("。")
    assert len(extract(text)) <= 280


def test_orders_are_fused_by_rank() -> None:
    assert fused([1, 2, 3], [3, 1, 9]) == [1, 3, 2, 9]


def test_the_threshold_parts_the_labelled_questions() -> None:
    passages = [each for path, text in sorted(PAGES.items()) for each in read_page(text, path=path)[0]]
    bodies = [set(words_of(f"{each.heading}\n{each.text}")) for each in passages]
    headings = [words_of(each.heading.rsplit(" › ", 1)[-1]) for each in passages]
    wrong, missed = [], []
    for question, source in QUESTIONS:
        words = words_of(question)
        held_by = {word: sum(word in body for body in bodies) for word in words}
        scored = [
            (
                coverage(words, heading=heading, body=body, held_by=held_by, passages=len(passages)).score,
                passage.source,
            )
            for passage, heading, body in zip(passages, headings, bodies, strict=True)
        ]
        score, found = max(scored)
        if score >= COVERED_FROM and found != source:
            wrong.append(question)
        if score < COVERED_FROM and source is not None:
            missed.append(question)
    assert wrong == []
    assert len(missed) <= 1, missed
