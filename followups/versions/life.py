"""From which state may a rule go into which?"""

from __future__ import annotations

from collections.abc import Mapping

from followups.rules.conditions import Text
from followups.rules.model import RuleState

_ONWARDS: Mapping[RuleState, frozenset[RuleState]] = {
    RuleState.DRAFT: frozenset({RuleState.SHADOW, RuleState.CANARY, RuleState.LIVE}),
    RuleState.SHADOW: frozenset({RuleState.CANARY, RuleState.LIVE, RuleState.PAUSED}),
    RuleState.CANARY: frozenset({RuleState.CANARY, RuleState.LIVE, RuleState.SHADOW, RuleState.PAUSED}),
    RuleState.LIVE: frozenset({RuleState.SHADOW, RuleState.PAUSED}),
    RuleState.PAUSED: frozenset({RuleState.SHADOW, RuleState.CANARY, RuleState.LIVE}),
}


def may_switch(before: RuleState, after: RuleState) -> Text | None:
    """Why a rule cannot go from `before` to `after`, and what to do; None: it can.

    A rule that writes to everybody cannot be tried on a few: it is paused first. Nothing becomes a draft.
    """
    if (before is after and after is not RuleState.CANARY) or after in _ONWARDS[before]:
        return None
    if after is RuleState.CANARY:
        return Text(
            ja="すでに全員に送っています（先に rules pause してください）",
            en="it writes to everybody already (run rules pause first)",
        )
    return Text(
        ja=f"{before.value} から {after.value} にはできません（rules enable --shadow か rules pause を）",
        en=f"it cannot go from {before.value} to {after.value} (use rules enable --shadow, or rules pause)",
    )
