"""What is one message of each rule expected to bring? Worked out at night, read whenever somebody decides."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from db.columns import datetime
from db.rulebook.rules import put_setting, setting

EXPECTED = "expected_values"


async def expected_values(session: AsyncSession, *, now: datetime) -> Mapping[str, float]:
    """By rule id: goals that one accepted message adds, drawn towards 0 where little is known.

    A rule that is not in it was never measured: take it as 0. As last kept; the present changes nothing.
    """
    content = await setting(session, EXPECTED)
    return {} if content is None else {str(name): float(value) for name, value in content["by_rule"].items()}


async def keep_expected(session: AsyncSession, values: Mapping[str, float], *, now: datetime) -> None:
    """Keep them until they are worked out again."""
    await put_setting(session, EXPECTED, {"by_rule": dict(values)}, now=now)
