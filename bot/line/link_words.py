"""Does a customer ask, with all they write, to connect this chat with their account, or to end that?"""

from __future__ import annotations

import unicodedata
from typing import Literal

import regex

_BARE = regex.compile(r"[\s\p{P}\p{S}\p{M}\p{Cf}\p{Co}\p{So}ー～〜]+")
_PLEASE = (
    "(?:して|を)?(?:ください|下さい|ほしい(?:です)?|したい(?:です)?|希望(?:です)?"
    "|お?願い(?:します|いたします)?|します)?"
)
_WHAT = "(?:line|ライン|アカウント|会員|id)?(?:の|と)?(?:アカウント)?(?:の|を)?"
_START = regex.compile(rf"{_WHAT}連携{_PLEASE}|(?:please)?(?:link|connect)(?:my)?(?:account)?(?:please)?")
_END = regex.compile(
    rf"{_WHAT}連携(?:の|を)?(?:解除|取り消し|取消|停止|やめ|切っ)(?:たい(?:です)?|て)?{_PLEASE}"
    r"|(?:please)?(?:unlink|disconnect)(?:my)?(?:account)?(?:please)?"
)


def link_wish_in(text: str) -> Literal["start", "end"] | None:
    """連携, アカウント連携したい: `start`; 連携解除, unlink: `end`; anything longer is for a person."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    bare = _BARE.sub("", plain)
    if not bare or len(bare) > 30 or "?" in plain:
        return None
    if _END.fullmatch(bare):
        return "end"
    return "start" if _START.fullmatch(bare) else None
