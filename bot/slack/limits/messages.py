"""Would Slack accept this message: its text, its blocks together, its metadata, its thread?

Source: docs.slack.dev, chat.postMessage and chat.update; `msg_blocks_too_long` is undocumented and was seen
at about 13,200 characters.
"""

import json
from collections.abc import Iterator, Mapping

from bot.slack.limits.blocks import block
from bot.slack.limits.walk import Problem, Surface, Walk, array, found, listed, one, unique

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
BLOCKS_CHARACTERS = 13_200
"""Everything that is read in one message's blocks together."""
MARKDOWN_CHARACTERS = 12_000
"""Over all markdown blocks of one message."""
TEXT_CHARACTERS = 4_000
"""chat.update refuses more, chat.postMessage cuts at 40,000; a text has to survive both."""
METADATA_CHARACTERS = 8_000
"""Of JSON; Slack names an error for too much metadata and no figure."""

_READ = ("text", "alt_text", "title", "label", "caption", "subtitle", "description")
_ARGUMENTS = frozenset(
    {
        "channel", "ts", "user", "text", "blocks", "attachments", "metadata", "markdown_text", "thread_ts",
        "reply_broadcast", "unfurl_links", "unfurl_media", "mrkdwn", "parse", "link_names", "username",
        "icon_emoji", "icon_url", "as_user", "file_ids",
    }
)  # fmt: skip


def validate_blocks(blocks: object, surface: Surface, *, pointer: str = "/blocks") -> list[Problem]:
    """Problems of a list of blocks as a whole on `surface`; pointers begin with `pointer`."""
    walk = Walk(surface)
    most = MESSAGE_BLOCKS if surface == "message" else VIEW_BLOCKS
    one(walk, pointer, blocks, array(block, least=0, most=most))
    unique(walk, _block_ids(blocks, pointer), 'block_id "{}" already exists for another block')
    if surface == "message":
        _together(walk, blocks, pointer)
    return walk.problems


def _block_ids(blocks: object, pointer: str) -> Iterator[tuple[str, object]]:
    yield from found(blocks, "block_id", pointer)


def _together(walk: Walk, blocks: object, pointer: str) -> None:
    """Limits that bind the blocks of one message together."""
    kinds = [each.get("type") if isinstance(each, Mapping) else None for each in listed(blocks)]
    if kinds.count("table") > 1:
        walk.wrong(pointer, "only one table is allowed in a message")
    if kinds.count("data_visualization") > 2:
        walk.wrong(pointer, "only two data_visualization blocks are allowed in a message")
    markdown = sum(
        len(str(each.get("text", "")))
        for each in listed(blocks)
        if isinstance(each, Mapping) and each.get("type") == "markdown"
    )
    if markdown > MARKDOWN_CHARACTERS:
        walk.wrong(pointer, f"markdown must be less than {MARKDOWN_CHARACTERS + 1} characters in all")
    if read_characters(blocks) > BLOCKS_CHARACTERS:
        walk.wrong(
            pointer, f"must be less than {BLOCKS_CHARACTERS + 1} characters in all", "msg_blocks_too_long"
        )


def read_characters(blocks: object) -> int:
    """Characters a reader sees in these blocks: texts, labels, titles, cells, alt texts."""
    return sum(_strings(blocks, is_read=False))


def _strings(value: object, *, is_read: bool) -> Iterator[int]:
    if isinstance(value, str):
        if is_read:
            yield len(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _strings(item, is_read=key in _READ)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item, is_read=is_read)


def validate_message(message: Mapping[str, object]) -> list[Problem]:
    """Problems of the arguments of chat.postMessage, chat.update (with `ts`) or chat.postEphemeral.

    A text over 4,000 characters is a problem here (`msg_too_long`) although chat.postMessage would only cut
    it at 40,000. `metadata` of `{}` clears it, so it is allowed with `ts`.
    """
    walk = Walk("message")
    for key, value in message.items():
        if key not in _ARGUMENTS:
            walk.wrong(f"/{key}", f"invalid additional property: {key}", "invalid_arguments")
        elif value is None:
            walk.wrong(f"/{key}", "must not be null", "invalid_arguments")
    _text(walk, message)
    _thread(walk, message)
    if message.get("blocks") is not None:
        walk.problems += validate_blocks(message["blocks"], "message")
    _attachments(walk, message)
    if message.get("metadata") is not None:
        _metadata(walk, message["metadata"], is_update="ts" in message)
    return walk.problems


