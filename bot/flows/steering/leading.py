"""Who may steer rules, and what does one of their presses hold in its hands?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.staff.acting import Actor, actor_of, zone_of
from bot.ports import Json
from bot.slack.rule_blocks.steers import Spot, Steer, Subject
from followups.rules.model import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """One press of a support lead, about to take effect in the transaction that marks it done."""

    deps: Deps
    actor: Actor
    steer: Steer
    policy: Policy
    now: datetime
    event_id: str

    @property
    def by(self) -> str:
        """Who, as the audit trail keeps it."""
        return self.actor.slack_user_id

    @property
    def subject(self) -> Subject:
        """What it is about."""
        return self.steer.subject

    def at(self, moment: datetime) -> str:
        """A moment as the person's clock shows it."""
        zone = zone_of(self.actor.profile.timezone, self.policy)
        local, today = moment.astimezone(zone), self.now.astimezone(zone)
        return local.strftime("%H:%M" if local.date() == today.date() else "%m/%d %H:%M")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What to tell the person. `blocks`: more than words, in their language. People are written `<@U…>`.

    `wakes`: stories that have something to do now. `is_scanning`: rules have to be looked through.
    """

    ja: str
    en: str
    blocks: Callable[[str], Sequence[Json]] | None = None
    wakes: Sequence[str] = field(default_factory=tuple)
    is_scanning: bool = False
    is_refused: bool = False

    def said(self, language: str) -> str:
        """In one language."""
        return self.ja if language.startswith("ja") else self.en


async def lead_of(deps: Deps, slack_user_id: str) -> Actor:
    """Who this is, if they may steer rules. Asks Slack (cached): never inside a transaction.

    Without `SLACK_SUPPORT_LEADS_GROUP` every full member who may act on leads may.

    Raises:
        Refused: not a support lead.
        Unavailable: Slack did not answer.
    """
    actor = await actor_of(deps, slack_user_id)
    if deps.settings.slack_support_leads_group and not actor.is_support_lead:
        raise Refused(
            "規則の操作は、サポート責任者のグループのメンバーだけができます。"
            "必要なら、サポート責任者に頼んでください。",
            "Only members of the support-lead group can steer rules. Ask a support lead.",
        )
    return actor


def spot_of(actor: Actor, steer: Steer, *, subject: Subject | None = None, step: str = "") -> Spot:
    """Where a modal is opened from."""
    return Spot(
        subject=subject or steer.subject, channel=steer.channel, language=actor.profile.language, step=step
    )


def chosen(form: Mapping[str, str], key: str) -> str:
    """What was chosen in a modal."""
    return form.get(key, "")
