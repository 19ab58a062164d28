"""How are texts written so that nothing in them comes alive in Slack?"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import regex

from bot.ports import Json

_JAPAN = timezone(timedelta(hours=9))
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_INVISIBLE = regex.compile(r"[\p{Cc}\p{Cs}\u200b\u2028-\u202e\u2060-\u2069\ufeff--[\n]]", flags=regex.V1)


def escaped(text: str) -> str:
    """Text for mrkdwn or a message's `text`: mentions, links and dates in it stay dead."""
    return text.translate(_ESCAPED)


def unescaped(text: str) -> str:
    """What was typed, of a text as Slack hands it over."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def clean(text: str) -> str:
    """Text without control characters, lone surrogates and marks that turn the reading direction."""
    return str(_INVISIBLE.sub("", text.replace("\r\n", "\n")))


def one_line(text: str) -> str:
    """Text with every run of white space as one space."""
    return " ".join(clean(text).split())


def cut(text: str, most: int) -> str:
    """At most `most` characters, whole graphemes, with an ellipsis where something is missing."""
    if len(text) <= most:
        return text
    if most < 1:
        return ""
    kept = ""
    for grapheme in regex.findall(r"\X", text[: most + 64]):
        if len(kept) + len(grapheme) > most - 1:
            break
        kept += grapheme
    return kept.rstrip() + "…"


def when(moment: datetime) -> str:
    """A moment as mrkdwn, shown in each reader's time zone."""
    fallback = moment.astimezone(_JAPAN).strftime("%Y-%m-%d %H:%M JST")
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"


def mention(slack_user_id: str) -> str:
    """A member, by id."""
    return f"<@{slack_user_id}>"


def plain(text: str) -> Json:
    """A text object in which nothing is markup."""
    return {"type": "plain_text", "text": text or " ", "emoji": False}


def marked(text: str) -> Json:
    """A text object of mrkdwn that we wrote; foreign text in it must be escaped."""
    return {"type": "mrkdwn", "text": text or " ", "verbatim": True}
