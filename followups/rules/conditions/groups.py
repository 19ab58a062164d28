"""What do several conditions say together?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from followups.facts import Facts
from followups.rules.checks import Check, Condition, Text, Threshold
from followups.signals import Watch


def _moments(checks: Sequence[Check]) -> list[datetime]:
    return [check.flips_at for check in checks if check.flips_at is not None]


def _all_flipped(checks: Sequence[Check]) -> datetime | None:
    """Not before each of these has flipped once; None when one of them never does."""
    moments = _moments(checks)
    return max(moments) if moments and len(moments) == len(checks) else None


def _one_flipped(checks: Sequence[Check]) -> datetime | None:
    return min(_moments(checks), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """`all` | `any` | `none` of the members. No members: `all` and `none` hold, `any` does not."""

    kind: str
    members: tuple[Condition, ...]

    def check(self, facts: Facts, *, now: datetime) -> Check:
        """Decide from the members.

        `flips_at`: a value that rests on every member changes when the first of them flips; one that rests
        on some members alone cannot change before all of those have flipped (early where one flips back).
        """
        parts = tuple([member.check(facts, now=now) for member in self.members])
        met = [part for part in parts if part.holds]
        number = len(parts)
        if self.kind == "all":
            unmet = [part for part in parts if not part.holds] if len(met) < number else []
            flips_at = _all_flipped(unmet) if unmet else _one_flipped(parts)
            return Check(
                holds=not unmet,
                because=unmet[0].because
                if unmet
                else Text(ja=f"{number}件すべて成立", en=f"all {number} hold"),
                flips_at=flips_at,
                parts=parts,
                kind=self.kind,
            )
        flips_at = _all_flipped(met) if met else _one_flipped(parts)
        if met:
            because = met[0].because
        elif number == 1:
            because = parts[0].because
        else:
            because = Text(ja=f"{number}件のいずれも成立しない", en=f"none of {number} holds")
        holds = bool(met) if self.kind == "any" else not met
        return Check(holds=holds, because=because, flips_at=flips_at, parts=parts, kind=self.kind)

    def thresholds(self) -> tuple[Threshold, ...]:
        """The members', each once."""
        return tuple(dict.fromkeys(each for member in self.members for each in member.thresholds()))

    def watches(self) -> tuple[Watch, ...]:
        """The members'."""
        return tuple(each for member in self.members for each in member.watches())

    def needs_alarm(self) -> bool:
        """True when one member does."""
        return any(member.needs_alarm() for member in self.members)
