"""Does our validator refuse what LINE refuses, and nothing else?"""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linebot.v3.messaging import Message

from bot.line.limits import (
    Problem,
    grapheme_len,
    utf16_len,
    validate_action,
    validate_broadcast,
    validate_message,
    validate_messages,
    validate_multicast,
    validate_push,
    validate_reply,
    validate_rich_menu,
)

USER = "U" + "0123456789abcdef" * 2
IMAGE = "https://example.com/a.png"
FAMILY = "👨‍👩‍👧"


def text(words: str = "こんにちは", **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def message_action(label: str = "はい", words: str = "はい") -> dict[str, Any]:
    return {"type": "message", "label": label, "text": words}


def quick(*actions: dict[str, Any]) -> dict[str, Any]:
    return text(quickReply={"items": [{"type": "action", "action": action} for action in actions]})


def box(*contents: Any, layout: str = "vertical", **more: Any) -> dict[str, Any]:
    return {"type": "box", "layout": layout, "contents": list(contents), **more}


def label(words: str = "見出し", **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def bubble(*contents: Any, **more: Any) -> dict[str, Any]:
    return {"type": "bubble", "body": box(*contents), **more}


def flex(contents: Any, alt: str = "お知らせ") -> dict[str, Any]:
    return {"type": "flex", "altText": alt, "contents": contents}


def template(kind: str, alt: str = "お知らせ", **fields: Any) -> dict[str, Any]:
    return {"type": "template", "altText": alt, "template": {"type": kind, **fields}}


def column(**more: Any) -> dict[str, Any]:
    return {"text": "本文", "actions": [message_action()], **more}


IMAGEMAP = {
    "type": "imagemap",
    "baseUrl": "https://example.com/map",
    "altText": "地図",
    "baseSize": {"width": 1040, "height": 700},
    "actions": [
        {
            "type": "uri",
            "linkUri": "https://example.com/",
            "area": {"x": 0, "y": 0, "width": 520, "height": 700},
        },
        {"type": "message", "text": "右", "area": {"x": 520, "y": 0, "width": 520, "height": 700}},
    ],
    "video": {
        "originalContentUrl": "https://example.com/v.mp4",
        "previewImageUrl": IMAGE,
        "area": {"x": 0, "y": 0, "width": 1040, "height": 585},
        "externalLink": {"linkUri": "https://example.com/more", "label": "もっと"},
    },
}
VIDEO = {
    "type": "video",
    "url": "https://example.com/v.mp4",
    "previewUrl": IMAGE,
    "altContent": {"type": "image", "url": IMAGE, "size": "full"},
}
EVERY_PART = bubble(
    box({"type": "icon", "url": IMAGE, "size": "sm"}, label(), layout="baseline", spacing="sm"),
    label(wrap=True, weight="bold", color="#1A2B3C", size="18px", maxLines=2, offsetTop="-4px", scaling=True),
    {"type": "text", "contents": [{"type": "span", "text": "部分", "color": "#FF0000"}]},
    {"type": "separator", "margin": "lg", "color": "#00000022"},
    {"type": "image", "url": IMAGE, "aspectRatio": "20:13", "aspectMode": "cover", "size": "50%"},
    box(
        height="10px",
        background={
            "type": "linearGradient",
            "angle": "0deg",
            "startColor": "#FFFFFF",
            "endColor": "#000000",
            "centerPosition": "50%",
        },
    ),
    {
        "type": "button",
        "style": "primary",
        "height": "sm",
        "action": {
            "type": "uri",
            "label": "開く",
            "uri": "https://example.com/?q=%E3%81%82",
            "altUri": {"desktop": "https://example.com/pc"},
        },
    },
    size="kilo",
    direction="ltr",
    hero=VIDEO,
    styles={"body": {"backgroundColor": "#FFFFFF", "separator": True}},
)
FINE = [
    text(),
    text("あ" * 5000),
    text("$さん", emojis=[{"index": 0, "productId": "5ac1bfd5040ab15980c9b435", "emojiId": "001"}]),
    text("🍎$", emojis=[{"index": 2, "productId": "5ac1bfd5040ab15980c9b435", "emojiId": "001"}]),
    text(sender={"name": "担当 田中", "iconUrl": IMAGE}, quoteToken="q3Plxr4AgKd"),
    text(sender={"name": "Online 窓口"}),
    {
        "type": "textV2",
        "text": "{who}さん {{波括弧}}",
        "substitution": {"who": {"type": "mention", "mentionee": {"type": "user", "userId": USER}}},
    },
    {"type": "sticker", "packageId": "446", "stickerId": "1988"},
    {"type": "image", "originalContentUrl": IMAGE, "previewImageUrl": IMAGE},
    {
        "type": "video",
        "originalContentUrl": "https://example.com/v.mp4",
        "previewImageUrl": IMAGE,
        "trackingId": "t-1",
    },
    {"type": "audio", "originalContentUrl": "https://example.com/a.m4a", "duration": 60000},
    {"type": "location", "title": "東京駅", "address": "丸の内", "latitude": 35.68, "longitude": 139.77},
    {"type": "coupon", "couponId": "01JYNW8JMQVFBNWF1APF8Z3FS7", "deliveryTag": "rule_1"},
    IMAGEMAP,
    template("confirm", text="よろしいですか。", actions=[message_action(), message_action("いいえ")]),
    template("buttons", text="あ" * 160, actions=[message_action()] * 4),
    template("buttons", text=FAMILY * 160, actions=[message_action(FAMILY * 20, FAMILY * 300)]),
    template("carousel", columns=[column(title="題", thumbnailImageUrl=IMAGE)] * 10),
    template("image_carousel", columns=[{"imageUrl": IMAGE, "action": {"type": "uri", "uri": IMAGE}}]),
    flex(EVERY_PART),
    flex({"type": "carousel", "contents": [bubble(label())] * 12}),
    quick(*[message_action(f"選択{n}") for n in range(13)]),
    quick({"type": "camera", "label": "撮る"}, {"type": "location", "label": "場所"}),
    quick({"type": "clipboard", "label": "写す", "clipboardText": "ABC"}),
    quick(
        {
            "type": "datetimepicker",
            "label": "日時",
            "data": "d",
            "mode": "datetime",
            "initial": "2026-12-01T10:00",
            "min": "2026-11-01T00:00",
            "max": "2026-12-31T23:59",
        }
    ),
    quick(
        {
            "type": "postback",
            "label": "書く",
            "data": "w",
            "inputOption": "openKeyboard",
            "fillInText": "名前:",
        }
    ),
]


@pytest.mark.parametrize("message", FINE, ids=lambda message: message["type"])
def test_what_line_takes_is_taken(message: dict[str, Any]):
    assert validate_messages([message]) == []


@pytest.mark.parametrize("message", FINE, ids=lambda message: message["type"])
def test_what_the_sdk_makes_of_it_is_taken_too(message: dict[str, Any]):
    sent = Message.from_dict(json.loads(json.dumps(message))).to_dict()
    assert validate_messages([sent]) == []


def deep(path: str) -> str:
    return f"messages[0].{path}"


BUTTON = {"type": "button", "action": message_action()}
BAD = [
    (text(""), deep("text"), "May not be empty"),
    ({"type": "text"}, deep("text"), "May not be empty"),
    (text("あ" * 5001), deep("text"), "Length must be between 0 and 5000"),
    (text("🍎" * 2501), deep("text"), "Length must be between 0 and 5000"),
    (text("\ud83c"), deep("text"), "surrogate"),
    (text(None), deep("text"), "May not be empty"),
    (text(5), deep("text"), "Must be a string"),
    (text(colour="red"), deep("colour"), "unknown field"),
    (
        text(emojis=[{"index": 1, "productId": "p", "emojiId": "1"}]),
        deep("emojis[0].index"),
        "position of a $",
    ),
    (
        text("🍎$", emojis=[{"index": 1, "productId": "p", "emojiId": "1"}]),
        deep("emojis[0].index"),
        "position",
    ),
    (text(sender={"name": "LINE公式"}), deep("sender.name"), "LINE"),
    (text(sender={"name": "あ" * 21}), deep("sender.name"), "Length"),
    (text(sender={"name": "a", "iconUrl": "http://example.com/a.png"}), deep("sender.iconUrl"), "scheme"),
    ({"type": "textV2", "text": "{who}"}, deep("substitution"), "who"),
    ({"type": "textV2", "text": "{ who }"}, deep("text"), "Braces"),
    ({"type": "sticker", "packageId": "1", "stickerId": "1"}, deep("packageId"), "may send"),
    ({"type": "image", "originalContentUrl": IMAGE}, deep("previewImageUrl"), "May not be empty"),
    (
        {
            "type": "image",
            "originalContentUrl": IMAGE.replace("https", "http"),
            "previewImageUrl": IMAGE,
        },
        deep("originalContentUrl"),
        "scheme",
    ),
    ({"type": "audio", "originalContentUrl": IMAGE, "duration": 0}, deep("duration"), "between"),
    (
        {"type": "location", "title": "あ" * 101, "address": "b", "latitude": 0, "longitude": 0},
        deep("title"),
        "100",
    ),
    (
        {"type": "location", "title": "a", "address": "b", "latitude": 91, "longitude": 0},
        deep("latitude"),
        "90",
    ),
    ({"type": "poll"}, deep("type"), "following values"),
    ({**IMAGEMAP, "baseSize": {"width": 1000, "height": 1}}, deep("baseSize.width"), "1040"),
    ({**IMAGEMAP, "altText": "あ" * 1501}, deep("altText"), "1500"),
    (template("confirm", text="x", actions=[message_action()]), deep("template.actions"), "between 2 and 2"),
    (template("confirm", text="x" * 241, actions=[message_action()] * 2), deep("template.text"), "240"),
    (template("buttons", text="x" * 161, actions=[message_action()]), deep("template.text"), "160"),
    (template("buttons", text="x" * 61, title="t", actions=[message_action()]), deep("template.text"), "60"),
    (
        template("buttons", text="x", actions=[message_action()] * 5),
        deep("template.actions"),
        "between 1 and 4",
    ),
    (template("buttons", text="x", title="t" * 41, actions=[message_action()]), deep("template.title"), "40"),
    (
        template("buttons", text="x", actions=[message_action("あ" * 21)]),
        deep("template.actions[0].label"),
        "20",
    ),
    (template("buttons", "", text="x", actions=[message_action()]), deep("altText"), "May not be empty"),
    (template("carousel", columns=[column()] * 11), deep("template.columns"), "between 1 and 10"),
    (template("carousel", columns=[column(), column(title="t")]), deep("template.columns"), "title"),
    (
        template("carousel", columns=[column(), {**column(), "actions": [message_action()] * 2}]),
        deep("template.columns"),
        "same number",
    ),
    (
        template("image_carousel", columns=[{"imageUrl": IMAGE, "action": message_action("あ" * 13)}]),
        deep("template.columns[0].action.label"),
        "12",
    ),
    (flex(bubble(label()), alt=""), deep("altText"), "May not be empty"),
    (flex(bubble(label()), alt="あ" * 1501), deep("altText"), "1500"),
    (flex({"type": "bubble"}), deep("contents"), "block"),
    (flex({"type": "bubble", "body": label()}), deep("contents.body.type"), "following values"),
    (flex(bubble(label(""))), deep("contents.body.contents[0].text"), "May not be empty"),
    (flex(bubble(label(colour="#000000"))), deep("contents.body.contents[0].colour"), "unknown field"),
    (flex(bubble(label(color="red"))), deep("contents.body.contents[0].color"), "colour"),
    (flex(bubble({"type": "slider"})), deep("contents.body.contents[0].type"), "following values"),
    (
        flex(bubble(box(BUTTON, layout="baseline"))),
        deep("contents.body.contents[0].contents[0].type"),
        "following values",
    ),
    (
        flex(bubble({"type": "button", "action": {"type": "uri", "uri": IMAGE}})),
        deep("contents.body.contents[0].action.label"),
        "May not be empty",
    ),
    (flex(bubble(label(), size="tiny")), deep("contents.size"), "following values"),
    (flex(bubble(label(), size="nano", hero=VIDEO)), deep("contents.size"), "video"),
    (flex(bubble(VIDEO)), deep("contents.body.contents[0].type"), "following values"),
    (flex({"type": "carousel", "contents": [bubble(label())] * 13}), deep("contents.contents"), "1 and 12"),
    (
        flex({"type": "carousel", "contents": [bubble(label()), bubble(label(), size="kilo")]}),
        deep("contents.contents"),
        "same size",
    ),
    (
        flex({"type": "carousel", "contents": [bubble(label(), hero=VIDEO)]}),
        deep("contents.contents[0].hero"),
        "carousel",
    ),
    (
        flex(bubble({"type": "image", "url": IMAGE, "aspectRatio": "1:4"})),
        deep("contents.body.contents[0].aspectRatio"),
        "three times",
    ),
    (flex(bubble(*[label("あ" * 400) for _ in range(15)])), deep("contents"), "30720 bytes"),
    (
        flex(bubble(*[{"type": "image", "url": IMAGE, "animated": True}] * 11)),
        deep("contents"),
        "animated",
    ),
    (quick(*[message_action(str(n)) for n in range(14)]), deep("quickReply.items"), "between 1 and 13"),
    (quick({"type": "message", "text": "x"}), deep("quickReply.items[0].action.label"), "May not be empty"),
    (
        quick({"type": "richmenuswitch", "label": "x", "richMenuAliasId": "a", "data": "x"}),
        deep("quickReply.items[0].action.type"),
        "following values",
    ),
    (
        quick({"type": "uri", "label": "x", "uri": IMAGE, "altUri": {"desktop": IMAGE}}),
        deep("quickReply.items[0].action.altUri"),
        "unknown field",
    ),
]


@pytest.mark.parametrize(("message", "at", "why"), BAD)
def test_what_line_refuses_is_refused_where_it_is_wrong(message: dict[str, Any], at: str, why: str):
    problems = validate_messages([message])
    assert any(problem.property == at and why in problem.message for problem in problems), problems


@pytest.mark.parametrize(
    ("action", "at"),
    [
        ({"type": "uri", "label": "x", "uri": "mailto:a@example.com"}, "uri"),
        ({"type": "uri", "label": "x", "uri": "javascript:alert(1)"}, "uri"),
        ({"type": "uri", "label": "x", "uri": "https://"}, "uri"),
        ({"type": "uri", "label": "x", "uri": "https://example.com/あ"}, "uri"),
        ({"type": "uri", "label": "x", "uri": "https://example.com/a b"}, "uri"),
        ({"type": "uri", "label": "x", "uri": "https://example.com/" + "a" * 10_000}, "uri"),
        ({"type": "postback", "label": "x", "data": "d" * 301}, "data"),
        ({"type": "postback", "label": "x", "data": "d", "displayText": "a", "text": "b"}, "text"),
        ({"type": "postback", "label": "x", "data": "d", "fillInText": "a"}, "fillInText"),
        ({"type": "message", "label": "x", "text": "あ" * 301}, "text"),
        ({"type": "clipboard", "label": "x", "clipboardText": ""}, "clipboardText"),
        (
            {"type": "datetimepicker", "label": "x", "data": "d", "mode": "date", "initial": "2026/12/01"},
            "initial",
        ),
        ({"type": "datetimepicker", "label": "x", "data": "d", "mode": "date", "max": "2101-01-01"}, "max"),
        (
            {
                "type": "datetimepicker",
                "label": "x",
                "data": "d",
                "mode": "time",
                "min": "10:00",
                "max": "09:00",
            },
            "min",
        ),
        ({"type": "camera", "label": "x"}, "type"),
    ],
)
def test_actions_that_are_refused(action: dict[str, Any], at: str):
    assert f"action.{at}" in [problem.property for problem in validate_action(action)]


@pytest.mark.parametrize(
    "uri",
    [
        "https://example.com/start",
        "http://127.0.0.1:8000/r/abc",
        "line://nv/profile",
        "https://line.me/R/ti/p/%40id",
        "tel:0312345678",
        "https://example.com/" + "a" * 9_980,
    ],
)
def test_uris_that_are_taken(uri: str):
    assert validate_action({"type": "uri", "label": "開く", "uri": uri}) == []


def test_lengths_are_counted_as_line_counts_them():
    assert (utf16_len("🍎"), utf16_len(FAMILY), utf16_len("あ")) == (2, 8, 1)
    assert (grapheme_len("🍎"), grapheme_len(FAMILY), grapheme_len("が")) == (1, 1, 1)


@given(st.text())
def test_utf16_length_is_that_of_the_encoding(words: str):
    assert utf16_len(words) == len(words.encode("utf-16-le")) // 2
    assert grapheme_len(words) <= len(words)


def test_whole_bodies_are_checked():
    assert validate_push({"to": USER, "messages": [text()], "notificationDisabled": False}) == []
    assert validate_push({"to": USER, "messages": [text()], "customAggregationUnits": ["a", "b"]}) == [
        Problem("customAggregationUnits", "Size must be between 0 and 1")
    ]
    assert validate_push({"messages": []}) == [
        Problem("to", "May not be empty"),
        Problem("messages", "Size must be between 1 and 5"),
    ]
    assert validate_push({"to": USER, "messages": [text()] * 6})[0].property == "messages"
    assert validate_reply({"replyToken": "t", "messages": [text()]}) == []
    assert validate_reply({"replyToken": "t", "messages": [text()], "to": USER})[0].message == "unknown field"
    assert validate_multicast({"to": [USER] * 501, "messages": [text()]})[0].property == "to"
    assert validate_broadcast({"messages": [text()], "notificationDisabled": "no"})[0].message.startswith(
        "Must be a boolean"
    )


def test_a_rich_menu_keeps_to_its_proportions():
    menu = {
        "size": {"width": 2500, "height": 843},
        "selected": False,
        "name": "主",
        "chatBarText": "メニュー",
        "areas": [],
    }
    assert validate_rich_menu(menu) == []
    assert validate_rich_menu({**menu, "size": {"width": 800, "height": 800}})[0].property == "size"
    assert validate_rich_menu({**menu, "chatBarText": "あ" * 15})[0].property == "chatBarText"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A good message in which one value, somewhere, has become something else."""
    message = json.loads(json.dumps(draw(st.sampled_from(FINE))))
    node: Any = message
    while True:
        key = draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if isinstance(node[key], dict | list) and node[key] and draw(st.booleans()):
            node = node[key]
            continue
        node[key] = draw(anything)
        return message


@settings(max_examples=300, deadline=None)
@given(damaged())
def test_no_damage_makes_the_validator_fall(message: Any):
    problems = validate_message(message)
    assert all(isinstance(problem, Problem) for problem in problems)
    assert all(problem.property.startswith("messages[0]") for problem in problems)


@settings(max_examples=100, deadline=None)
@given(anything)
def test_any_json_at_all_is_judged(value: Any):
    assert validate_messages(value)
    assert validate_messages([value])
