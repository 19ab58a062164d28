"""What does the form look like in which a rule's values are changed, and what was typed into it? Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.ports import Json
from bot.slack.ids import Action
from bot.slack.mrkdwn import clean, cut, escaped, marked, one_line, plain
from bot.slack.rule_blocks.pages import page, text_blocks
from bot.slack.rule_blocks.steers import Spot
from bot.slack.rule_blocks.words import knows, say
from followups.rules.conditions import Text
from followups.versions.fields import CHOICES, FormField, Kind, changes_of
from followups.words.lint import utf16_length

FIELDS_AT_ONCE = 24
"""Of one page: with notes and problems, well below a modal's 100 blocks and 250 KB."""
MOST_PAGES = 100
"""Options of a menu."""
LINE_UTF16_UNITS = 5_000
MAX_FINDINGS = 3
FIELD = "field"
"""Block ids: `field/3`; action ids: `field.text`, by the kind. `field.page` turns the page."""
TYPING = f"{FIELD}.{Kind.TEXT.value}"
PAGE = f"{FIELD}.page"
PEOPLE = "people"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The form as it is shown.

    Attributes:
        typed: what was typed, by the number of the field.
        findings: what the checks found in texts; `wrong`: what the values cannot be, both by number.
        notes: what concerns no single field.
    """

    rule_id: str
    name: str
    version: int
    state: str
    fields: Sequence[FormField]
    page: int = 0
    typed: Mapping[int, str] = field(default_factory=dict)
    findings: Mapping[int, Sequence[str]] = field(default_factory=dict)
    wrong: Mapping[int, Text] = field(default_factory=dict)
    notes: Sequence[str] = ()


def pages_of(fields: Sequence[FormField]) -> list[tuple[str, Sequence[int]]]:
    """(title, numbers of its fields) of each page: conditions and settings first, then texts."""
    groups: list[tuple[str, Sequence[int]]] = [
        ("editing.conditions", [n for n, each in enumerate(fields) if not each.is_wording]),
        ("editing.texts", [n for n, each in enumerate(fields) if each.is_wording]),
    ]
    return [
        (title, numbers[at : at + FIELDS_AT_ONCE])
        for title, numbers in groups
        for at in range(0, len(numbers), FIELDS_AT_ONCE)
    ][:MOST_PAGES]


def page_with(fields: Sequence[FormField], number: int) -> int:
    """The page a field stands on."""
    pages = pages_of(fields)
    return next((at for at, (_, numbers) in enumerate(pages) if number in numbers), 0)


def form_modal(form: Form, spot: Spot) -> Json:
    """One page of the form."""
    language = spot.language
    state = say(form.state, language) if knows(form.state) else form.state
    intro = say(
        "editing.intro",
        language,
        name=escaped(cut(one_line(form.name), 150) or form.rule_id),
        rule=escaped(form.rule_id),
        version=form.version,
        state=state,
    )
    blocks: list[Json] = [{"type": "section", "text": marked(intro)}]
    blocks += [{"type": "context", "elements": [plain(cut(clean(note), 1_900))]} for note in form.notes[:8]]
    pages = pages_of(form.fields)
    if not pages:
        blocks.append({"type": "section", "text": plain(say("editing.nothing", language))})
        return page(Action.RULE_EDIT, "editing", spot, blocks)
    at = min(max(form.page, 0), len(pages) - 1)
    if len(pages) > 1:
        blocks.append(_pager(pages, at, language))
    for number in pages[at][1]:
        blocks += _field_blocks(form, number, language)
    return page(Action.RULE_EDIT, "editing", spot, blocks, submit="editing.next")


def _pager(pages: Sequence[tuple[str, Sequence[int]]], at: int, language: str) -> Json:
    counts: dict[str, int] = {}
    options: list[Json] = []
    for number, (title, _) in enumerate(pages):
        counts[title] = counts.get(title, 0) + 1
        options.append({"text": plain(f"{say(title, language)} {counts[title]}"), "value": str(number)})
    select = {
        "type": "static_select",
        "action_id": PAGE,
        "placeholder": plain(say("editing.page", language)),
        "options": options,
        "initial_option": options[at],
    }
    return {"type": "actions", "block_id": f"{FIELD}/page", "elements": [select]}


def _field_blocks(form: Form, number: int, language: str) -> list[Json]:
    each = form.fields[number]
    typed = form.typed.get(number, each.shown)
    block: Json = {
        "type": "input",
        "block_id": f"{FIELD}/{number}",
        "optional": not each.shown,
        "label": plain(cut(one_line(each.label), 150) or each.kind.value),
        "element": _element(each, typed),
    }
    hint = one_line(each.hint.ja if language.startswith("ja") else each.hint.en)
    if hint:
        block["hint"] = plain(cut(hint, 300))
    if each.kind is Kind.TEXT:
        block["dispatch_action"] = True
    notes = []
    if (problem := form.wrong.get(number)) is not None:
        words = problem.ja if language.startswith("ja") else problem.en
        notes.append(plain(cut(say("problem", language, problem=one_line(words)), 1_000)))
    if each.kind is Kind.TEXT:
        count = utf16_length(typed)
        sign = "⚠️ " if count > LINE_UTF16_UNITS else ""
        length = say("editing.length", language, count=f"{count:,}", most=f"{LINE_UTF16_UNITS:,}")
        notes.append(plain(sign + length))
        findings = form.findings.get(number, ())
        notes += [
            plain(f"⚠️ {cut(one_line(told), 150)}") for told in findings[:MAX_FINDINGS] if one_line(told)
        ]
    return [block, {"type": "context", "elements": notes}] if notes else [block]


def _element(each: FormField, typed: str) -> Json:
    action_id = f"{FIELD}.{each.kind.value}"
    key = str(each.path[-1])
    if each.kind is Kind.CHOICE:
        options = [{"text": plain(word), "value": word} for word in CHOICES[key]]
        chosen = next((option for option in options if option["value"] == typed), None)
        return {
            "type": "static_select",
            "action_id": action_id,
            "placeholder": plain(key),
            "options": options,
            **({"initial_option": chosen} if chosen is not None else {}),
        }
    element: Json = {
        "type": "plain_text_input",
        "action_id": action_id,
        "multiline": each.kind in {Kind.TEXT, Kind.VALUES},
        "max_length": 3_000 if each.kind in {Kind.TEXT, Kind.VALUES} else 200,
    }
    shown = clean(typed)[: element["max_length"]]
    if shown.strip():
        element["initial_value"] = shown
    if each.kind is Kind.TEXT:
        element["dispatch_action_config"] = {"trigger_actions_on": ["on_character_entered"]}
    return element


def typed_in(view: Mapping[str, Any]) -> dict[int, str]:
    """What stands in the form's inputs, by the number of the field; empty ones too."""
    values = (view.get("state") or {}).get("values") or {}
    typed: dict[int, str] = {}
    for block_id, held in values.items():
        name, _, number = str(block_id).partition("/")
        if name != FIELD or not (number.isascii() and number.isdecimal()) or not isinstance(held, Mapping):
            continue
        for element in held.values():
            chosen = (element.get("selected_option") or {}).get("value")
            typed[int(number)] = clean(str(element.get("value") or chosen or ""))
    return typed


