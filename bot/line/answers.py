"""What does LINE's answer to a send mean for the message?

Decided by the status code; only the two kinds of 429 and a spent reply token are told apart by their text,
because LINE gives no other sign (Messaging API reference, Status codes, Error messages).
"""

from __future__ import annotations

import json

from bot.ports import QuotaExceeded, Rejected, SendOutcome, TryLater

UNAUTHORIZED = "401"
_MOST = 500


def refusal_of(status: int, body: object) -> SendOutcome:
    """What a status of 400 and above (409 excepted) means.

    Args:
        body: the answer's body, text or bytes, JSON or not.
    """
    said = said_of(body)
    if status >= 500 or status == 408:
        return TryLater(because=f"LINE answered {status}")
    if status == 429:
        if "monthly limit" in said.lower():
            return QuotaExceeded()
        return TryLater(because=f"429: {said}", is_rate_limit=True)
    if status == 401:
        return Rejected(
            because=f"{UNAUTHORIZED}: LINE does not accept the channel access token"
            f" (set LINE_CHANNEL_ACCESS_TOKEN to a valid one): {said}"
        )
    return Rejected(
        because=f"{status}: {said}",
        is_token_spent=status == 400 and "invalid reply token" in said.lower(),
    )


def is_unauthorized(rejected: Rejected) -> bool:
    """Was our token the reason, and not the message?"""
    return rejected.because.startswith(f"{UNAUTHORIZED}:")


def said_of(body: object) -> str:
    """LINE's words in an answer: the message, and what is wrong where."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return text[:_MOST]
    if not isinstance(parsed, dict):
        return text[:_MOST]
    words = [str(parsed.get("message") or "")]
    details = parsed.get("details")
    words += [
        f"{detail.get('property', '')}: {detail.get('message', '')}"
        for detail in (details if isinstance(details, list) else [])
        if isinstance(detail, dict)
    ]
    return "; ".join(word for word in words if word)[:_MOST]