def _text(walk: Walk, message: Mapping[str, object]) -> None:
    text, markdown = message.get("text"), message.get("markdown_text")
    if text is not None and not isinstance(text, str):
        walk.wrong("/text", "must be a string", "invalid_arguments")
    if isinstance(text, str) and len(text) > TEXT_CHARACTERS:
        walk.wrong("/text", f"must be less than {TEXT_CHARACTERS + 1} characters", "msg_too_long")
    if markdown is not None:
        if message.get("text") or message.get("blocks"):
            walk.wrong("/markdown_text", "must stand without text and blocks", "markdown_text_conflict")
        if not isinstance(markdown, str) or not 0 < len(markdown) <= MARKDOWN_CHARACTERS:
            walk.wrong(
                "/markdown_text", f"must be less than {MARKDOWN_CHARACTERS + 1} characters", "msg_too_long"
            )
    if not any(message.get(key) for key in ("text", "blocks", "attachments", "markdown_text", "file_ids")):
        walk.wrong("/text", "must provide text or blocks", "no_text")


def _thread(walk: Walk, message: Mapping[str, object]) -> None:
    for key in ("thread_ts", "ts"):
        if key in message and not is_ts(message[key]):
            walk.wrong(f"/{key}", "must be a ts such as 1732233600.000123, as a string", "invalid_arguments")
    if message.get("reply_broadcast") and "thread_ts" not in message:
        walk.wrong("/reply_broadcast", "must come with thread_ts", "invalid_arguments")


def is_ts(value: object) -> bool:
    """Whether this is a message's ts: a string of seconds, a dot and six digits."""
    if not isinstance(value, str):
        return False
    seconds, dot, fraction = value.partition(".")
    return dot == "." and len(seconds) == 10 and len(fraction) == 6 and f"{seconds}{fraction}".isdecimal()


def _attachments(walk: Walk, message: Mapping[str, object]) -> None:
    attachments = message.get("attachments")
    if attachments is None:
        return
    if not isinstance(attachments, list):
        walk.wrong("/attachments", "must be an array", "invalid_arguments")
        return
    if len(attachments) > 100:
        walk.wrong("/attachments", "no more than 100 items allowed", "too_many_attachments")
    for at, attachment in enumerate(attachments):
        if not isinstance(attachment, Mapping):
            walk.wrong(f"/attachments/{at}", "must provide an object", "invalid_arguments")
        elif "blocks" in attachment:
            where = f"/attachments/{at}/blocks"
            walk.problems += validate_blocks(attachment["blocks"], "message", pointer=where)


def _metadata(walk: Walk, metadata: object, *, is_update: bool) -> None:
    wrong = "invalid_metadata_format"
    if not isinstance(metadata, Mapping):
        walk.wrong("/metadata", "must provide an object", wrong)
        return
    if not metadata and is_update:
        return
    event_type, payload = metadata.get("event_type"), metadata.get("event_payload")
    if not isinstance(event_type, str) or not 0 < len(event_type) <= 255:
        walk.wrong("/metadata/event_type", "must be a string of 1 to 255 characters", wrong)
    if not isinstance(payload, Mapping):
        walk.wrong("/metadata/event_payload", "must provide an object", wrong)
    for key in metadata:
        if key not in {"event_type", "event_payload"}:
            walk.wrong(f"/metadata/{key}", f"invalid additional property: {key}", wrong)
    try:
        written = len(json.dumps(metadata, ensure_ascii=False))
    except (TypeError, ValueError):
        walk.wrong("/metadata/event_payload", "must be JSON", wrong)
        return
    if written > METADATA_CHARACTERS:
        walk.wrong(
            "/metadata", f"must be less than {METADATA_CHARACTERS + 1} characters", "metadata_too_large"
        )
