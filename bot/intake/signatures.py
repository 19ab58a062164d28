"""Was this webhook signed by somebody who knows our secret, just now?

The scheme of Standard Webhooks (https://www.standardwebhooks.com): the headers `webhook-id`,
`webhook-timestamp` (seconds) and `webhook-signature` (`v1,` and the base64 of HMAC-SHA256 over
`id.timestamp.body`; several, separated by spaces). Secrets are base64, perhaps behind `whsec_`.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from bot.errors import Misconfigured

TOLERANCE = timedelta(minutes=5)
"""How far the sender's clock may be from ours; an older request may be a recorded one."""
SHORTEST_SECRET = 16
"""Bytes."""


def secrets_of(setting: str) -> tuple[bytes, ...]:
    """The secrets in a setting: one, or two separated by a comma while they are being exchanged.

    Raises:
        Misconfigured: one is not base64, or too short to be a secret.
    """
    found = []
    for each in filter(None, (part.strip() for part in setting.split(","))):
        try:
            secret = base64.b64decode(each.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            raise _wrong("is not base64") from None
        if len(secret) < SHORTEST_SECRET:
            raise _wrong(f"is shorter than {SHORTEST_SECRET} bytes")
        found.append(secret)
    return tuple(found)


def _wrong(because: str) -> Misconfigured:
    return Misconfigured(f"YORISOI_WEBHOOK_SECRET {because}. Make one with: openssl rand -base64 32")


def is_signed(headers: Mapping[str, str]) -> bool:
    """Does the request claim to be signed?"""
    return "webhook-signature" in headers


def is_genuine(headers: Mapping[str, str], body: bytes, secrets: Iterable[bytes], *, now: datetime) -> bool:
    """Is a signature made with one of the secrets over this very body, within `TOLERANCE` of now?"""
    message_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
        return False
    if abs(now - datetime.fromtimestamp(int(stamp), tz=UTC)) > TOLERANCE:
        return False
    signed = b".".join((message_id.encode("latin-1", "replace"), stamp.encode(), body))
    given = [
        each.removeprefix("v1,").encode("latin-1", "replace")
        for each in headers.get("webhook-signature", "").split(" ")
        if each.startswith("v1,")
    ]
    genuine = False
    for secret in secrets:
        expected = base64.b64encode(hmac.digest(secret, signed, sha256))
        for signature in given[:10]:
            genuine |= hmac.compare_digest(signature, expected)
    return genuine
