"""Does this webhook come from LINE?"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from binascii import Error
from hashlib import sha256


def signature_of(secret: str, body: bytes) -> str:
    """base64(HMAC-SHA256(channel secret, raw body)) (Verify webhook signature)."""
    return b64encode(hmac.digest(secret.encode(), body, sha256)).decode()


def is_signed(secret: str, body: bytes, signature: str | bytes | None) -> bool:
    """Was the raw body signed with this channel secret? Compared in constant time, as bytes.

    A missing, empty, non-ASCII or otherwise unreadable signature is simply not one.
    """
    if not signature:
        return False
    try:
        given = signature if isinstance(signature, bytes) else signature.encode("ascii")
        claimed = b64decode(given, validate=True)
    except (UnicodeEncodeError, Error, ValueError):
        return False
    return hmac.compare_digest(hmac.digest(secret.encode(), body, sha256), claimed)


def secrets_of(text: str) -> tuple[str, ...]:
    """The channel secrets in a setting: one, or the new and the old one with a comma between (rotation).

    LINE gives a channel one secret at a time, and a re-issued one counts at once (Verify webhook signature).
    """
    return tuple(secret for each in text.split(",") if (secret := each.strip()))
