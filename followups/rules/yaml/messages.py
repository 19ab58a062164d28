"""What does a message file, or a message in place, hold?"""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from followups.rules.model import MessageTemplate, Picture, QuickReply
from followups.rules.yaml import fields as read
from followups.rules.yaml.fields import Fields
from followups.rules.yaml.problems import Problems, nearest
from followups.rules.yaml.tree import MapNode, Node
from followups.words.lint import MAX_LABEL, MAX_TEXT, grapheme_length, utf16_length
from followups.words.placeholders import slots

MAX_QUICK_REPLIES = 13
"""LINE's limit."""
MAX_URL = 1000
KEYS = ("purpose", "text", "button", "quick_replies", "image", "coupon")
_COUPON = re.compile(r"[A-Za-z0-9_-]{1,100}")
_PURPOSE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")


def is_purpose(word: str) -> bool:
    """A purpose of consent is one plain word."""
    return _PURPOSE.fullmatch(word) is not None


def purpose(node: Node, problems: Problems) -> str | None:
    """The consent a message needs."""
    found = read.text(node, problems)
    if found is None or is_purpose(found):
        return found
    read.wrong(
        node, problems, ja="目的の名前ではありません（例: support）", en="a purpose (for example support)"
    )
    return None


def _body(node: Node, text: str, problems: Problems) -> bool:
    names, bad = slots(text)
    for each in bad:
        shown = each.written if len(each.written) <= 40 else each.written[:37] + "..."
        near = nearest(each.written.strip("{}"), [*each.known, *names])
        ja = f"（「{{{near}}}」ではありませんか）" if near else "（例: {customer.name}）"
        en = f"(did you mean “{{{near}}}”?)" if near else "(for example {customer.name})"
        problems.add(node, f"「{shown}」は差し込みではありません{ja}", f"“{shown}” is not a placeholder {en}")
    if utf16_length(text) > MAX_TEXT:
        problems.add(
            node,
            f"本文が{MAX_TEXT}字を超えています（短くしてください）",
            f"the text is over {MAX_TEXT} units (make it shorter)",
        )
        return False
    return not bad


def _label(node: Node, text: str, problems: Problems) -> bool:
    if grapheme_length(text) > MAX_LABEL:
        problems.add(
            node,
            f"ラベル「{text[:40]}」が{MAX_LABEL}字を超えています（短くしてください）",
            f"the label “{text[:40]}” is over {MAX_LABEL} characters (make it shorter)",
        )
        return False
    if "{" in text or "}" in text or "\n" in text:
        problems.add(
            node,
            "ラベルに差し込みや改行は使えません（外してください）",
            "a label takes no placeholders or line breaks (remove them)",
        )
        return False
    return True


def url_of(link_hosts: Collection[str]) -> read.Reader[str]:
    """A reader of https addresses on one of these hosts (any host when there are none)."""

    def read_url(node: Node, problems: Problems) -> str | None:
        found = read.text(node, problems)
        if found is None:
            return None
        try:
            parts = urlsplit(found)
            host, port_is_sound = parts.hostname or "", parts.port is None or parts.port > 0
        except ValueError:
            parts, host, port_is_sound = urlsplit(""), "", False
        if (
            parts.scheme != "https"
            or not _HOST.fullmatch(host)
            or not port_is_sound
            or "@" in parts.netloc
            or len(found) > MAX_URL
            or re.search(r"[\s{}<>\"\\^`|\x00-\x1f\x7f]", found)
        ):
            read.wrong(
                node,
                problems,
                ja="https のアドレスではありません（例: https://app.example.com/start）",
                en="an https address (for example https://app.example.com/start)",
            )
            return None
        if link_hosts and host not in {each.lower() for each in link_hosts}:
            problems.unknown(
                node, host, link_hosts, ja="リンク先（policy の link_hosts）", en="host in link_hosts"
            )
            return None
        return found

    return read_url


def _quick_reply(node: Node, problems: Problems) -> QuickReply | None:
    found = read.mapping(node, problems)
    if found is None:
        return None
    keys = Fields(found, problems, ("label", "signal", "lead"))
    label = keys.need("label", read.by_language(_label))
    signal = keys.need("signal", read.name)
    is_lead = keys.get("lead", read.truth)
    if signal == "optout" and is_lead:
        problems.add(
            keys.key("lead"),
            "配信停止（optout）は案件にできません（lead を外してください）",
            "optout stops messages and opens no lead (remove lead)",
        )
    if label is None or signal is None:
        return None
    return QuickReply(label=label, signal=signal, is_lead=bool(is_lead))


def _quick_replies(node: Node, problems: Problems) -> tuple[QuickReply, ...] | None:
    nodes = read.items(node, problems)
    if nodes is None:
        return None
    if len(nodes) > MAX_QUICK_REPLIES:
        problems.add(
            nodes[MAX_QUICK_REPLIES],
            f"クイックリプライは{MAX_QUICK_REPLIES}個までです（3個までが読みやすい）",
            f"more than {MAX_QUICK_REPLIES} quick replies (up to 3 read best)",
        )
    found: list[QuickReply] = []
    for each in nodes:
        reply = _quick_reply(each, problems)
        if reply is not None and any(reply.signal == other.signal for other in found):
            problems.add(
                each,
                f"signal「{reply.signal}」が重複しています（別の名前にしてください）",
                f"the signal “{reply.signal}” is there twice (choose another)",
            )
        elif reply is not None:
            found.append(reply)
    return tuple(found)


def read_message(
    node: Node, problems: Problems, *, name: str, link_hosts: Collection[str] = ()
) -> MessageTemplate | None:
    """A message template; None when something in it is wrong."""
    found = read.mapping(node, problems)
    if found is None:
        return None
    before = len(problems.found)
    keys = Fields(found, problems, KEYS)
    text = keys.need("text", read.by_language(_body))
    asked = keys.get("purpose", purpose)
    label, url = _button(keys, problems, link_hosts)
    replies = keys.get("quick_replies", _quick_replies)
    image = keys.get("image", _image)
    coupon = keys.get("coupon", _coupon)
    if text is None or len(problems.found) > before:
        return None
    return MessageTemplate(
        name=name,
        text=text,
        purpose=asked,
        button_label=label,
        button_url=url,
        quick_replies=replies or (),
        image=image,
        coupon=coupon,
    )


def _image(node: Node, problems: Problems) -> Picture | None:
    """LINE fetches pictures itself, so any https host will do: `link_hosts` is about where people are led."""
    address = url_of(())
    if not isinstance(node, MapNode):
        url = address(node, problems)
        return Picture(url=url, preview=url) if url is not None else None
    keys = Fields(node, problems, ("url", "preview"))
    url, preview = keys.need("url", address), keys.get("preview", address)
    return Picture(url=url, preview=preview or url) if url is not None else None


def _coupon(node: Node, problems: Problems) -> str | None:
    found = read.text(node, problems)
    if found is None or _COUPON.fullmatch(found):
        return found
    read.wrong(
        node,
        problems,
        ja="クーポンの ID ではありません（LINE Official Account Manager のクーポンの ID）",
        en="a coupon's id (as LINE Official Account Manager shows it)",
    )
    return None


def _button(
    keys: Fields, problems: Problems, link_hosts: Collection[str]
) -> tuple[dict[str, str] | None, str | None]:
    inner: MapNode | None = keys.get("button", read.mapping)
    if inner is None:
        return None, None
    asked = Fields(inner, problems, ("label", "url"))
    label = asked.need("label", read.by_language(_label))
    url = asked.need("url", url_of(link_hosts))
    return (dict(label), url) if label is not None else (None, url)
