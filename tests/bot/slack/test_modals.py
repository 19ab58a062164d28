"""Are our modals ones that Slack opens, and is what was filled in read with care?"""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.slack.ids import Target
from bot.slack.limits import validate_view
from bot.slack.modals import (
    Place,
    Wrong,
    dismiss_modal,
    edit_modal,
    read_modal,
    snooze_modal,
    wish_modal,
)
from bot.slack.modals.editing import Choice, Editing

PLACE = Place(target=Target(lead_id=UUID(int=1), draft_id=UUID(int=2), revision=3), channel="C1")
TODAY = date(2026, 11, 24)


def _view(callback_id: str, values: object) -> dict[str, object]:
    return {"callback_id": callback_id, "private_metadata": PLACE.encode(), "state": {"values": values}}


@given(st.text(max_size=5000), st.sampled_from(["ja", "en"]))
def test_every_text_opens_in_the_edit_modal(text: str, language: str) -> None:
    place = Place(target=PLACE.target, channel="C1", language=language)
    assert validate_view(edit_modal(text, place)) == []


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_other_modals_open_in_every_language(language: str) -> None:
    place = Place(target=PLACE.target, channel=None, language=language)
    assert validate_view(snooze_modal(place)) == []
    assert validate_view(dismiss_modal(place)) == []
    assert Place.decode(place.encode()) == place


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("はい", None),
        ("", "edit.text"),
        (" \n ", "edit.text"),
        ("🍎" * 2500, None),
        ("🍎" * 2501, "edit.text"),
    ],
)
def test_the_text_is_measured_as_line_does(text: str, wrong: str | None) -> None:
    form = read_modal(_view("lead.edit", {"edit.text": {"text": {"value": text}}}), today=TODAY)
    if wrong is None:
        assert form == {"text": text}
    else:
        assert isinstance(form, Wrong)
        assert list(form.errors) == [wrong]


@pytest.mark.parametrize(
    ("span", "picked", "expected"),
    [
        ("1h", None, {"span": "1h"}),
        ("3d", "2026-12-01", {"span": "3d"}),
        ("date", "2026-11-25", {"span": "date", "date": "2026-11-25"}),
        ("date", "2026-11-24", "snooze.date"),
        ("date", None, "snooze.date"),
        ("never", None, "snooze.span"),
    ],
)
def test_a_snooze_needs_a_moment_to_come(span: str, picked: str | None, expected: object) -> None:
    values = {
        "snooze.span": {"span": {"selected_option": {"value": span}}},
        "snooze.date": {"date": {"selected_date": picked}},
    }
    form = read_modal(_view("lead.snooze", values), today=TODAY)
    assert (next(iter(form.errors)) if isinstance(form, Wrong) else form) == expected


def test_a_dismissal_needs_one_of_our_reasons() -> None:
    chosen = {"dismiss.reason": {"reason": {"selected_option": {"value": "duplicate"}}}}
    assert read_modal(_view("lead.dismiss", chosen), today=TODAY) == {"reason": "duplicate"}
    forged = {"dismiss.reason": {"reason": {"selected_option": {"value": "because"}}}}
    assert isinstance(read_modal(_view("lead.dismiss", forged), today=TODAY), Wrong)


@given(st.one_of(st.none(), st.text(), st.dictionaries(st.text(), st.text())))
def test_foreign_views_are_read_without_raising(values: object) -> None:
    for callback_id in ("lead.edit", "lead.snooze", "lead.dismiss", "x"):
        read_modal({"callback_id": callback_id, "private_metadata": values}, today=TODAY)


choices = st.lists(
    st.builds(Choice, value=st.uuids().map(lambda each: f"draft/{each}"), label=st.text(max_size=300)),
    max_size=120,
    unique_by=lambda each: each.value,
).map(tuple)


@given(
    st.builds(
        Editing,
        text=st.text(max_size=5000),
        findings=st.lists(st.text(max_size=400), max_size=12).map(tuple),
        templates=choices,
        versions=st.just(()) | st.just((Choice(value="template/x", label=" "),)),
        taken=st.integers(0, 50),
    ),
    st.sampled_from(["ja", "en"]),
)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_edit_modal_opens_whatever_was_written_found_and_offered(editing: Editing, language: str) -> None:
    view = edit_modal(editing, Place(target=PLACE.target, channel="C1", language=language))
    assert validate_view(view) == []


def test_a_text_that_took_anothers_place_is_read_and_its_errors_stand_under_it() -> None:
    form = read_modal(_view("lead.edit", {"edit.text:3": {"text": {"value": "はい"}}}), today=TODAY)
    assert form == {"text": "はい"}
    wrong = read_modal(_view("lead.edit", {"edit.text:3": {"text": {"value": None}}}), today=TODAY)
    assert isinstance(wrong, Wrong)
    assert list(wrong.errors) == ["edit.text:3"]


@pytest.mark.parametrize(("wish", "is_wrong"), [("短く", False), ("", True), (" ", True)])
def test_a_wish_has_to_say_something(wish: str, is_wrong: bool) -> None:
    form = read_modal(_view("lead.wish", {"wish.text": {"wish": {"value": wish}}}), today=TODAY)
    assert isinstance(form, Wrong) == is_wrong
    assert validate_view(wish_modal(PLACE)) == []
