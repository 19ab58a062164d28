"""Are our modals ones that Slack opens, and is what was filled in read with care?"""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.ids import Target
from bot.slack.limits import validate_view
from bot.slack.modals import Place, Wrong, dismiss_modal, edit_modal, read_modal, snooze_modal

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
