"""Which LINE message objects show a message, so that LINE always takes them?

Texts longer than LINE allows are cut at a character's end, never inside one: a lint warns long before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import regex

from bot.line.limits import utf16_len
from bot.line.limits.messages import ALT_TEXT_MOST, TEXT_MOST
from followups.rules.model import Picture, Sender
from followups.words.lint import MAX_BUBBLE_TEXT
from followups.words.text import OPT_OUT, RenderedMessage, RenderedQuickReply

Json = dict[str, Any]

SENDER_MOST = 20
QUICK_REPLIES_MOST = 13
QUICK_REPLY_LABEL_MOST = 20
BUTTON_LABEL_MOST = 40
DISPLAY_TEXT_MOST = 300
DATA_MOST = 300
ALT_TEXT_SHOWN = 400
"""Phones show about two lines of it in the chat list."""
ALT_TEXT_SAYS = 16
"""A first line shorter than this (a salutation) says nothing yet: the next one is added."""
HERO_RATIO = "20:13"
FLEX_TEXT_MOST = MAX_BUBBLE_TEXT

_MENU = "menu:"
_GRAPHEME = regex.compile(r"\X")
_SURROGATE = regex.compile("[\ud800-\udfff]")
_BRAND = regex.compile(r"(?i)(?<![A-Za-z])line(?![A-Za-z])|ＬＩＮＥ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A button of ours that answers: its label and the postback's data.

    `picks`: `date`, asked for first. `opens`: an https address instead, which nothing is sent for.
    """

    label: str
    sends: str
    picks: str | None = None
    opens: str | None = None


def bubbles_of(
    rendered: RenderedMessage,
    *,
    link_of: Callable[[str], str],
    message_id: UUID | None = None,
    sender: Sender | None = None,
) -> list[Json]:
    """A rendered message as LINE message objects, which LINE shows in this order and counts as one.

    With a button: one Flex bubble, a picture at its top. Without: the picture, then the text. A coupon comes
    last. Quick replies hang on the last bubble, the only one where LINE shows them.

    Args:
        link_of: the tracked link (https) for an address.
        message_id: which message this is, so that an answer in one tap can name it.
        sender: whom it is from, where that is not the account itself.
    """
    bubbles: list[Json] = []
    if rendered.button_label and rendered.button_url:
        action = {
            "type": "uri",
            "label": cut(rendered.button_label, BUTTON_LABEL_MOST, graphemes=True),
            "uri": link_of(rendered.button_url),
        }
        button = {"type": "button", "style": "primary", "action": action}
        hero = _hero(rendered.image, action) if rendered.image is not None else None
        bubbles.append(_flex(rendered.text, [button], hero=hero))
    else:
        if rendered.image is not None:
            bubbles.append(_image(rendered.image.url, rendered.image.preview))
        bubbles.append(_text(rendered.text))
    if rendered.coupon is not None:
        bubbles.append({"type": "coupon", "couponId": rendered.coupon})
    if rendered.quick_replies:
        bubbles[-1]["quickReply"] = _quick_replies(rendered.quick_replies, message_id)
    return [_signed(bubble, sender) for bubble in bubbles]


def _hero(image: Picture, action: Json) -> Json:
    """A tap on it does what the button does: people tap pictures."""
    return {
        "type": "image",
        "url": image.url,
        "size": "full",
        "aspectRatio": HERO_RATIO,
        "aspectMode": "cover",
        "action": action,
    }


def _image(original: str, preview: str) -> Json:
    return {"type": "image", "originalContentUrl": original, "previewImageUrl": preview}


def text_bubble(text: str, sender: Sender | str | None = None) -> Json:
    """What a person wrote, with their name where LINE allows it (at most 20, never the brand's)."""
    return _signed(_text(text), sender)


def image_bubble(original: str, preview: str, sender: Sender | str | None = None) -> Json:
    """A picture at an https address (JPEG or PNG, 10 MB), with a small one (1 MB), and who sends it."""
    return _signed(_image(original, preview), sender)


def _signed(bubble: Json, sender: Sender | str | None) -> Json:
    who = Sender(name=sender) if isinstance(sender, str) else sender or Sender()
    name = cut(_clean(who.name or "").strip(), SENDER_MOST)
    shown = {"name": name} if name and not _BRAND.search(name) else {}
    if who.icon_url:
        shown["iconUrl"] = who.icon_url
    return {**bubble, "sender": shown} if shown else bubble


