"""What does LINE tell of our account: its name, quota, figures, and whether it would take a message?"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from urllib.parse import quote

from bot.errors import Unavailable
from bot.line.answers import said_of
from bot.ports import FollowerFigures, Json, LineQuota, UnitFigures

_VALIDATE = "/v2/bot/message/validate/push"
_QUOTA, _CONSUMPTION = "/v2/bot/message/quota", "/v2/bot/message/quota/consumption"
_INSIGHT, _RICH_MENU = "/v2/bot/insight", "/v2/bot/richmenu"
UNIT_MOST = 30
_UNIT_PREFIX = "y_"
_UNSAYABLE = re.compile(r"[^A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What LINE answered to a question: status, the JSON object (empty: none), the header Date."""

    status: int
    body: Json
    date: str | None


class AccountQuestions(ABC):
    """Everything that is asked of LINE and is no message; how a question travels is the client's."""

    _bot: Json

    @abstractmethod
    async def ask(self, path: str, *, method: str = "GET", body: Json | None = None) -> Told:
        """Ask, and take LINE's errors for answers.

        Raises:
            Unavailable: no answer came.
        """

    async def basic_id(self) -> str:
        """The account's @id, for links that open its chat; asked for once.

        Raises:
            Unavailable: LINE did not answer, or refused our token.
        """
        return str((await self._bot_info()).get("basicId") or "")

    async def bot_user_id(self) -> str:
        """The account's own user id, which its webhooks name as `destination`; asked for once.

        Raises:
            Unavailable: LINE did not answer, or refused our token.
        """
        return str((await self._bot_info()).get("userId") or "")

    async def _bot_info(self) -> Json:
        if not self._bot:
            told = await self.ask("/v2/bot/info")
            if told.status != 200 or not told.body.get("userId"):
                raise Unavailable(f"LINE bot info: {told.status}")
            self._bot = told.body
        return self._bot

    async def link_token(self, line_user_id: str) -> str | None:
        """A token for the account-link dialog: 10 minutes, once (Issue link token); None: not for this user.

        Raises:
            Unavailable: LINE did not answer, or refused our token.
        """
        told = await self.ask(f"/v2/bot/user/{quote(line_user_id, safe='')}/linkToken", method="POST")
        if told.status in {400, 404}:
            return None
        token = told.body.get("linkToken")
        if told.status != 200 or not isinstance(token, str):
            raise Unavailable(f"LINE link token: {told.status}")
        return token

    async def leave(self, kind: str, group_id: str) -> bool:
        """Leave a `group` or a `room` (Leave group chat); False: the account is not in it.

        Raises:
            Unavailable: LINE did not answer, or refused our token.
        """
        told = await self.ask(f"/v2/bot/{kind}/{quote(group_id, safe='')}/leave", method="POST")
        if told.status in {400, 404}:
            return False
        if told.status != 200:
            raise Unavailable(f"LINE leave: {told.status}")
        return True

    async def quota(self) -> LineQuota:
        """How many messages the month has, and how many of them are used (Get quota, Get consumption).

        Raises:
            Unavailable: LINE did not answer.
        """
        quota, consumption = await self.ask(_QUOTA), await self.ask(_CONSUMPTION)
        used, limit = consumption.body.get("totalUsage"), quota.body.get("value")
        if quota.status != 200 or consumption.status != 200 or not isinstance(used, int):
            raise Unavailable(f"LINE quota: {quota.status}, {consumption.status}")
        is_limited = quota.body.get("type") == "limited" and isinstance(limit, int)
        return LineQuota(limit=limit if is_limited else None, used=used)

    async def unit_figures(self, unit: str, *, start: date, end: date) -> UnitFigures | None:
        """What became of one unit's messages between two days in Japan (Get statistics per unit).

        Raises:
            Unavailable: LINE did not answer, or was asked more than 60 times in an hour.
        """
        span = f"from={start:%Y%m%d}&to={end:%Y%m%d}"
        told = await self.ask(f"{_INSIGHT}/message/event/aggregation?customAggregationUnit={unit}&{span}")
        if told.status == 429 or told.status >= 500:
            raise Unavailable(f"LINE insight: {told.status}")
        overview = told.body.get("overview")
        if told.status != 200 or not isinstance(overview, dict):
            return None
        return UnitFigures(
            seen_by=_number(overview.get("uniqueImpression")), clicked_by=_number(overview.get("uniqueClick"))
        )

    async def followers(self, day: date) -> FollowerFigures | None:
        """How many had added the account by a day (Get number of followers); None: not counted yet.

        Raises:
            Unavailable: LINE did not answer, or was asked more than 60 times in an hour.
        """
        told = await self.ask(f"{_INSIGHT}/followers?date={day:%Y%m%d}")
        if told.status == 429 or told.status >= 500:
            raise Unavailable(f"LINE insight: {told.status}")
        numbers = [_number(told.body.get(name)) for name in ("followers", "targetedReaches", "blocks")]
        if told.status != 200 or told.body.get("status") != "ready" or None in numbers:
            return None
        followers, reached, blocks = [each or 0 for each in numbers]
        return FollowerFigures(followers=followers, reached=reached, blocks=blocks)

    async def validate(self, bubbles: Sequence[Json]) -> str | None:
        """What LINE itself has against these message objects; None: nothing. Sends and counts nothing.

        Raises:
            Unavailable: LINE did not answer, or refused our token.
        """
        told = await self.ask(_VALIDATE, method="POST", body={"messages": [*bubbles]})
        if told.status == 200:
            return None
        if told.status != 400:
            raise Unavailable(f"LINE validate: {told.status}")
        return said_of(json.dumps(told.body))

    async def link_menus(self, rich_menu_id: str | None, line_user_ids: Sequence[str]) -> bool:
        """Show these users (up to 500) this rich menu, or the default (Link, Unlink rich menu, bulk; 202).

        Raises:
            Unavailable: LINE did not answer.
        """
        body: Json = {"userIds": [*line_user_ids]}
        if rich_menu_id is not None:
            body["richMenuId"] = rich_menu_id
        told = await self.ask(
            f"{_RICH_MENU}/bulk/{'unlink' if rich_menu_id is None else 'link'}", method="POST", body=body
        )
        if told.status not in {200, 202, 400, 404}:
            raise Unavailable(f"LINE rich menu: {told.status}")
        return told.status in {200, 202}


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def unit_name(rule_id: str, variant: str | None = None) -> str:
    """The name under which LINE counts what becomes of a rule's messages (Get statistics per unit).

    `[A-Za-z0-9_]{1,30}`, one per push, and LINE keeps 1,000 different ones a month: one per rule and variant,
    never per customer or day. Readable where it fits (`y_inactive_14d_a_3f9c1b`), and never
    the same for two rules or variants.
    """
    whole = f"{rule_id}\0{variant or ''}"
    tail = blake2b(whole.encode(), digest_size=3).hexdigest()
    shown = _UNSAYABLE.sub("_", f"{rule_id}_{variant}" if variant else rule_id)
    return f"{_UNIT_PREFIX}{shown[: UNIT_MOST - len(_UNIT_PREFIX) - len(tail) - 1]}_{tail}"
