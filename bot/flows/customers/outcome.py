"""What do an attempt, a refusal to try and LINE's answer make of a promised message?

Pure bookkeeping on one row, so that every path to a final state is read in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never
from zoneinfo import ZoneInfo

from bot.line.answers import is_unauthorized
from bot.ports import Accepted, QuotaExceeded, Rejected, SendOutcome, TryLater
from db.talk.messages import MessageKind, MessageState
from db.talk.outbox import Outgoing
from followups.verdicts import Cancel

GIVE_UP_AFTER = timedelta(hours=20)
"""Since the first attempt; the retry key lives 24 hours, after it the same request is a second message."""
TOO_LATE_AFTER = timedelta(hours=24)
"""An answer, or a person's message, that could not even be tried for so long says nothing any more."""
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=15)
REPLY_PAUSE = timedelta(seconds=1)
UNAUTHORIZED_PAUSE = timedelta(minutes=10)
QUOTA_PAUSE = timedelta(hours=1)
"""A narrowcast may only reserve the quota for a while, so it is tried again before the month ends."""
QUOTA = "line_quota"
"""The setting that holds counted messages back: {"until": moment}."""
JST = ZoneInfo("Asia/Tokyo")
"""LINE's months are Japan's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One message about to go out. `reply_token` None: as a push."""

    message: Outgoing
    reply_token: str | None


