"""Which conditions ask what a customer did with our messages: clicked, replied, reacted?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from followups.facts import Facts
from followups.rules.checks import Check, Text, Threshold, signal_of
from followups.signals import CLICKED, REACTED, REPLIED, Watch
from followups.words.wording import age_en, age_ja, span_en, span_ja


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """`clicked: NAME`, `replied: true`, `reacted: SIGNAL`, each optionally `within: 7d`.

    `key` is `clicked_key`, `$replied` or `reacted_key`; `is_wanted` False: it must not have happened.
    """

    key: str
    within: timedelta | None = None
    is_wanted: bool = True

    def check(self, facts: Facts, *, now: datetime) -> Check:
        """Until just before `last_at + within`; without `within` time alone changes nothing."""
        signal = signal_of(facts, self.key)
        at = signal.last_at if signal is not None else None
        ends_at = at + self.within if at is not None and self.within is not None else None
        happened = at is not None and (ends_at is None or now < ends_at)
        return Check(
            holds=happened == self.is_wanted,
            because=Text.later(lambda: self._said(None if at is None else now - at)),
            flips_at=ends_at if ends_at is not None and happened else None,
        )

    def _said(self, age: timedelta | None) -> Text:
        what, name = self._words()
        asked_ja = f"直近{span_ja(self.within)}に" if self.within is not None else ""
        asked_en = f" in the last {span_en(self.within)}" if self.within is not None else ""
        if age is None:
            said = Text(ja=f"{name}{what.ja}はない", en=f"never {what.en}{name and f' {name.strip()}'}")
        else:
            said = Text(
                ja=f"{name}{what.ja}は {age_ja(age)}",
                en=f"{what.en}{name and f' {name.strip()}'} {age_en(age)}",
            )
        if not asked_ja and self.is_wanted:
            return said
        ja, en = ("ある", "yes") if self.is_wanted else ("ない", "not")
        return Text(ja=f"{said.ja}（条件: {asked_ja}{ja}）", en=f"{said.en} (asked: {en}{asked_en})")

    def _words(self) -> tuple[Text, str]:
        kind, _, name = self.key.partition(":")
        said = f"{name} " if name else ""
        match kind:
            case _ if kind == CLICKED:
                return Text(ja="のクリック" if name else "クリック", en="clicked"), said
            case _ if kind == REACTED:
                return Text(ja="の回答", en="reacted"), said
            case _ if kind == REPLIED:
                return Text(ja="返信", en="replied"), said
            case _:
                return Text(ja="", en=""), said

    def thresholds(self) -> tuple[Threshold, ...]:
        """The latest one leaving the window."""
        return (Threshold(key=self.key, after=self.within),) if self.within is not None else ()

    def watches(self) -> tuple[Watch, ...]:
        """The own row of what our flows record."""
        return (Watch(event=self.key),)

    def needs_alarm(self) -> bool:
        """Found by index."""
        return False
