"""Draft: open leads get replies proposed for the conversation as it is now. Nothing here can send."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from bot.deps import Deps
from bot.llm.checks import check_text, repeated, without_links
from bot.llm.drafts import TemplateDrafter
from bot.llm.redact import Redactor
from bot.ports import DraftRequest, DraftText, Json, SaidLine
from bot.slack.mrkdwn import clean
from bot.slack.views import card_line, name_of
from db.columns import UUID
from db.desk import leads, posts
from db.desk.lead_cards import LeadContext, leads_to_draft, load_context
from db.people.customers import lock_customers
from db.rulebook.rules import current_rulebook
from db.talk import drafts
from followups.rules.model import Policy

log = structlog.get_logger()

AT_ONCE = 4
"""Questions to the model at one moment."""
BATCH = 20
MODEL_DRAFTS_A_DAY = 60
"""For one customer; somebody who writes all day gets templates after that."""
A_DAY = timedelta(days=1)
LINE_MOST = 1_000
"""Characters of one line of the conversation that the model sees."""
MODEL = "model"
NEVER_SHOWN = frozenset(
    {"links", "phone", "price", "promise", "token", "name", "address", "echo", "surveillance"}
)
"""Findings that make a model's draft unfit even to be looked at; the template takes its place."""
ANOTHER = {"ja": "前の案とは違う切り口で書いてください。", "en": "Take another approach than before."}
WISHES = {
    "shorter": {"ja": "前の案より短く、3文以内で書いてください。", "en": "Shorter: three sentences."},
    "formal": {"ja": "前の案より丁寧な敬語で書いてください。", "en": "More formal than before."},
}
BEFORE = {"ja": "前の案:", "en": "Before:"}
BEFORE_MOST = 600
"""Characters of the earlier draft that the model sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What is to be drafted, read in one transaction and asked outside it."""

    lead_id: UUID
    revision: int
    request: DraftRequest
    redactor: Redactor
    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    names: tuple[str, ...]
    """How this customer and their company are called."""
    policy: Policy
    is_spent: bool
    """The model has written enough for this customer today."""


async def draft(deps: Deps) -> int:
    """Propose replies wherever some are missing; for how many leads.

    The model is asked outside any transaction; a kill meanwhile leaves the work to be done again.
    """
    done, seen = 0, set[UUID]()
    while True:
        async with deps.db.begin() as session:
            found = await leads_to_draft(session, limit=BATCH + len(seen))
        missing = [lead_id for lead_id in found if lead_id not in seen][:BATCH]
        if not missing:
            break
        seen.update(missing)
        for start in range(0, len(missing), AT_ONCE):
            done += sum(
                await asyncio.gather(*(_draft_one(deps, each) for each in missing[start : start + AT_ONCE]))
            )
    if done:
        await deps.waker.wake("post")
    return done


async def _draft_one(deps: Deps, lead_id: UUID) -> bool:
    wanted = await _gather(deps, lead_id)
    if wanted is None:
        return False
    drafter = TemplateDrafter() if wanted.is_spent or deps.drafter is None else deps.drafter
    proposed = await drafter.draft(wanted.request)
    checked = [_checked(wanted, each) for each in proposed]
    # A model may have been talked into anything: what it must not say is shown to nobody.
    checked = [each for each in checked if each[0] and not (each[1] == MODEL and _is_hijacked(each[2]))]
    if not checked:
        checked = [_checked(wanted, each) for each in await TemplateDrafter().draft(wanted.request)]
    return await _store(deps, wanted, checked)


async def _gather(deps: Deps, lead_id: UUID) -> _Wanted | None:
    async with deps.db.begin() as session:
        context = await load_context(session, lead_id, now=deps.clock.now(), lines=12)
        if context is None or not context.is_to_be_drafted:
            return None
        policy = (await current_rulebook(session)).policy
        before = await drafts.versions_of(session, context.lead.customer_id, lead_id, limit=1)
        made = await drafts.made_since(session, context.lead.customer_id, deps.clock.now() - A_DAY)
    return _wanted(
        context, policy, before=before[0].text if before else "", is_spent=made >= MODEL_DRAFTS_A_DAY
    )


