"""Snooze: a person puts a lead away until a moment, or until the customer does something."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import Refused
from bot.flows.staff.acting import (
    DONE,
    Act,
    Answer,
    changed_meanwhile,
    check_open,
    check_owner,
    held,
    note,
    show,
    zone_of,
)
from bot.slack.mrkdwn import mention, when
from db.desk import audit, leads

MORNING = time(10)


async def snooze(session: AsyncSession, act: Act) -> Answer:
    """Put the lead away.

    Raises:
        Refused: closed, owned by somebody else, or the moment is past.
    """
    lead = (await held(session, act)).lead
    check_open(act, lead)
    check_owner(act, lead)
    until = until_of(act)
    if until <= act.now:
        raise Refused("その日時はもう過ぎています。", "That moment is past.")
    if not await leads.snooze(session, lead, until=until):
        raise changed_meanwhile()
    me = act.actor.slack_user_id
    await audit.record(
        session,
        actor=me,
        action="lead.snoozed",
        customer_id=lead.customer_id,
        lead_id=lead.lead_id,
        until=until.isoformat(),
        ids=act.deps.ids,
        now=act.now,
    )
    said = {
        "ja": f"💤 {mention(me)} さんが {when(until)} まで保留にしました。",
        "en": f"💤 {mention(me)} snoozed this until {when(until)}.",
    }
    await note(session, act, lead, f"snoozed:{lead.revision}", said)
    await show(session, act, lead)
    return DONE


def until_of(act: Act) -> datetime:
    """When the snooze that was chosen ends, by the actor's own clock."""
    span = act.form.get("span")
    if span == "1h":
        return act.received_at + timedelta(hours=1)
    if span == "3d":
        return act.received_at + timedelta(days=3)
    zone = zone_of(act.actor.profile.timezone, act.policy)
    if span == "date":
        return datetime.combine(date.fromisoformat(act.form["date"]), MORNING, tzinfo=zone)
    today = act.received_at.astimezone(zone).date()
    return datetime.combine(today + timedelta(days=1), MORNING, tzinfo=zone)