class NotTried(StrEnum):
    """The batch learnt something on the way that made this request pointless, or ran out of time."""

    QUOTA = "quota"
    UNAUTHORIZED = "unauthorized"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is said in the alerts channel; once per key."""

    key: str
    ja: str
    en: str


def expiry(message: Outgoing, *, now: datetime) -> MessageState | None:
    """The state of a message that has waited too long to be sent, or cannot be sent safely any more."""
    first = message.first_attempt_at
    if first is not None and now - first >= GIVE_UP_AFTER:
        return MessageState.UNKNOWN
    if message.reply_tried_at is not None and not _is_fresh(message, now=now):
        return MessageState.UNKNOWN
    if first is None and message.kind != MessageKind.RULE and now - message.promised_at >= TOO_LATE_AFTER:
        return MessageState.DEAD if message.kind == MessageKind.PERSON else MessageState.CANCELLED
    return None


def expire(message: Outgoing, state: MessageState, *, now: datetime) -> list[Told]:
    """Settle a message whose time is over; returns what staff have to hear."""
    if state is MessageState.UNKNOWN:
        because = "LINE の応答を確認できず、二重送信を避けるため送信を止めました"
    else:
        because = "送信できないまま時間が過ぎたため取りやめました"
    _settle(message, state, because, now=now)
    if state is MessageState.CANCELLED:
        return []
    if state is MessageState.DEAD:
        return [
            Told(
                key=f"message:{message.message_id}",
                ja=f"24時間たっても送信できなかったため取りやめました（message_id {message.message_id}）。",
                en="A message could not be sent for 24 hours and was given up"
                f" (message_id {message.message_id}).",
            )
        ]
    return [
        Told(
            key=f"message:{message.message_id}",
            ja=f"LINE への送信を確認できませんでした（message_id {message.message_id}）。"
            "届いているかをお客様との会話で確かめてください。自動では再送しません。",
            en=f"Sending on LINE could not be confirmed (message_id {message.message_id})."
            " Check in the conversation whether it arrived; it will not be sent again by itself.",
        )
    ]


def _is_fresh(message: Outgoing, *, now: datetime) -> bool:
    until = message.reply_token_until
    return message.reply_token is not None and until is not None and now < until


def token_for(message: Outgoing, *, now: datetime) -> str | None:
    """A reply is free but takes no retry key: once a push may have been taken, there is no way back to it."""
    return message.reply_token if message.first_attempt_at is None and _is_fresh(message, now=now) else None


def start(message: Outgoing, *, now: datetime) -> Attempt:
    """A request for it is about to be started; to be committed before that."""
    token = token_for(message, now=now)
    message.state = MessageState.SENDING.value
    message.attempts += 1
    message.attempted_at = now
    if token is None:
        message.first_attempt_at = message.first_attempt_at or now
    else:
        message.reply_tried_at = message.reply_tried_at or now
    message.because = None
    return Attempt(message=message, reply_token=token)


def stop(message: Outgoing, verdict: Cancel, *, now: datetime) -> None:
    """It must not go out any more."""
    if message.first_attempt_at is not None or message.reply_tried_at is not None:
        state = MessageState.UNKNOWN  # LINE may have taken it already
    elif verdict.gate == "superseded":
        state = MessageState.SUPERSEDED
    else:
        state = MessageState.CANCELLED
    _settle(message, state, f"{verdict.gate}: {verdict.because.ja}", now=now)


def queue(message: Outgoing, *, not_before: datetime) -> None:
    """It waits until then."""
    message.state = MessageState.QUEUED.value
    message.not_before = not_before


def _settle(message: Outgoing, state: MessageState, because: str | None, *, now: datetime) -> None:
    message.state = state.value
    message.because = because
    message.settled_at = now
    message.reply_token = None


def note(attempt: Attempt, outcome: SendOutcome | NotTried, *, jitter: float, now: datetime) -> list[Told]:
    """Write LINE's answer into the row; returns what staff have to hear.

    Args:
        jitter: between 0 and 1, spreads the repeats of a whole batch.
    """
    message = attempt.message
    match outcome:
        case Accepted():
            _settle(message, MessageState.ACCEPTED, None, now=now)
            message.line_request_id = outcome.request_id
            message.line_message_ids = list(outcome.message_ids)
        case TryLater(is_rate_limit=True):
            _untried(message)
            queue(message, not_before=now + _pause(message, jitter))
            message.because = outcome.because
        case TryLater(is_untaken=True):
            _untried(message)
            queue(message, not_before=now + (REPLY_PAUSE if attempt.reply_token else _pause(message, jitter)))
            message.because = outcome.because
        case TryLater():
            pause = REPLY_PAUSE if attempt.reply_token else _pause(message, jitter)
            queue(message, not_before=now + pause)
            message.because = outcome.because
        case QuotaExceeded():
            _untried(message)
            queue(message, not_before=quota_pause(now))
            message.because = "LINE: monthly limit"
            return [_quota_told(now)]
        case NotTried():
            _untried(message)
            message.attempts -= 1
            queue(message, not_before=_not_tried_until(outcome, now=now))
        case Rejected() if is_unauthorized(outcome):
            _untried(message)
            queue(message, not_before=now + UNAUTHORIZED_PAUSE)
            message.because = outcome.because
            return [_unauthorized_told(now)]
        case Rejected(is_token_spent=True) if attempt.reply_token is not None:
            _token_spent(message, now=now)
        case Rejected():
            _settle(message, MessageState.DEAD, outcome.because, now=now)
            return [_dead_told(message, outcome)]
        case _:
            assert_never(outcome)
    return []


def _not_tried_until(reason: NotTried, *, now: datetime) -> datetime:
    match reason:
        case NotTried.QUOTA:
            return quota_pause(now)
        case NotTried.UNAUTHORIZED:
            return now + UNAUTHORIZED_PAUSE
        case NotTried.LATE:
            return now


def _token_spent(message: Outgoing, *, now: datetime) -> None:
    """The first try of a reply failed for sure: pushed instead. A repeat may mean that the first arrived."""
    message.reply_token = None
    if message.reply_tried_at == message.attempted_at:
        message.reply_tried_at = None
        queue(message, not_before=now)
    else:
        _settle(message, MessageState.UNKNOWN, "返信トークンは使用済み（初回の結果は不明）", now=now)


def _untried(message: Outgoing) -> None:
    """LINE has certainly not taken this attempt: if it was the first, nothing of it is unknown."""
    if message.first_attempt_at == message.attempted_at:
        message.first_attempt_at = None
    if message.reply_tried_at == message.attempted_at:
        message.reply_tried_at = None


def _pause(message: Outgoing, jitter: float) -> timedelta:
    """Exponential, with jitter: 2 s, 4 s, 8 s … 15 min, each cut or stretched by up to a quarter."""
    pause: timedelta = min(FIRST_PAUSE * 2 ** min(message.attempts - 1, 16), LONGEST_PAUSE)
    return pause * (0.75 + jitter / 2)


def quota_pause(now: datetime) -> datetime:
    """Until when counted messages rest: an hour, or the new month in Japan if that is sooner."""
    local = now.astimezone(JST)
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    next_month = (first + timedelta(days=32)).replace(day=1)
    return min(next_month, now + QUOTA_PAUSE)


def _quota_told(now: datetime) -> Told:
    return Told(
        key=f"{QUOTA}:{now.astimezone(JST):%Y-%m}",
        ja="LINE の今月の送信数の上限に達しました。無料の返信以外の送信を止めています。"
        "LINE 公式アカウントのプランか追加メッセージの上限をご確認ください。"
        "1時間ごとに確かめ、再開できれば自動で再開します。",
        en="This month's LINE message limit is reached. Everything but free replies waits. Check the plan, or"
        " the cap of additional messages, of your LINE Official Account. It is tried again every hour.",
    )


def _unauthorized_told(now: datetime) -> Told:
    return Told(
        key=f"line_token:{now.astimezone(JST):%Y-%m-%d}",
        ja="LINE がチャネルアクセストークンを受け付けません。送信はすべて待っています。"
        "LINE Developers コンソールで発行し直し、LINE_CHANNEL_ACCESS_TOKEN に設定して再起動してください。",
        en="LINE does not accept the channel access token; all messages wait. Issue a new one in the LINE"
        " Developers console, set LINE_CHANNEL_ACCESS_TOKEN, and restart.",
    )


def _dead_told(message: Outgoing, outcome: Rejected) -> Told:
    return Told(
        key=f"message:{message.message_id}",
        ja=f"LINE がメッセージを受け付けませんでした（message_id {message.message_id}）: {outcome.because}",
        en=f"LINE refused a message (message_id {message.message_id}): {outcome.because}",
    )
