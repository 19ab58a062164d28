"""What are gates called where people read how often each was closed?"""

from __future__ import annotations

from followups.rules.conditions import Text

UNDER_WAY = "under_way"
"""Matched, but the rule's follow-up is under way, cooling down or done: no gate, but no message either."""
GATES = {
    "not_linked": Text(ja="LINE と未連携", en="not linked on LINE"),
    "blocked": Text(ja="ブロック中・友だちでない", en="blocked, or no friend"),
    "consent": Text(ja="同意なし", en="no consent"),
    "conversation": Text(ja="会話中・対応中", en="people are talking"),
    "quiet_hours": Text(ja="送信を控える時間帯", en="quiet hours"),
    "caps": Text(ja="配信上限", en="caps"),
    "silence": Text(ja="返事がないため休止", en="resting: no answer so far"),
    "missing_value": Text(ja="本文に必要な値がない", en="a value the text needs is missing"),
    "holdout": Text(ja="比較対象（送らない）", en="holdout"),
    "arbitration": Text(ja="別の規則が優先", en="another rule goes first"),
    "open_lead": Text(ja="対応中の案件あり", en="a lead is open"),
    "preferences": Text(ja="本人の希望により", en="as they wish"),
    "approval": Text(ja="承認待ち", en="waits for approval"),
    "canary": Text(ja="試し送りの人数の外", en="beyond the canary"),
    "quota": Text(ja="通数の枠がない", en="no messages left"),
    "step": Text(ja="手順の途中で待っている", en="waits at a step"),
    UNDER_WAY: Text(ja="進行中・期間をおいている", en="under way, or ran before"),
}
"""What a gate is called in a list of counts."""


def gate_said(gate: str, language: str) -> str:
    """What a gate is called."""
    known = GATES.get(gate, Text(ja=gate, en=gate))
    return known.ja if language == "ja" else known.en