def _wanted(context: LeadContext, policy: Policy, *, before: str, is_spent: bool) -> _Wanted:
    language = _language(context)
    customer, user = context.customer, context.line_user
    ids = [each for each in (customer and customer.external_id, user and user.line_user_id) if each]
    company = context.attributes.get("company")
    hidden = [str(value) for key, value in context.attributes.items() if key in {"email", "phone", "address"}]
    redactor = Redactor(
        name=name_of(context), company=company if isinstance(company, str) else None, ids=[*ids, *hidden]
    )
    lines = [card_line(thing, language) for thing in context.said]
    reasons = [str(reason.get(language) or reason.get("ja") or "") for reason in context.lead.reasons[:3]]
    return _Wanted(
        lead_id=context.lead.lead_id,
        revision=context.revision,
        request=DraftRequest(
            language=language,
            lines=tuple(
                SaidLine(speaker=line.speaker, text=redactor.hide(clean(line.text)[:LINE_MOST]))
                for line in lines
            ),
            reasons=tuple(redactor.hide(reason) for reason in reasons),
            wish=redactor.hide(_wish(context, before, language)) if context.lead.is_draft_wanted else None,
        ),
        redactor=redactor,
        ours=tuple(line.text for line in lines if line.speaker != "customer"),
        theirs=tuple(line.text for line in lines if line.speaker == "customer"),
        names=tuple(each for each in (name_of(context), company) if isinstance(each, str)),
        policy=policy,
        is_spent=is_spent,
    )


def _wish(context: LeadContext, before: str, language: str) -> str:
    """How the new drafts are to be: one of ours, or a person's own words; with what stood there before."""
    told = context.lead.draft_wish
    wish = WISHES[told][language] if told in WISHES else told or ANOTHER[language]
    return f"{wish}\n{BEFORE[language]} {before[:BEFORE_MOST]}" if before else wish


def _language(context: LeadContext) -> str:
    told = (context.customer.language if context.customer else None) or (
        context.line_user.language if context.line_user else None
    )
    return "en" if told and not told.lower().startswith("ja") else "ja"


def _checked(wanted: _Wanted, proposed: DraftText) -> tuple[str, str, list[Json]]:
    """The text as it may be shown, where it comes from, and what its checks found."""
    text = clean(wanted.redactor.restore(proposed.text)).strip()
    found = check_text(
        text,
        context_texts=wanted.ours,
        policy=wanted.policy,
        language=wanted.request.language,
        theirs=wanted.theirs,
    )
    found += repeated(text, theirs=wanted.theirs, known=(*wanted.ours, *wanted.names))
    text = without_links(text, wanted.policy).strip()  # shown to nobody, so that nobody sends or opens it
    return text, proposed.source, found


def _is_hijacked(findings: Sequence[Json]) -> bool:
    return any(each["is_blocking"] and each["kind"] in NEVER_SHOWN for each in findings)


async def _store(deps: Deps, wanted: _Wanted, checked: list[tuple[str, str, list[Json]]]) -> bool:
    now = deps.clock.now()
    async with deps.db.begin() as session:
        known = await leads.lead_by_id(session, wanted.lead_id)
        if known is None:
            return False
        await lock_customers(session, [known.customer_id])
        context = await load_context(session, wanted.lead_id, now=now, is_locked=True)
        if context is None or context.revision != wanted.revision or not context.is_to_be_drafted:
            return False  # the world moved on, or another process was faster
        lead = context.lead
        for text, source, findings in checked:
            await drafts.add_draft(
                session,
                customer_id=lead.customer_id,
                lead_id=lead.lead_id,
                conversation_revision=wanted.revision,
                text=text,
                source=source,
                findings=findings,
                ids=deps.ids,
                now=now,
            )
        await leads.want_drafts(session, lead, is_wanted=False)
        await posts.ask_for_card(
            session, customer_id=lead.customer_id, lead_id=lead.lead_id, ids=deps.ids, now=now
        )
    log.info("lead.drafted", lead_id=str(wanted.lead_id), drafts=len(checked), source=checked[0][1])
    return True
