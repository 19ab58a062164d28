"""Do messages look as their files say, through the real SDK, and does LINE take every one of them?"""

from __future__ import annotations

import pytest

from bot.line.bubbles import alt_text, bubbles_of
from bot.line.client import LineClient
from bot.line.limits import validate_messages
from bot.line.looks import examples, problems_of
from followups.rules.model import MessageTemplate, Sender
from followups.rules.parsing import RuleError, parse_message, parse_policy
from followups.words.text import RenderedMessage
from sandbox.world import World

HEAD = "text: '{customer.name}様、新しい使い方をご紹介します。'\n"
BUTTON = "button: {label: 開く, url: 'https://app.example.com/start'}\n"
IMAGE = "image: {url: 'https://cdn.example.com/a.jpg', preview: 'https://cdn.example.com/a-small.jpg'}\n"
COUPON = "coupon: 01JYNW8JMQVFBNWF1APF8Z3FS7\n"
REPLIES = "quick_replies: [{label: はい, signal: yes}]\n"
BOT = Sender(name="よりそい案内", icon_url="https://cdn.example.com/bot.png")


def message(*parts: str) -> MessageTemplate:
    return parse_message(HEAD + "".join(parts), path="messages/hello.yaml")


@pytest.mark.parametrize(
    ("parts", "kinds"),
    [
        ((), ["text"]),
        ((BUTTON,), ["flex"]),
        ((IMAGE,), ["image", "text"]),
        ((IMAGE, BUTTON), ["flex"]),
        ((COUPON,), ["text", "coupon"]),
        ((IMAGE, BUTTON, COUPON), ["flex", "coupon"]),
    ],
    ids=["text", "button", "image", "both", "coupon", "all"],
)
async def test_each_message_is_what_it_says_and_line_takes_it(
    world: World, parts: tuple[str, ...], kinds: list[str]
) -> None:
    template = message(*parts, REPLIES)
    [(_, bubbles)] = examples(template, BOT)
    assert [bubble["type"] for bubble in bubbles] == kinds
    assert ["quickReply" in bubble for bubble in bubbles] == [False] * (len(kinds) - 1) + [True]
    assert all(bubble["sender"] == {"name": BOT.name, "iconUrl": BOT.icon_url} for bubble in bubbles)
    assert validate_messages(bubbles) == []
    assert isinstance(world.deps.line, LineClient)
    assert await world.deps.line.validate(bubbles) is None
    assert await world.deps.line.validate([{**bubbles[0], "sender": {"name": "LINE"}}]) is not None


def test_a_tap_on_the_picture_does_what_the_button_does() -> None:
    [(_, [bubble])] = examples(message(IMAGE, BUTTON))
    hero = bubble["contents"]["hero"]
    assert hero["url"] == "https://cdn.example.com/a.jpg"
    assert hero["action"] == bubble["contents"]["footer"]["contents"][0]["action"]


def test_one_address_is_picture_and_preview() -> None:
    template = message("image: https://cdn.example.com/a.jpg\n")
    assert template.image is not None
    assert template.image.preview == template.image.url == "https://cdn.example.com/a.jpg"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("一行だけです。", "一行だけです。"),
        ("田中様、\n新しい使い方をご紹介します。\nご覧ください。", "田中様、 新しい使い方をご紹介します。"),
        ("\n\n", "…"),
        ("あ" * 500, "あ" * 399 + "…"),
    ],
    ids=["one", "salutation", "empty", "long"],
)
def test_notifications_show_the_first_line_that_says_something(text: str, shown: str) -> None:
    assert alt_text(text) == shown


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("image: http://cdn.example.com/a.jpg\n", "https"),
        ("image: {preview: 'https://cdn.example.com/a.jpg'}\n", "url"),
        ("coupon: 'no coupon!'\n", "coupon"),
        ("images: https://cdn.example.com/a.jpg\n", "image"),
    ],
)
def test_what_line_could_not_show_is_told_with_its_place(part: str, said: str) -> None:
    with pytest.raises(RuleError, match=said) as refused:
        message(part)
    assert refused.value.problems[0].line == 2


def test_senders_are_read_and_checked() -> None:
    policy = parse_policy(
        "senders:\n"
        "  bot: {name: よりそい案内, icon: 'https://cdn.example.com/bot.png'}\n"
        "  people:\n    U0123ABCD: {name: 佐藤}\n"
    )
    assert policy.senders.bot == BOT
    assert policy.senders.people["U0123ABCD"] == Sender(name="佐藤")
    for wrong in ("bot: {name: LINE 案内}", f"bot: {{name: {'あ' * 21}}}", "people: {sato: {name: 佐藤}}"):
        with pytest.raises(RuleError):
            parse_policy(f"senders:\n  {wrong}\n")


def test_a_sound_message_has_no_problems_and_an_empty_one_is_left_whole() -> None:
    assert problems_of(message(IMAGE, BUTTON, COUPON, REPLIES)) == []
    plain = RenderedMessage(language="ja", text="こんにちは")
    assert bubbles_of(plain, link_of=lambda url: url) == [{"type": "text", "text": "こんにちは"}]


async def test_a_person_s_reply_and_a_rule_s_message_carry_their_senders(world: World) -> None:
    from bot.flows.rules.publish import publish
    from followups.rules.parsing import PolicyText
    from tests.flows.shop import inactive

    phone = await world.friend("c1", "田中")
    source = (
        "quiet_hours: null\nsenders:\n  bot: {name: よりそい案内}\n"
        f"  people: {{{world.sato}: {{name: 佐藤, icon: 'https://cdn.example.com/sato.png'}}}}\n"
    )
    rule = inactive(when="{event: login, never: true}", goal="{event: signup, within: 7d}")
    await publish(world.deps, rule, by="test", policy=PolicyText(path="policy.yaml", source=source))
    await world.settle()
    last = world.line.person(phone).bubbles[-1]
    assert last.message["text"] == "田中様、お困りではありませんか。"
    assert last.message["sender"] == {"name": "よりそい案内"}