def press_bubble(
    text: str, presses: Sequence[Press], choices: Sequence[Press] = (), *, sender: Sender | None = None
) -> Json:
    """A text with buttons that answer, and quick replies; without buttons, the text alone."""
    buttons: list[Json] = [
        {
            "type": "button",
            "style": "primary" if number == 0 else "secondary",
            "action": _answering(press, BUTTON_LABEL_MOST),
        }
        for number, press in enumerate(presses)
    ]
    bubble = _flex(text, buttons) if buttons else _text(text)
    if choices:
        items = [
            {"type": "action", "action": _answering(each, QUICK_REPLY_LABEL_MOST)}
            for each in choices[:QUICK_REPLIES_MOST]
        ]
        bubble["quickReply"] = {"items": items}
    return _signed(bubble, sender)


def _answering(press: Press, label_most: int) -> Json:
    label = cut(press.label, label_most, graphemes=True)
    if press.opens is not None:
        return {"type": "uri", "label": label, "uri": press.opens}
    if press.picks is not None:
        return {"type": "datetimepicker", "label": label, "data": press.sends, "mode": press.picks}
    shown = cut(press.label, DISPLAY_TEXT_MOST, graphemes=True)
    return {"type": "postback", "label": label, "data": press.sends, "displayText": shown}


def answer_bubble(text: str, presses: Sequence[Press], *, sender: Sender | str) -> Json:
    """An automatic answer under the name of what gave it, with choices in one tap below."""
    bubble = text_bubble(text, sender)
    if presses:
        bubble["quickReply"] = {
            "items": [_quick_reply(press.label, press.sends) for press in presses[:QUICK_REPLIES_MOST]]
        }
    return bubble


def menu_data(script_id: str) -> str:
    """The postback data of a choice that leads to a scripted answer: `menu:{id}`."""
    return f"{_MENU}{script_id}"


def read_menu(sent: str) -> str | None:
    """The scripted answer that a postback of ours asks for; None when it is another postback."""
    return sent.removeprefix(_MENU) or None if sent.startswith(_MENU) else None


def tap_data(signal: str, *, is_lead: bool, message_id: UUID | None) -> str:
    """The postback data of an answer in one tap: `qr:{signal}:{lead or nothing}:{message}`."""
    if signal == OPT_OUT:
        return OPT_OUT
    tail = f":{'lead' if is_lead else ''}:{message_id or ''}"
    return f"qr:{cut(signal, DATA_MOST - len(tail) - len('qr:'))}{tail}"


def cut(text: str, most: int, *, graphemes: bool = False) -> str:
    """The beginning of a text that fits `most` UTF-16 units (or grapheme clusters), whole characters only."""
    if (len(text) if graphemes else utf16_len(text)) <= most:
        return text
    kept: list[str] = []
    room = most - 1
    for match in _GRAPHEME.finditer(text):
        size = 1 if graphemes else utf16_len(match[0])
        if size > room:
            return "".join(kept) + "…"
        kept.append(match[0])
        room -= size
    return "".join(kept)


def _clean(text: str) -> str:
    return str(_SURROGATE.sub("", text))


def _text(text: str) -> Json:
    return {"type": "text", "text": cut(_clean(text), TEXT_MOST) or "…"}


def alt_text(text: str) -> str:
    """What notifications and the chat list show: the first line, or enough of them to say something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["…"]
    said = lines[0]
    for line in lines[1:]:
        if utf16_len(said) >= ALT_TEXT_SAYS:
            break
        said = f"{said} {line}"
    return cut(said, min(ALT_TEXT_SHOWN, ALT_TEXT_MOST))


def _flex(text: str, buttons: list[Json], *, hero: Json | None = None) -> Json:
    words = cut(_clean(text), FLEX_TEXT_MOST) or "…"
    body = {
        "type": "box",
        "layout": "vertical",
        "contents": [{"type": "text", "text": words, "wrap": True, "size": "md"}],
    }
    footer = {"type": "box", "layout": "vertical", "spacing": "sm", "contents": buttons}
    return {
        "type": "flex",
        "altText": alt_text(words),
        "contents": {
            "type": "bubble",
            "size": "mega",
            **({"hero": hero} if hero is not None else {}),
            "body": body,
            "footer": footer,
        },
    }


def _quick_replies(quick_replies: Sequence[RenderedQuickReply], message_id: UUID | None) -> Json:
    return {
        "items": [
            _quick_reply(each.label, tap_data(each.signal, is_lead=each.is_lead, message_id=message_id))
            for each in quick_replies[:QUICK_REPLIES_MOST]
        ]
    }


def _quick_reply(label: str, sends: str) -> Json:
    return {
        "type": "action",
        "action": {
            "type": "postback",
            "label": cut(label, QUICK_REPLY_LABEL_MOST, graphemes=True),
            "data": sends,
            "displayText": cut(label, DISPLAY_TEXT_MOST, graphemes=True),
        },
    }
