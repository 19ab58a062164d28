"""Do texts read right when values are there, missing, hostile, or in the other language?"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followups.rules.model import MessageTemplate, QuickReply
from followups.words.text import (
    MissingValue,
    Rendered,
    grapheme_length,
    lint,
    missing_value,
    render,
    render_message,
    slots,
    utf16_length,
)
from tests.followups.build import reachable

NAME = {"customer.name": "田中"}
RENDERED = {
    "plain": ("お知らせです。", {}, "お知らせです。"),
    "filled": ("{customer.name}様、お知らせです。", NAME, "田中様、お知らせです。"),
    "salutation dropped": ("{customer.name}様、お知らせです。", {}, "お知らせです。"),
    "blank is missing": ("{customer.name}様、お知らせです。", {"customer.name": " \u3000"}, "お知らせです。"),
    "greeting and name": ("こんにちは、{customer.name}様。お知らせです。", {}, "お知らせです。"),
    "company and name": ("{customer.company} {customer.name}様、お知らせです。", NAME, "お知らせです。"),
    "name on its own line": ("{customer.name}様\nお知らせです。", {}, "お知らせです。"),
    "English": ("Hi {customer.name}, is anything holding you up?", {}, "Is anything holding you up?"),
    "English, Dear": ("Dear {customer.name}:\nyour contract", {}, "Your contract"),
    "elsewhere refuses": ("ご担当は{customer.name}様です。", {}, None),
    "twice refuses": ("{customer.name}様、{customer.name}様のお席です。", {}, None),
    "other value refuses": ("更新は{customer.renewal_date}です。", {}, None),
    "salutation dropped, other refuses": ("{customer.name}様、更新は{customer.day}です。", {}, None),
    "nothing left refuses": ("{customer.name}様、", {}, None),
    "staff name refuses": ("{staff.name}です。", {}, None),
    "honorific twice": ("{customer.name}様、", {"customer.name": "田中様"}, "田中様、"),
    "date": ("{customer.day}まで", {"customer.day": "2026-12-03"}, "12月3日(木)まで"),
    "number": ("{customer.seats}席", {"customer.seats": 3.0}, "3席"),
    "truth cannot be said": ("{customer.is_vip}", {"customer.is_vip": True}, None),
    "value with braces stays text": (
        "{customer.name}様、x",
        {"customer.name": "{staff.name}"},
        "{staff.name}様、x",
    ),
    "link in a name": ("{customer.name}様、x", {"customer.name": "http://evil.example"}, "X"),
    "control characters": ("{customer.name}様、x", {"customer.name": "田\u202e中\n"}, "田 中様、x"),
    "bad placeholder": ("{x.__class__}", {"x.__class__": "y"}, None),
}


@pytest.mark.parametrize(("template", "values", "expected"), RENDERED.values(), ids=RENDERED)
def test_render(template, values, expected):
    rendered = render(template, values)
    if expected is None:
        assert isinstance(rendered, MissingValue)
    else:
        assert isinstance(rendered, Rendered)
        assert rendered.text == expected


TRICKS = (
    "{x.__class__}",
    "{customer.__class__}",
    "{customer.name.upper}",
    "{customer.name!r}",
    "{customer.name:>999999999}",
    "{customer}",
    "{}",
    "{0}",
    "{{customer.name}}",
    "{customer.{staff.name}}",
    "{staff.password}",
    "{customer.name",
    "customer.name}",
    "{ customer.name }",
    "{Customer.name}",
    "{settings.key}",
    "{customer.name[0]}",
    "{%if x%}",
)


@pytest.mark.parametrize("trick", TRICKS)
def test_template_tricks_are_refused(trick):
    assert slots(trick)[1]
    assert isinstance(render(trick, {"customer.name": "a", "staff.name": "b"}), MissingValue)


@settings(max_examples=500)
@given(st.text(alphabet="{}customer.name様、\nHi ,{staff_x:!", max_size=40), st.none() | st.text(max_size=8))
def test_no_slot_is_ever_shown(template, name):
    rendered = render(template, {"customer.name": name})
    if isinstance(rendered, Rendered) and name is None:
        assert "{" not in rendered.text
        assert "}" not in rendered.text


LENGTHS = {"🍎": (2, 1), "👨‍👩‍👧": (8, 1), "が": (1, 1), "か\u3099": (2, 1), "ab": (2, 2), "": (0, 0)}


@pytest.mark.parametrize(("text", "lengths"), LENGTHS.items(), ids=range(len(LENGTHS)))
def test_lengths_are_counted_as_line_counts(text, lengths):
    assert (utf16_length(text), grapheme_length(text)) == lengths


GOOD = (
    "田中様、設定や使い方で、手が止まっている所はありませんか。"
    "下のボタンから、前回の続きを始められます。困ったときはこのトークに一言お書きください。"
)
LINTED = {
    "good": (GOOD, {}, set()),
    "surveillance": (f"14日間ログインが確認できておりません。{GOOD}", {}, {"surveillance"}),
    "surveillance, polite": (f"しばらくログインがございません。{GOOD}", {}, {"surveillance"}),
    "pages seen": (f"昨夜23時に料金ページをご覧になっていました。{GOOD}", {}, {"surveillance"}),
    "double honorific": (f"ご覧になられましたでしょうか。{GOOD}"[:140], {}, {"honorific", "questions"}),
    "promises": (f"必ず返金します。{GOOD}", {}, {"promise"}),
    "urgency": (f"本日限りのご案内です。{GOOD}", {}, {"urgency"}),
    "half-width kana": (f"ｶﾀｶﾅです。{GOOD}", {}, {"kana"}),
    "slot": (f"{{last_name}}様、{GOOD}", {}, {"slot"}),
    "empty name": (f" 様、{GOOD}", {}, {"slot"}),
    "template slot is fine": (GOOD.replace("田中", "{customer.name}"), {"is_template": True}, set()),
    "two links": (f"https://a.example/ {GOOD} https://b.example/", {}, {"links"}),
    "link and button": (f"https://a.example/ {GOOD}", {"has_button": True}, {"links"}),
    "too short": ("田中様、こんにちは。", {}, {"length"}),
    "too long": (GOOD + GOOD.replace("ませんか", "ません"), {}, {"length"}),
    "empty": ("  ", {}, {"length"}),
    "over LINE's limit": ("あ" * 5001, {}, {"length"}),
    "English": (
        "Hi Tanaka, we noticed you haven't logged in for two weeks. Guaranteed refund if you come back now!",
        {"language": "en"},
        {"surveillance", "promise"},
    ),
}


@pytest.mark.parametrize(("text", "options", "kinds"), LINTED.values(), ids=LINTED)
def test_lint(text, options, kinds):
    assert {finding.kind for finding in lint(text, **options)} == kinds


def test_a_message_is_written_in_the_customers_language():
    template = MessageTemplate(
        name="m",
        text={"ja": "{customer.name}様、こんにちは。", "en": "Hi {customer.name}, hello."},
        button_label={"ja": "開く", "en": "Open"},
        button_url="https://app.example.com/x",
        quick_replies=(
            QuickReply(label={"ja": "困っている", "en": "I'm stuck"}, signal="help", is_lead=True),
        ),
    )
    japanese = render_message(template, reachable())
    assert (japanese.text, japanese.button_label) == ("田中様、こんにちは。", "開く")
    assert japanese.quick_replies[0].label == "困っている"
    assert japanese.quick_replies[0].is_lead
    english = render_message(template, reachable(language="en-GB"))
    assert (english.language, english.text) == ("en", "Hi 田中, hello.")
    assert english.quick_replies[0].label == "I'm stuck"
    assert render_message(template, reachable(language="fr")).language == "ja"


def test_values_known_only_when_writing_do_not_hold_a_message_back():
    template = MessageTemplate(name="m", text={"ja": "{customer.name}様、{staff.name}です。"})
    assert missing_value(template, reachable()) is None
    assert isinstance(render_message(template, reachable()), MissingValue)
    assert render_message(template, reachable(), values={"staff.name": "佐藤"}).text == "田中様、佐藤です。"


@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        ("ご確認ください。設定は完了だ。次はデータの取り込みです。", True),
        ("設定は完了しました。次はデータの取り込みです。", False),
        ("設定は完了だ。次に必要なのはデータである。", False),
        ("平素より格別のお引き立てをいただいています。", True),
    ],
    ids=["polite and plain mixed", "polite", "plain", "stiff for a chat"],
)
def test_one_register_throughout(text: str, is_told: bool) -> None:
    assert ("register" in {finding.kind for finding in lint(text)}) == is_told
