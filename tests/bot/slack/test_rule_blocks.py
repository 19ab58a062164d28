"""Does everything shown about rules pass Slack's limits, whatever names, texts and numbers there are?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.cards import Written
from bot.slack.ids import Action
from bot.slack.limits import validate_message, validate_view
from bot.slack.rule_blocks.forecast import ForecastShown, forecast
from bot.slack.rule_blocks.form import Form, Review, form_modal, pages_of, review_modal, size_of
from bot.slack.rule_blocks.pages import MOST_MESSAGE, loading, page, text_blocks
from bot.slack.rule_blocks.questions import Question, question
from bot.slack.rule_blocks.reasons import ReasonShown, WhyShown, pick_message, why_message
from bot.slack.rule_blocks.rows import PauseShown, RuleShown, rules_list
from bot.slack.rule_blocks.steers import OPENING, STEERING, Spot, Steer, Subject, steer_of
from bot.slack.rule_blocks.versions import HistoryShown, VersionShown, history_blocks
from followups.rules.conditions import Text
from followups.versions.fields import FormField, Kind, fields_of

NOW = datetime(2026, 11, 24, 1, tzinfo=UTC)
LANGUAGES = st.sampled_from(["ja", "en"])
WILD = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "",
            " ",
            "😀" * 300,
            "🇯🇵" * 300,
            "字" * 4_000,
            "<!channel> <@U1> *a* `b`",
            "\u202e逆",
            "\ud800",
            "a\n" * 900,
        ]
    ),
)
COUNTS = st.integers(0, 10**9)
RULE_IDS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True)
STATES = st.sampled_from(["draft", "shadow", "canary", "live", "paused"])
ACTORS = st.sampled_from(["U0123ABC", "cli", "start", "yorisoi"])
SPOTS = st.builds(
    Spot, subject=st.builds(Subject, name=RULE_IDS, version=COUNTS), channel=st.just("C1"), language=LANGUAGES
)
ROWS = st.builds(
    RuleShown,
    rule_id=RULE_IDS,
    name=WILD,
    state=STATES,
    version=COUNTS,
    matched=COUNTS,
    sent=COUNTS,
    opted_out=COUNTS,
    under_way=COUNTS,
    waiting=COUNTS,
    broken=st.none() | WILD,
)
PAUSES = st.just(PauseShown()) | st.builds(PauseShown, by=ACTORS, at=st.just(NOW), waiting=COUNTS)


def check_message(written: Written) -> None:
    message = {"channel": "C1", "text": written.text, "blocks": written.blocks}
    assert validate_message(message) == []
    assert written.text.strip()
    assert len(written.text) <= 4_000


@settings(max_examples=60, deadline=None)
@given(rules=st.lists(ROWS, max_size=25), pause=PAUSES, language=LANGUAGES, at=st.integers(-2, 9))
def test_every_list_of_rules_is_taken(
    rules: list[RuleShown], pause: PauseShown, language: str, at: int
) -> None:
    check_message(rules_list(rules, pause, language=language, page=at))


@pytest.mark.parametrize("number", [0, 1, 60])
def test_sixty_rules_are_paged_and_none_is_missing(number: int) -> None:
    rules = [RuleShown(rule_id=f"rule-{n}", name="名", state="live", version=1) for n in range(number)]
    seen = ""
    for at in range(7):
        written = rules_list(rules, PauseShown(), language="ja", page=at)
        check_message(written)
        seen += str(written.blocks)
    assert [rule.rule_id for rule in rules if f"`{rule.rule_id}`" not in seen] == []


@settings(max_examples=60, deadline=None)
@given(
    asked=st.builds(
        Question,
        approval_id=st.just(UUID(int=5)),
        rule_id=RULE_IDS,
        rule_name=WILD,
        version=COUNTS,
        is_day=st.booleans(),
        recipients=COUNTS,
        text=WILD,
        state=st.sampled_from(["asked", "approved", "refused", "stale"]),
        answered_by=st.none() | ACTORS,
        answered_at=st.none() | st.just(NOW),
        is_over=st.booleans(),
        waiting=COUNTS,
    ),
    language=LANGUAGES,
)
def test_every_question_is_taken(asked: Question, language: str) -> None:
    check_message(question(asked, language=language))


DAYS = [f"2026-{1 + n // 28:02}-{1 + n % 28:02}" for n in range(120)]


@settings(max_examples=60, deadline=None)
@given(
    number=st.integers(0, 120),
    shown=st.builds(
        ForecastShown,
        rule_id=RULE_IDS,
        rule_name=WILD,
        by=ACTORS,
        state=st.sampled_from(["waiting", "running", "done", "failed"]),
        done=COUNTS,
        total=COUNTS,
        matched=COUNTS,
        by_day=st.lists(COUNTS, min_size=120, max_size=120),
        gates=st.lists(WILD, max_size=20),
        rate=st.none() | WILD,
        notes=st.lists(WILD, max_size=20),
        because=WILD,
    ),
    language=LANGUAGES,
)
def test_every_forecast_is_taken(number: int, shown: ForecastShown, language: str) -> None:
    check_message(
        forecast(replace(shown, by_day=shown.by_day[:number], days=DAYS[:number]), language=language)
    )


@settings(max_examples=60, deadline=None)
@given(
    shown=st.builds(
        WhyShown,
        customer_id=st.just(str(UUID(int=7))),
        name=WILD,
        at=st.text(max_size=30),
        reasons=st.lists(
            st.builds(
                ReasonShown,
                rule_id=RULE_IDS,
                title=WILD,
                lines=st.lists(WILD, max_size=30),
                is_due=st.booleans(),
            ),
            max_size=60,
        ),
        messages=st.lists(WILD, max_size=10),
    ),
    language=LANGUAGES,
)
def test_every_explanation_is_taken(shown: WhyShown, language: str) -> None:
    check_message(why_message(shown, language=language))


@settings(max_examples=40, deadline=None)
@given(labels=st.lists(WILD, min_size=1, max_size=30), word=st.just("") | RULE_IDS, language=LANGUAGES)
def test_every_choice_of_customers_is_taken(labels: list[str], word: str, language: str) -> None:
    found = [(str(UUID(int=n)), label) for n, label in enumerate(labels)]
    check_message(pick_message(found, word=word, language=language))


@settings(max_examples=60, deadline=None)
@given(
    lines=st.lists(WILD, max_size=120),
    spot=SPOTS,
    most=st.integers(1, 40),
)
def test_every_page_of_text_is_taken(lines: list[str], spot: Spot, most: int) -> None:
    blocks = text_blocks(lines, most=most, language=spot.language)
    view = page(Action.RULE_PREVIEW, "preview", spot, blocks)
    assert validate_view(view) == []
    assert validate_view(loading(Action.RULE_EDIT, "editing", spot)) == []
    short = text_blocks(lines, most=MOST_MESSAGE, language=spot.language)
    assert validate_message({"channel": "C1", "text": "x", "blocks": short}) == []


@settings(max_examples=40, deadline=None)
@given(
    versions=st.lists(
        st.builds(
            VersionShown,
            version=COUNTS,
            at=st.just(NOW),
            by=ACTORS,
            origin=st.sampled_from(["file", "edit", "rollback", "new"]),
            changes=st.lists(st.builds(Text, ja=WILD, en=WILD), max_size=12),
            people=COUNTS,
        ),
        max_size=40,
        unique_by=lambda each: each.version,
    ),
    trail=st.lists(st.tuples(st.just(NOW), ACTORS, WILD), max_size=40),
    lines=st.none() | st.lists(WILD, max_size=90),
    spot=SPOTS,
)
def test_every_history_is_taken(
    versions: list[VersionShown], trail: list[tuple[datetime, str, str]], lines: list[str] | None, spot: Spot
) -> None:
    shown = HistoryShown(
        rule_id=spot.subject.name,
        state="live",
        versions=versions,
        trail=trail,
        difference=(3, lines) if lines is not None else None,
    )
    blocks = history_blocks(shown, language=spot.language)
    assert validate_view(page(Action.RULE_HISTORY, "history", spot, blocks)) == []


FIELDS = st.builds(
    FormField,
    path=st.sampled_from([("when", "last", "more_than"), ("approval",), ("then", 0, "send", "text", "ja")]),
    kind=st.sampled_from([each for each in Kind if each is not Kind.CHOICE]),
    value=st.text(max_size=3_000) | st.integers() | st.tuples(st.text(max_size=20)),
    label=WILD,
    hint=st.builds(Text, ja=WILD, en=WILD),
)


@settings(max_examples=40, deadline=None)
@given(
    fields=st.lists(FIELDS, max_size=70),
    typed=st.dictionaries(st.integers(0, 70), WILD, max_size=20),
    wrong=st.dictionaries(st.integers(0, 70), st.builds(Text, ja=WILD, en=WILD), max_size=20),
    findings=st.dictionaries(st.integers(0, 70), st.lists(WILD, max_size=9), max_size=20),
    name=WILD,
    notes=st.lists(WILD.filter(bool), max_size=12),
    spot=SPOTS,
    at=st.integers(-1, 5),
)
def test_every_form_is_taken(
    fields: list[FormField],
    typed: dict[int, str],
    wrong: dict[int, Text],
    findings: dict[int, list[str]],
    name: str,
    notes: list[str],
    spot: Spot,
    at: int,
) -> None:
    form = Form(
        rule_id=spot.subject.name,
        name=name,
        version=3,
        state="live",
        fields=fields,
        page=at,
        typed=typed,
        wrong=wrong,
        findings=findings,
        notes=notes,
    )
    view = form_modal(form, spot)
    assert validate_view(view) == []
    assert size_of(view) < 250_000
    shown = [number for _, numbers in pages_of(fields) for number in numbers]
    assert sorted(shown) == list(range(len(fields)))


@settings(max_examples=40, deadline=None)
@given(
    words=st.lists(st.builds(Text, ja=WILD, en=WILD), max_size=30),
    counts=st.none() | st.tuples(COUNTS, COUNTS),
    people=COUNTS,
    shared=st.lists(RULE_IDS, max_size=60),
    lines=st.lists(WILD, max_size=60),
    spot=SPOTS,
)
def test_every_review_is_taken(
    words: list[Text],
    counts: tuple[int, int] | None,
    people: int,
    shared: list[str],
    lines: list[str],
    spot: Spot,
) -> None:
    review = Review(words=words, before=counts, after=counts, people=people, shared=shared, lines=lines)
    view = review_modal(review, spot)
    assert validate_view(view) == []
    assert size_of(view) < 250_000


@pytest.mark.parametrize("number", [0, 1, 30])
def test_the_form_of_a_rule_with_so_many_conditions_holds_them_all(number: int) -> None:
    conditions = "".join(f"    - {{event: e{n}, last: {{more_than: {n + 1}d}}}}\n" for n in range(number))
    source = f"id: many\nname: 多い\nwhen:\n  all:\n{conditions}" if number else "id: many\nname: 多い\n"
    fields = fields_of(source, {})
    spans = [field for field in fields if field.path[-1] == "more_than"]
    assert len(spans) == number
    for at in range(len(pages_of(fields))):
        form = Form(rule_id="many", name="多い", version=1, state="live", fields=fields, page=at)
        spot = Spot(subject=Subject(name="x"))
        assert validate_view(form_modal(form, spot)) == []


@settings(max_examples=100, deadline=None)
@given(value=st.none() | st.text(max_size=600) | st.integers() | st.dictionaries(st.text(), st.text()))
def test_a_forged_value_is_no_subject_or_one_that_encodes_again(value: object) -> None:
    subject = Subject.decode(value)
    assert subject is None or Subject.decode(subject.encode()) == subject
    body = {"actions": [{"action_id": "rule.toggle", "value": value}], "user": {"id": "U1"}}
    steer = steer_of(body)
    assert steer is None or Steer.decode(steer.encode()) == steer
    assert Spot.decode(value) is None or isinstance(value, str)


def test_every_button_about_rules_either_shows_or_changes() -> None:
    ours = {each for each in Action if each.value.partition(".")[0] in {"rule", "pause", "approval", "why"}}
    assert ours - {Action.RULE_MORE} == OPENING | STEERING
    assert not OPENING & STEERING
