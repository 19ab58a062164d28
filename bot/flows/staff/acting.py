"""Who acts on a lead in Slack, may they, and what do they act on?

The stories of a lead's buttons (claim, send_draft, snooze …) run inside the transaction of `press`, which
marks the press done: so each takes effect exactly once. They take an `Act` and return an `Answer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Refused
from bot.ports import StaffProfile
from bot.slack.ids import Target
from bot.slack.mrkdwn import mention
from db.desk.lead_cards import LeadContext, load_context
from db.desk.leads import Lead, LeadState, lead_by_id
from db.desk.posts import add_lead_line, ask_for_card
from db.people.customers import lock_customers
from followups.rules.model import Policy

DEFAULT_ZONE = "Asia/Tokyo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person who may act. `is_support_lead`: may also act on leads that others own."""

    profile: StaffProfile
    is_support_lead: bool = False

    @property
    def slack_user_id(self) -> str:
        """Their id."""
        return self.profile.slack_user_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One press, about to take effect. `form`: what was filled into a modal."""

    deps: Deps
    actor: Actor
    target: Target
    policy: Policy
    now: datetime
    received_at: datetime
    form: Mapping[str, str] = field(default_factory=dict)

    def at(self, moment: datetime) -> str:
        """A moment as the actor's clock shows it: `14:03`, with the date on another day."""
        zone = zone_of(self.actor.profile.timezone, self.policy)
        local, today = moment.astimezone(zone), self.now.astimezone(zone)
        return local.strftime("%H:%M" if local.date() == today.date() else "%m/%d %H:%M")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What to tell the actor; None: the card says it all. People are written as `<@U…>`."""

    ja: str | None = None
    en: str | None = None
    is_refused: bool = False


DONE = Answer()


async def actor_of(deps: Deps, slack_user_id: str) -> Actor:
    """Who this is, if they may act on leads. Asks Slack (cached): never inside a transaction.

    Raises:
        Refused: not a full member of the workspace, or in neither of the configured groups.
        Unavailable: Slack did not answer.
    """
    assert deps.slack is not None
    profile = await deps.slack.profile(slack_user_id)
    if not profile.is_allowed:
        raise Refused(
            "この操作は、このワークスペースの正式なメンバーだけができます。",
            "Only full members of this workspace can do this.",
        )
    sales, leads = deps.settings.slack_sales_group, deps.settings.slack_support_leads_group
    is_lead = bool(leads) and slack_user_id in await deps.slack.members_of(leads or "")
    is_sales = bool(sales) and slack_user_id in await deps.slack.members_of(sales or "")
    if (sales or leads) and not (is_lead or is_sales):
        raise Refused(
            "この操作は、営業またはサポート責任者のグループのメンバーだけができます。"
            "Slackの管理者に、グループへの追加を頼んでください。",
            "Only members of the sales or support-lead group can do this. Ask a Slack admin to add you.",
        )
    return Actor(profile=profile, is_support_lead=is_lead)


def zone_of(name: str | None, policy: Policy | None = None) -> ZoneInfo:
    """The person's time zone, else the policy's."""
    for each in (name, policy.timezone if policy else None):
        try:
            if each:
                return ZoneInfo(each)
        except (ZoneInfoNotFoundError, ValueError):
            continue
    return ZoneInfo(DEFAULT_ZONE)


async def held(session: AsyncSession, act: Act) -> LeadContext:
    """The lead acted on, with everything around it, held until the transaction ends.

    Raises:
        Refused: there is no such lead.
    """
    known = await lead_by_id(session, act.target.lead_id)
    if known is not None:
        await lock_customers(session, [known.customer_id])
        context = await load_context(session, known.lead_id, now=act.now, is_locked=True)
        if context is not None:
            return context
    raise Refused("この見込みはもうありません。", "This lead does not exist any more.")


def check_open(act: Act, lead: Lead) -> None:
    """Raises Refused, saying who closed it and when."""
    if lead.is_open:
        return
    who = mention(lead.closed_by) if lead.closed_by else "?"
    at = act.at(lead.closed_at) if lead.closed_at else ""
    ja, en = _CLOSED[LeadState(lead.state)]
    raise Refused(f"{who}さんが{at}に{ja}にしています。", f"{who} closed this lead as {en} at {at}.")


_CLOSED = {
    LeadState.SENT: ("対応済み", "answered"),
    LeadState.WON: ("受注", "won"),
    LeadState.LOST: ("失注", "lost"),
    LeadState.DISMISSED: ("対象外", "dismissed"),
}


def check_owner(act: Act, lead: Lead) -> None:
    """Raises Refused when somebody else owns the lead; support leads may act all the same."""
    if lead.owner in (None, act.actor.slack_user_id) or act.actor.is_support_lead:
        return
    who, at = mention(lead.owner), act.at(lead.claimed_at) if lead.claimed_at else ""
    raise Refused(f"{who}さんが{at}から担当しています。", f"{who} has owned this lead since {at}.")


def changed_meanwhile() -> Refused:
    """What to say when a compare-and-swap found another revision."""
    return Refused(
        "同時にほかの変更がありました。カードを見て、もう一度押してください。",
        "Something else changed at the same moment. Look at the card and press again.",
    )


async def show(session: AsyncSession, act: Act, lead: Lead) -> None:
    """Have the lead's card rewritten."""
    await ask_for_card(
        session, customer_id=lead.customer_id, lead_id=lead.lead_id, ids=act.deps.ids, now=act.now
    )


async def note(session: AsyncSession, act: Act, lead: Lead, key: str, content: Mapping[str, str]) -> None:
    """Have a line added to the lead's thread."""
    await add_lead_line(
        session,
        customer_id=lead.customer_id,
        lead_id=lead.lead_id,
        key=key,
        content=dict(content),
        ids=act.deps.ids,
        now=act.now,
    )
