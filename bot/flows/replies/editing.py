"""What stands in the modal in which a reply is written: opened, checked while typing, replaced by choice?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.staff.acting import Actor, actor_of, zone_of
from bot.llm.checks import check_text
from bot.ports import Json
from bot.slack.ids import Target
from bot.slack.modals.editing import Choice, Editing, edit_modal, written_in
from bot.slack.modals.place import Place
from bot.slack.mrkdwn import one_line
from bot.slack.views import card_line, name_of
from bot.slack.words import knows, say
from db.desk.lead_cards import LeadContext, load_context
from db.people.staff import staff_of
from db.rulebook.rules import current_rulebook
from db.talk import drafts
from db.talk.drafts import Draft
from followups.rules.model import Policy
from followups.words.placeholders import Rendered, render
from prompts.replies import reply_templates

MOST_VERSIONS = 20


async def open_editing(deps: Deps, actor: Actor, place: Place) -> Json:
    """The modal with the draft's text.

    Raises:
        Refused: the lead is closed, or gone.
    """
    async with deps.db.begin() as session:
        context = await _context(session, deps, place.target)
        policy = (await current_rulebook(session)).policy
        draft = await _draft(session, context, place.target.draft_id)
        return edit_modal(
            await _editing(session, deps, actor, context, policy, text=draft.text if draft else "", taken=0),
            place,
        )


async def recheck_editing(
    deps: Deps, view: Mapping[str, Any], *, slack_user_id: str, chosen: str | None
) -> None:
    """Measure and check what stands in an open modal, and show that; nothing is stored.

    Args:
        view: as Slack sent it, with its `id` and `hash`.
        chosen: the value of a choice that takes the text's place.

    Raises:
        Refused: not allowed, or the lead is closed.
        Unavailable: Slack did not answer.
    """
    assert deps.slack is not None
    place = Place.decode(view.get("private_metadata"))
    if place is None:
        return
    actor = await actor_of(deps, slack_user_id)
    _, text, taken = written_in(view)
    async with deps.db.begin() as session:
        context = await _context(session, deps, place.target)
        policy = (await current_rulebook(session)).policy
        if chosen is not None:
            replaced = await _chosen(session, deps, actor, context, chosen)
            text, taken = (text, taken) if replaced is None else (replaced, taken + 1)
        editing = await _editing(session, deps, actor, context, policy, text=text, taken=taken)
    await deps.slack.update_view(
        view_id=str(view.get("id")),
        view_hash=None if chosen else str(view.get("hash") or "") or None,
        view=edit_modal(editing, place),
    )


async def _context(session: AsyncSession, deps: Deps, target: Target) -> LeadContext:
    context = await load_context(session, target.lead_id, now=deps.clock.now())
    if context is None or not context.lead.is_open:
        raise Refused("この見込みはもう閉じています。", "This lead is closed already.")
    return context


async def _draft(session: AsyncSession, context: LeadContext, draft_id: UUID | None) -> Draft | None:
    if draft_id is None:
        return None
    draft = await drafts.draft_by_id(session, context.lead.customer_id, draft_id)
    return draft if draft is not None and draft.lead_id == context.lead.lead_id else None


async def _editing(
    session: AsyncSession,
    deps: Deps,
    actor: Actor,
    context: LeadContext,
    policy: Policy,
    *,
    text: str,
    taken: int,
) -> Editing:
    language = actor.profile.language
    told = "ja" if language == "ja" else "en"
    said = [card_line(thing, language).text for thing in context.said]
    found = check_text(text, context_texts=said, policy=policy, language=_customers(context))
    lead = context.lead
    versions = await drafts.versions_of(session, lead.customer_id, lead.lead_id, limit=MOST_VERSIONS)
    zone = zone_of(actor.profile.timezone, policy)
    return Editing(
        text=text,
        findings=tuple(str(each.get(told) or "") for each in found) if text.strip() else (),
        templates=tuple(
            Choice(value=f"template/{name}", label=each.title.in_language(told))
            for name, each in reply_templates(deps.settings.yorisoi_templates).items()
        ),
        versions=tuple(
            Choice(
                value=f"draft/{each.draft_id}",
                label=f"{each.created_at.astimezone(zone):%m/%d %H:%M} {_kind(each, language)}: "
                f"{one_line(each.text)}",
            )
            for each in versions
        ),
        taken=taken,
    )


def _kind(draft: Draft, language: str) -> str:
    key = f"source.{draft.source}"
    return say(key, language) if knows(key) else draft.source


def _customers(context: LeadContext) -> str:
    told = context.customer.language if context.customer else None
    return "en" if told and not told.lower().startswith("ja") else "ja"


async def _chosen(
    session: AsyncSession, deps: Deps, actor: Actor, context: LeadContext, chosen: str
) -> str | None:
    """The text behind a choice; None: it is not there any more.

    Raises:
        Refused: the template needs something that is not known of this customer.
    """
    kind, _, name = chosen.partition("/")
    if kind == "draft":
        try:
            draft = await _draft(session, context, UUID(name))
        except ValueError:
            return None
        return draft.text if draft else None
    template = reply_templates(deps.settings.yorisoi_templates).get(name)
    if template is None:
        return None
    me = actor.profile
    staff = (await staff_of(session, [me.slack_user_id])).get(me.slack_user_id)
    values = {f"customer.{key}": value for key, value in context.attributes.items()}
    values |= {"customer.name": name_of(context), "staff.name": (staff and staff.signs_as) or me.name}
    language = _customers(context)
    filled = render(template.text.in_language(language), values, language=language)
    if isinstance(filled, Rendered):
        return filled.text
    raise Refused(
        f"このひな形に必要な項目（{filled.name}）が、このお客様にはありません。",
        f"This template needs {filled.name}, which is not known of this customer.",
    )