def read_form(view: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with what was typed, by block id, as far as the view alone can tell; nothing when fine.

    Whether the rule as a whole makes sense is found out afterwards.
    """
    spot = Spot.decode(view.get("private_metadata"))
    language = spot.language if spot else "ja"
    kinds: dict[int, Kind] = {}
    required: set[int] = set()
    for block in view.get("blocks") or []:
        name, _, number = str(block.get("block_id")).partition("/")
        kind = str((block.get("element") or {}).get("action_id")).partition(".")[2]
        if name == FIELD and number.isdecimal() and kind in set(Kind):
            kinds[int(number)] = Kind(kind)
            if not block.get("optional"):
                required.add(int(number))
    wrong: dict[str, str] = {}
    for at, text in typed_in(view).items():
        if at not in kinds or (not text.strip() and at not in required):
            continue
        stand_in = FormField(
            path=("again_after",), kind=kinds[at], value=None, label="", hint=Text(ja="", en="")
        )
        if kinds[at] is Kind.CHOICE:
            continue
        _, found = changes_of([stand_in], {0: text or " "})
        if not text.strip():
            wrong[f"{FIELD}/{at}"] = say("editing.empty", language)
        elif found:
            wrong[f"{FIELD}/{at}"] = found[0].ja if language.startswith("ja") else found[0].en
    return wrong


# --- the second step ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What a change does. `before`, `after`: (customers who match, messages if sent now); None: not known.

    Attributes:
        people: customers under way.
        shared: other rules that use the text.
        lines: the difference of the files.
    """

    words: Sequence[Text]
    before: tuple[int, int] | None
    after: tuple[int, int] | None
    people: int
    shared: Sequence[str] = ()
    lines: Sequence[str] = ()


def review_modal(review: Review, spot: Spot) -> Json:
    """The difference, whom it concerns, and the last question before it is saved."""
    language = spot.language
    is_ja = language.startswith("ja")
    if not review.words:
        blocks: list[Json] = [{"type": "section", "text": plain(say("editing.same", language))}]
        return page(Action.RULE_EDIT, "editing", spot, blocks)
    blocks = [{"type": "header", "text": plain(say("editing.changes", language))}]
    blocks += text_blocks(
        [f"・{cut(each.ja if is_ja else each.en, 1_500)}" for each in review.words],
        most=20,
        language=language,
    )
    if review.before is not None and review.after is not None:
        counts = "\n".join(
            say(key, language, before=f"{one:,}", after=f"{other:,}")
            for key, one, other in (
                ("editing.matched", review.before[0], review.after[0]),
                ("editing.sends", review.before[1], review.after[1]),
            )
        )
        blocks.append({"type": "section", "text": marked(counts)})
    if review.shared:
        words = say("editing.shared", language, rules=cut(", ".join(review.shared), 500))
        blocks.append({"type": "context", "elements": [plain(words)]})
    if review.people:
        options = [
            {"text": plain(say(f"editing.{word}", language)), "value": word} for word in ("keep", "move")
        ]
        blocks.append(
            {
                "type": "input",
                "block_id": PEOPLE,
                "label": plain(say("editing.people", language, people=f"{review.people:,}")),
                "element": {
                    "type": "radio_buttons",
                    "action_id": PEOPLE,
                    "options": options,
                    "initial_option": options[0],
                },
            }
        )
    if review.lines:
        blocks.append({"type": "divider"})
        blocks += text_blocks(review.lines, most=10, language=language)
    return page(Action.RULE_EDIT, "editing", spot, blocks, submit="editing.save")


def read_review(view: Mapping[str, Any]) -> dict[str, str]:
    """`{people: keep | move}`."""
    values = (view.get("state") or {}).get("values") or {}
    chosen = ((values.get(PEOPLE) or {}).get(PEOPLE) or {}).get("selected_option") or {}
    return {PEOPLE: "move" if chosen.get("value") == "move" else "keep"}


def stored(typed: Mapping[int, str]) -> dict[str, str]:
    """As JSON keeps it."""
    return {str(number): text for number, text in typed.items()}


def restored(typed: Mapping[str, Any]) -> dict[int, str]:
    """From JSON."""
    return {int(number): str(text) for number, text in typed.items() if str(number).isdecimal()}


def size_of(view: Json) -> int:
    """How many bytes Slack counts of a view."""
    return len(json.dumps(view, ensure_ascii=False).encode("utf-8", "surrogatepass"))
