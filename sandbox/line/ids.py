"""What do LINE's identifiers and tokens look like?"""

import secrets
from datetime import datetime
from itertools import count

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FIRST_MESSAGE = 461_230_966_842_064_897


class LineIds:
    """Makes identifiers of LINE's forms, none twice."""

    def __init__(self) -> None:
        self._messages = count(_FIRST_MESSAGE, 65_537)

    def user_id(self) -> str:
        return f"U{secrets.token_hex(16)}"

    def message_id(self) -> str:
        return str(next(self._messages))

    def webhook_event_id(self, at: datetime) -> str:
        """A ULID: 48 bits of milliseconds, 80 random bits."""
        number = int(at.timestamp() * 1000) << 80 | secrets.randbits(80)
        return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))

    def reply_token(self) -> str:
        return secrets.token_hex(16)

    def token(self) -> str:
        """A quote token, mark-as-read token or link token."""
        return secrets.token_urlsafe(48)

    def request_id(self) -> str:
        """`x-line-request-id`: in the form of a UUID."""
        digits = secrets.token_hex(16)
        return "-".join((digits[:8], digits[8:12], f"4{digits[13:16]}", f"8{digits[17:20]}", digits[20:]))

    def rich_menu_id(self) -> str:
        return f"richmenu-{secrets.token_hex(16)}"
