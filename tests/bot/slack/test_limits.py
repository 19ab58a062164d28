"""Is every limit of Block Kit kept on both sides: the longest that fits, and the shortest that does not?"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.limits import Problem, validate_blocks, validate_message, validate_view

Json = dict[str, Any]


def plain(text: str = "t") -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str = "t") -> Json:
    return {"type": "mrkdwn", "text": text}


def option(text: str = "o", value: str = "v", **more: Any) -> Json:
    return {"text": plain(text), "value": value, **more}


def options(count: int) -> list[Json]:
    return [option(value=f"v{number}") for number in range(count)]


def section(text: str = "t", **more: Any) -> Json:
    return {"type": "section", "text": mrkdwn(text), **more}


def button(**more: Any) -> Json:
    return {"type": "button", "text": plain(), **more}


def beside(element: Json) -> Json:
    return section(accessory=element)


def row(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def asked(element: Json, **more: Any) -> Json:
    return {"type": "input", "label": plain(), "element": element, **more}


def text_input(**more: Any) -> Json:
    return {"type": "plain_text_input", **more}


def context(*elements: Json) -> Json:
    return {"type": "context", "elements": list(elements)}


def image(**more: Any) -> Json:
    return {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a", **more}


def rich(*elements: Json) -> Json:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


def table(rows: int, columns: int, text: str = "c", **more: Any) -> Json:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text}] * columns] * rows, **more}


def chart(**more: Any) -> Json:
    return {"type": "data_visualization", "title": "Leads", "chart": more}


def bars(names: list[str], categories: list[str], **axes: Any) -> Json:
    points = [{"label": each, "value": 1} for each in categories]
    series = [{"name": name, "data": points} for name in names]
    return chart(type="bar", series=series, axis_config={"categories": categories, **axes})


def pie(*values: float) -> Json:
    return chart(type="pie", segments=[{"label": str(at), "value": value} for at, value in enumerate(values)])


def card(**more: Any) -> Json:
    return {"type": "card", "title": mrkdwn(), **more}


def modal(*blocks: Json, **more: Any) -> Json:
    return {"type": "modal", "title": plain(), "submit": plain(), "blocks": list(blocks), **more}


def confirm(**more: Any) -> Json:
    return {"title": plain(), "text": plain(), "confirm": plain(), "deny": plain(), **more}


def select(**more: Any) -> Json:
    return {"type": "static_select", **more}


def said(problems: list[Problem]) -> list[str]:
    return [f"{problem.pointer}: {problem.message}" for problem in problems]


MINIMAL: list[tuple[str, Json, str]] = [
    ("section", section(), "message modal home"),
    ("section of fields", {"type": "section", "fields": [mrkdwn(), plain()]}, "message modal home"),
    ("divider", {"type": "divider"}, "message modal home"),
    ("header", {"type": "header", "text": plain()}, "message modal home"),
    ("image", image(), "message modal home"),
    (
        "image of a file",
        {"type": "image", "slack_file": {"id": "F012"}, "alt_text": "a"},
        "message modal home",
    ),
    ("actions", row(button(action_id="a")), "message modal home"),
    ("context", context(mrkdwn(), image()), "message modal home"),
    ("rich_text", rich({"type": "text", "text": "t", "style": {"bold": True}}), "message modal home"),
    ("input", asked(text_input()), "message modal home"),
    (
        "video",
        {
            "type": "video",
            "alt_text": "a",
            "title": plain(),
            "video_url": "https://example.com/v",
            "thumbnail_url": "https://example.com/t.png",
        },
        "message modal home",
    ),
    ("markdown", {"type": "markdown", "text": "# t"}, "message"),
    ("table", table(1, 1), "message"),
    ("file", {"type": "file", "external_id": "x", "source": "remote"}, "message"),
    ("call", {"type": "call", "call_id": "x"}, "message"),
    (
        "context_actions",
        {
            "type": "context_actions",
            "elements": [
                {
                    "type": "feedback_buttons",
                    "positive_button": {"text": plain(), "value": "y"},
                    "negative_button": {"text": plain(), "value": "n"},
                },
                {"type": "icon_button", "icon": "trash", "text": plain()},
            ],
        },
        "message",
    ),
    ("task_card", {"type": "task_card", "task_id": "1", "title": "t", "status": "complete"}, "message"),
    ("plan", {"type": "plan", "title": "t", "tasks": []}, "message"),
    ("card", card(), "message"),
    ("carousel", {"type": "carousel", "elements": [card()]}, "message"),
    ("alert", {"type": "alert", "text": plain(), "level": "info"}, "modal"),
    ("container", {"type": "container", "title": plain(), "child_blocks": [section()]}, "message modal"),
    (
        "auth_provider",
        {"type": "auth_provider", "value": "g", "name": plain(), "is_connected": False},
        "message modal",
    ),
    (
        "data_table",
        {"type": "data_table", "caption": "c", "rows": table(2, 2)["rows"]},
        "message",
    ),
    ("data_visualization", bars(["hot"], ["Mon", "Tue"]), "message"),
    ("layout", {"type": "layout", "label": "l", "rows": [{"blocks": [section()]}]}, "message"),
]


@pytest.mark.parametrize("surface", ["message", "modal", "home"])
@pytest.mark.parametrize(
    ("block", "surfaces"), [pytest.param(block, where, id=name) for name, block, where in MINIMAL]
)
def test_each_block_stands_on_its_surfaces_only(block: Json, surfaces: str, surface: Any) -> None:
    problems = validate_blocks([block], surface)
    if surface in surfaces.split():
        assert problems == []
    else:
        assert said(problems) == [f"/blocks/0/type: unsupported type: {block['type']} (not in a {surface})"]


Maker = Callable[[int], Json]
LENGTHS: list[tuple[str, Maker, int, str]] = [
    ("block_id", lambda n: section(block_id="x" * n), 255, "/blocks/0/block_id"),
    ("section text", lambda n: section("x" * n), 3000, "/blocks/0/text/text"),
    (
        "section field",
        lambda n: {"type": "section", "fields": [plain("x" * n)]},
        2000,
        "/blocks/0/fields/0/text",
    ),
    ("header", lambda n: {"type": "header", "text": plain("x" * n)}, 150, "/blocks/0/text/text"),
    ("image alt", lambda n: image(alt_text="x" * n), 2000, "/blocks/0/alt_text"),
    ("image title", lambda n: image(title=plain("x" * n)), 2000, "/blocks/0/title/text"),
    ("action_id", lambda n: row(button(action_id="x" * n)), 255, "/blocks/0/elements/0/action_id"),
    ("button text", lambda n: row(button(text=plain("x" * n))), 75, "/blocks/0/elements/0/text/text"),
    ("button value", lambda n: row(button(value="x" * n)), 2000, "/blocks/0/elements/0/value"),
    (
        "button label",
        lambda n: row(button(accessibility_label="x" * n)),
        75,
        "/blocks/0/elements/0/accessibility_label",
    ),
    (
        "confirm title",
        lambda n: beside(button(confirm=confirm(title=plain("x" * n)))),
        100,
        "/blocks/0/accessory/confirm/title/text",
    ),
    (
        "confirm text",
        lambda n: beside(button(confirm=confirm(text=mrkdwn("x" * n)))),
        300,
        "/blocks/0/accessory/confirm/text/text",
    ),
    (
        "confirm deny",
        lambda n: beside(button(confirm=confirm(deny=plain("x" * n)))),
        30,
        "/blocks/0/accessory/confirm/deny/text",
    ),
    (
        "option text",
        lambda n: beside(select(options=[option("x" * n)])),
        75,
        "/blocks/0/accessory/options/0/text/text",
    ),
    (
        "option value",
        lambda n: beside(select(options=[option(value="x" * n)])),
        75,
        "/blocks/0/accessory/options/0/value",
    ),
    (
        "group label",
        lambda n: beside(select(option_groups=[{"label": plain("x" * n), "options": options(1)}])),
        75,
        "/blocks/0/accessory/option_groups/0/label/text",
    ),
    (
        "placeholder",
        lambda n: beside(select(options=options(1), placeholder=plain("x" * n))),
        150,
        "/blocks/0/accessory/placeholder/text",
    ),
    ("input label", lambda n: asked(text_input(), label=plain("x" * n)), 2000, "/blocks/0/label/text"),
    ("input hint", lambda n: asked(text_input(), hint=plain("x" * n)), 2000, "/blocks/0/hint/text"),
    (
        "initial value",
        lambda n: asked(text_input(initial_value="x" * n)),
        3000,
        "/blocks/0/element/initial_value",
    ),
    ("card title", lambda n: card(title=mrkdwn("x" * n)), 150, "/blocks/0/title/text"),
    ("card body", lambda n: card(body=mrkdwn("x" * n)), 200, "/blocks/0/body/text"),
    ("chart title", lambda n: {**pie(1), "title": "x" * n}, 50, "/blocks/0/title"),
    ("category", lambda n: bars(["a"], ["x" * n]), 20, "/blocks/0/chart/axis_config/categories/0"),
    ("series name", lambda n: bars(["x" * n], ["c"]), 20, "/blocks/0/chart/series/0/name"),
    ("axis label", lambda n: bars(["a"], ["c"], x_label="x" * n), 50, "/blocks/0/chart/axis_config/x_label"),
]


@pytest.mark.parametrize(
    ("make", "most", "pointer"), [pytest.param(make, most, at, id=name) for name, make, most, at in LENGTHS]
)
def test_texts_end_where_slack_ends_them(make: Maker, most: int, pointer: str) -> None:
    assert validate_blocks([make(most)], "message") == []
    assert Problem(pointer, f"must be less than {most + 1} characters") in validate_blocks(
        [make(most + 1)], "message"
    )
    assert Problem(pointer, "must be more than 0 characters") in validate_blocks([make(0)], "message") or (
        pointer.endswith("initial_value")
    )


COUNTS: list[tuple[str, Maker, int, str]] = [
    ("fields", lambda n: {"type": "section", "fields": [plain()] * n}, 10, "/blocks/0/fields"),
    ("actions", lambda n: row(*[button() for _ in range(n)]), 25, "/blocks/0/elements"),
    ("context", lambda n: context(*[mrkdwn() for _ in range(n)]), 10, "/blocks/0/elements"),
    (
        "overflow",
        lambda n: beside({"type": "overflow", "options": options(n)}),
        5,
        "/blocks/0/accessory/options",
    ),
    (
        "checkboxes",
        lambda n: beside({"type": "checkboxes", "options": options(n)}),
        10,
        "/blocks/0/accessory/options",
    ),
    (
        "radio buttons",
        lambda n: beside({"type": "radio_buttons", "options": options(n)}),
        10,
        "/blocks/0/accessory/options",
    ),
    ("static select", lambda n: beside(select(options=options(n))), 100, "/blocks/0/accessory/options"),
    ("table rows", lambda n: table(n, 1), 100, "/blocks/0/rows"),
    ("table columns", lambda n: table(1, n), 20, "/blocks/0/rows/0"),
    ("carousel", lambda n: {"type": "carousel", "elements": [card()] * n}, 10, "/blocks/0/elements"),
    ("card actions", lambda n: card(actions=[button() for _ in range(n)]), 3, "/blocks/0/actions"),
    (
        "container",
        lambda n: {"type": "container", "title": plain(), "child_blocks": [section() for _ in range(n)]},
        10,
        "/blocks/0/child_blocks",
    ),
    ("segments", lambda n: pie(*[1.0] * n), 6, "/blocks/0/chart/segments"),
    ("series", lambda n: bars([f"s{at}" for at in range(n)], ["c"]), 6, "/blocks/0/chart/series"),
    (
        "categories",
        lambda n: bars(["s"], [f"c{at}" for at in range(n)]),
        20,
        "/blocks/0/chart/axis_config/categories",
    ),
]


@pytest.mark.parametrize(
    ("make", "most", "pointer"), [pytest.param(make, most, at, id=name) for name, make, most, at in COUNTS]
)
def test_lists_end_where_slack_ends_them(make: Maker, most: int, pointer: str) -> None:
    assert validate_blocks([make(most)], "message") == []
    assert Problem(pointer, f"no more than {most} items allowed") in validate_blocks(
        [make(most + 1)], "message"
    )
    assert Problem(pointer, "no fewer than 1 items required") in validate_blocks([make(0)], "message")


REFUSED: list[tuple[str, Json, str]] = [
    ("unknown type", {"type": "sectoin"}, "/blocks/0/type: unsupported type: sectoin"),
    ("no type", {"text": plain()}, "/blocks/0: missing required field: type"),
    ("unknown key", section(colour="red"), "/blocks/0/colour: invalid additional property: colour"),
    ("key with a slash", section(**{"a/b": 1}), "/blocks/0/a~1b: invalid additional property: a/b"),
    ("null key", section(accessory=None), "/blocks/0/accessory: must not be null"),
    ("section of nothing", {"type": "section"}, "/blocks/0: must provide at least one of: text, fields"),
    (
        "header in mrkdwn",
        {"type": "header", "text": mrkdwn()},
        "/blocks/0/text/type: must be a valid enum value",
    ),
    ("bare text", {"type": "section", "text": "t"}, "/blocks/0/text: must provide an object"),
    (
        "emoji on mrkdwn",
        {"type": "section", "text": {**mrkdwn(), "emoji": True}},
        "/blocks/0/text/emoji: invalid",
    ),
    (
        "image of nothing",
        {"type": "image", "alt_text": "a"},
        "/blocks/0: must provide exactly one of: image_url",
    ),
    (
        "image without alt",
        {"type": "image", "image_url": "https://e.com/a"},
        "/blocks/0: missing required field: alt",
    ),
    (
        "text input in actions",
        row(text_input()),
        "/blocks/0/elements/0/type: unsupported type: plain_text_input",
    ),
    (
        "multi-select in actions",
        row({"type": "multi_users_select"}),
        "/blocks/0/elements/0/type: unsupported type",
    ),
    ("button in input", asked(button()), "/blocks/0/element/type: unsupported type: button"),
    ("context of a button", context(button()), "/blocks/0/elements/0/type: unsupported type: button"),
    (
        "file input in a message",
        asked({"type": "file_input"}),
        "/blocks/0/element/type: unsupported type: file_input",
    ),
    ("button style", row(button(style="green")), "/blocks/0/elements/0/style: must be a valid enum value"),
    ("button url", row(button(url="example.com")), "/blocks/0/elements/0/url: must match"),
    ("select without options", beside(select()), "/blocks/0/accessory: must provide exactly one of: options"),
    (
        "select with both",
        beside(select(options=options(1), option_groups=[{"label": plain(), "options": options(1)}])),
        "/blocks/0/accessory: must provide exactly one of: options, option_groups",
    ),
    (
        "initial option elsewhere",
        beside(select(options=options(2), initial_option=option(value="v9"))),
        "/blocks/0/accessory/initial_option: must be one of the options",
    ),
    (
        "date not to the end",
        beside({"type": "datepicker", "initial_date": "2026-01-01xyz"}),
        "/blocks/0/accessory/initial_date: must match",
    ),
    (
        "time zone",
        beside({"type": "timepicker", "timezone": "Tokyo"}),
        "/blocks/0/accessory/timezone: must be an IANA time zone",
    ),
    (
        "datetime in ms",
        row({"type": "datetimepicker", "initial_date_time": 1732233600000}),
        "/blocks/0/elements/0/initial_date_time: must be between",
    ),
    (
        "number without kind",
        asked({"type": "number_input"}),
        "/blocks/0/element: missing required field: is_decimal",
    ),
    (
        "number as number",
        asked({"type": "number_input", "is_decimal_allowed": False, "min_value": 1}),
        "/blocks/0/element/min_value: must be a string",
    ),
    (
        "numbers out of order",
        asked({"type": "number_input", "is_decimal_allowed": True, "min_value": "2", "max_value": "1.5"}),
        "/blocks/0/element/min_value: must not exceed max_value",
    ),
    (
        "max_length",
        asked(text_input(max_length=3001)),
        "/blocks/0/element/max_length: must be between 1 and 3000",
    ),
    (
        "lengths out of order",
        asked(text_input(min_length=5, max_length=4)),
        "/blocks/0/element/min_length: must not exceed max_length",
    ),
    (
        "action ids",
        row(button(action_id="a"), button(action_id="a")),
        '/blocks/0/elements/1/action_id: action_id "a"',
    ),
    (
        "list without style",
        {"type": "rich_text", "elements": [{"type": "rich_text_list", "elements": []}]},
        "/blocks",
    ),
    (
        "rich text mention",
        rich({"type": "user", "user": "U1"}),
        "/blocks/0/elements/0/elements/0: missing required",
    ),
    (
        "rich text empty",
        rich({"type": "text", "text": ""}),
        "/blocks/0/elements/0/elements/0/text: must be more",
    ),
    (
        "uneven table",
        {"type": "table", "rows": [*table(1, 2)["rows"], *table(1, 1)["rows"]]},
        "/blocks/0/rows: must have the same number of cells in every row",
    ),
    ("table characters", table(10, 10, "x" * 101), "/blocks/0/rows: must be less than 10001 characters"),
    ("pie of nothing", pie(1, 0), "/blocks/0/chart/segments/1/value: must be more than 0"),
    (
        "endless bar",
        chart(type="bar", series=[], axis_config={"categories": ["a"]}),
        "/blocks/0/chart/series: no few",
    ),
    (
        "one series twice",
        bars(["a", "a"], ["c"]),
        "/blocks/0/chart/series/1/name: series name a is used twice",
    ),
    (
        "missing point",
        chart(
            type="line",
            series=[{"name": "a", "data": [{"label": "Mon", "value": 1}]}],
            axis_config={"categories": ["Mon", "Tue"]},
        ),
        "/blocks/0/chart/series/0/data: must have exactly one point for each category",
    ),
    (
        "nan",
        chart(
            type="area",
            series=[{"name": "a", "data": [{"label": "Mon", "value": float("nan")}]}],
            axis_config={"categories": ["Mon"]},
        ),
        "/blocks/0/chart/series/0/data/0/value: must be a finite number",
    ),
    (
        "empty card",
        {"type": "card", "subtitle": plain()},
        "/blocks/0: must provide at least one of: hero_image",
    ),
    ("carousel of sections", {"type": "carousel", "elements": [section()]}, "/blocks/0/elements/0/type"),
    (
        "rich text in a container",
        {"type": "container", "title": plain(), "child_blocks": [rich({"type": "text", "text": "t"})]},
        "/blocks/0/child_blocks/0/type: unsupported type: rich_text",
    ),
    (
        "data table header",
        {"type": "data_table", "caption": "c", "rows": [[{"type": "raw_number", "value": 1}]] * 2},
        "/blocks/0/rows/0/0: must be raw_text in the header row",
    ),
]


@pytest.mark.parametrize(
    ("block", "expected"), [pytest.param(block, expected, id=name) for name, block, expected in REFUSED]
)
def test_what_is_refused_is_named_with_its_place(block: Json, expected: str) -> None:
    told = said(validate_blocks([block], "message"))
    assert any(each.startswith(expected) for each in told), told


def test_null_blocks_and_wrong_containers_are_named() -> None:
    assert said(validate_blocks([None], "message")) == ["/blocks/0: must not be null"]
    assert said(validate_blocks({}, "message")) == ["/blocks: must be an array"]
    assert said(validate_blocks(None, "message")) == ["/blocks: must not be null"]


def test_a_message_has_fifty_blocks_and_a_view_a_hundred() -> None:
    divider = {"type": "divider"}
    assert validate_blocks([divider] * 50, "message") == []
    assert said(validate_blocks([divider] * 51, "message")) == ["/blocks: no more than 50 items allowed"]
    assert validate_blocks([divider] * 100, "home") == []
    assert said(validate_blocks([divider] * 101, "modal")) == ["/blocks: no more than 100 items allowed"]


def test_ids_are_unique_where_slack_wants_them_so() -> None:
    twice = [
        section(block_id="a"),
        row(button(action_id="x")),
        row(button(action_id="x")),
        section(block_id="a"),
    ]
    assert said(validate_blocks(twice, "message")) == [
        '/blocks/3/block_id: block_id "a" already exists for another block'
    ]


def test_limits_over_all_blocks_of_a_message() -> None:
    markdown = {"type": "markdown", "text": "x" * 6000}
    assert validate_blocks([markdown] * 2, "message") == []
    over = [markdown, {"type": "markdown", "text": "x" * 6001}]
    assert said(validate_blocks(over, "message")) == [
        "/blocks: markdown must be less than 12001 characters in all"
    ]
    assert said(validate_blocks([table(1, 1)] * 2, "message")) == [
        "/blocks: only one table is allowed in a message"
    ]
    assert len(validate_blocks([pie(1)] * 3, "message")) == 1
    long = [section("x" * 3000) for _ in range(4)]
    assert validate_blocks([*long, section("x" * 1200)], "message") == []
    [problem] = validate_blocks([*long, section("x" * 1201)], "message")
    assert problem.error == "msg_blocks_too_long"


MESSAGES: list[tuple[str, Json, list[str]]] = [
    ("text", {"channel": "C1", "text": "t"}, []),
    ("blocks without text", {"blocks": [section()]}, []),
    ("nothing", {"channel": "C1"}, ["no_text"]),
    ("text that an update would refuse", {"text": "x" * 4001}, ["msg_too_long"]),
    ("unknown argument", {"text": "t", "colour": "red"}, ["invalid_arguments"]),
    ("null argument", {"text": "t", "username": None}, ["invalid_arguments"]),
    ("thread", {"text": "t", "thread_ts": "1732233600.000123"}, []),
    ("thread as float", {"text": "t", "thread_ts": 1732233600.000123}, ["invalid_arguments"]),
    ("thread cut short", {"text": "t", "thread_ts": "1732233600.0001"}, ["invalid_arguments"]),
    ("broadcast without thread", {"text": "t", "reply_broadcast": True}, ["invalid_arguments"]),
    ("markdown beside text", {"text": "t", "markdown_text": "m"}, ["markdown_text_conflict"]),
    ("metadata", {"text": "t", "metadata": {"event_type": "e", "event_payload": {"a": 1}}}, []),
    ("metadata without payload", {"text": "t", "metadata": {"event_type": "e"}}, ["invalid_metadata_format"]),
    ("cleared metadata", {"text": "t", "ts": "1732233600.000123", "metadata": {}}, []),
    ("no metadata to clear", {"text": "t", "metadata": {}}, ["invalid_metadata_format"] * 2),
    (
        "too much metadata",
        {"text": "t", "metadata": {"event_type": "e", "event_payload": {"a": "x" * 8000}}},
        ["metadata_too_large"],
    ),
    ("attachments", {"attachments": [{"blocks": [section("")]}]}, ["invalid_blocks"]),
    ("many attachments", {"attachments": [{}] * 101}, ["too_many_attachments"]),
]


@pytest.mark.parametrize(
    ("message", "errors"), [pytest.param(message, errors, id=name) for name, message, errors in MESSAGES]
)
def test_messages(message: Json, errors: list[str]) -> None:
    assert [problem.error for problem in validate_message(message)] == errors


VIEWS: list[tuple[str, Any, list[str]]] = [
    ("modal", modal(asked(text_input())), []),
    ("home", {"type": "home", "blocks": []}, []),
    ("no mapping", None, ["/view: must provide an object"]),
    ("no title", {"type": "modal", "blocks": []}, ["/view: missing required field: title"]),
    ("long title", modal(title=plain("x" * 25)), ["/view/title/text: must be less than 25 characters"]),
    ("long submit", modal(submit=plain("x" * 25)), ["/view/submit/text: must be less than 25 characters"]),
    ("long close", modal(close=plain("x" * 25)), ["/view/close/text: must be less than 25 characters"]),
    (
        "inputs without submit",
        {"type": "modal", "title": plain(), "blocks": [asked(text_input())]},
        ["/view: missing required field: submit (there are input blocks)"],
    ),
    (
        "private_metadata",
        modal(private_metadata="x" * 3001),
        ["/view/private_metadata: must be less than 3001 characters"],
    ),
    ("callback_id", modal(callback_id="x" * 256), ["/view/callback_id: must be less than 256 characters"]),
    (
        "home with a title",
        {"type": "home", "title": plain(), "blocks": []},
        ["/view/title: invalid additional property: title"],
    ),
    ("block", modal(section("")), ["/view/blocks/0/text/text: must be more than 0 characters"]),
    (
        "two in focus",
        modal(asked(text_input(focus_on_load=True)), asked(text_input(focus_on_load=True))),
        ["/view/blocks/1/element/focus_on_load: only one element of a view may have focus_on_load"],
    ),
    ("file input", modal(asked({"type": "file_input", "max_files": 10})), []),
]


@pytest.mark.parametrize(
    ("view", "expected"), [pytest.param(view, told, id=name) for name, view, told in VIEWS]
)
def test_views(view: Any, expected: list[str]) -> None:
    problems = validate_view(view)
    assert said(problems) == expected
    assert {problem.error for problem in problems} <= {"invalid_arguments"}


def test_a_view_may_have_a_quarter_of_a_megabyte() -> None:
    heavy = modal(*[section("字" * 1000) for _ in range(90)])
    [problem] = validate_view(heavy)
    assert problem.error == "view_too_large"


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
words = st.sampled_from(
    ["type", "text", "elements", "blocks", "section", "actions", "button", "modal", "rows", "input"]
)
anything = st.recursive(
    scalars | words, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4)
)


@settings(max_examples=200, deadline=None)
@given(anything)
def test_no_json_makes_the_validator_fail(value: Any) -> None:
    validate_blocks(value, "message")
    validate_view(value)
    if isinstance(value, dict):
        validate_message(value)


paths = st.sampled_from([block for _, block, _ in MINIMAL])


@settings(max_examples=200, deadline=None)
@given(paths, st.data())
def test_any_value_made_null_or_any_key_added_is_noticed(block: Json, data: st.DataObject) -> None:
    spot, pointer = block, "/blocks/0"
    while inner := [key for key, value in spot.items() if isinstance(value, dict)]:
        if not data.draw(st.booleans()):
            break
        key = data.draw(st.sampled_from(inner))
        spot, pointer = spot[key], f"{pointer}/{key}"
    key = data.draw(st.sampled_from([*spot, "surprise"]))
    changed = _with(block, pointer.removeprefix("/blocks/0"), key, None)
    surface = "modal" if block["type"] == "alert" else "message"
    assert validate_blocks([changed], surface) != []


def _with(block: Json, pointer: str, key: str, value: Any) -> Json:
    first, _, rest = pointer.removeprefix("/").partition("/")
    if not first:
        return {**block, key: value}
    return {**block, first: _with(block[first], rest, key, value)}
