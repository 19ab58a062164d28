"""How does a rule's form open, turn its pages, check texts while they are typed, and show what changes?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.rules.edit import ChangedMeanwhile, Tried, try_edit
from bot.flows.rules.preview import Preview, preview
from bot.flows.staff.acting import Actor
from bot.flows.steering.leading import lead_of, spot_of
from bot.flows.steering.save_change import change_named, conflict, fields_at
from bot.ports import Json
from bot.slack.ids import Action
from bot.slack.rule_blocks.form import (
    Form,
    Review,
    form_modal,
    page_with,
    restored,
    review_modal,
    stored,
    typed_in,
)
from bot.slack.rule_blocks.pages import loading, page, text_blocks
from bot.slack.rule_blocks.steers import Spot, Steer, Subject
from bot.slack.rule_blocks.words import say
from db.rulebook.changes import RuleChange, begin_change, type_into
from db.rulebook.publications import unknown_rule
from db.rulebook.rules import RuleRow, RuleVersion, current_versions
from db.rulebook.versions import people_in
from followups.rules.conditions import Text
from followups.rules.yaml.problems import Problem, RuleError
from followups.versions.edits import edited
from followups.versions.fields import FormField, changes_of, fields_of, path_at
from followups.versions.leaves import message_name
from followups.versions.summary import difference, summary
from followups.words.lint import lint

log = structlog.get_logger()

_AGAIN = "again:"


async def open_form(deps: Deps, actor: Actor, steer: Steer, *, trigger_id: str) -> None:
    """Open the form of a rule, or (`again:ID`) take up a change that met another one.

    Raises:
        Refused: there is no such rule.
        Unavailable: Slack did not answer.
    """
    assert deps.slack is not None
    spot = spot_of(actor, steer)
    view_id = await deps.slack.open_view(
        trigger_id=trigger_id, view=loading(Action.RULE_EDIT, "editing", spot)
    )

    async def begin(session: AsyncSession) -> tuple[RuleChange, Form]:
        return await _begun(session, deps, actor, steer)

    try:
        change, form = await deps.db.run(begin)
    except Refused as refused:
        await _say(deps, spot, view_id, refused)
        return
    spot = _spot(change, spot, number=form.page)
    await deps.slack.update_view(view_id=view_id, view_hash=None, view=form_modal(form, spot))


async def _begun(session: AsyncSession, deps: Deps, actor: Actor, steer: Steer) -> tuple[RuleChange, Form]:
    row, version = await _current(session, steer.subject.name)
    fields = fields_of(version.source, version.messages)
    typed: dict[int, str] = {}
    notes: list[str] = []
    if steer.subject.word.startswith(_AGAIN):
        before = await change_named(session, steer.subject.word.removeprefix(_AGAIN))
        typed, lost = _carried(await fields_at(session, before), restored(before.typed), fields)
        notes = [say("editing.lost", actor.profile.language, value=each) for each in lost]
    change = RuleChange(
        change_id=deps.ids.uuid(),
        rule_id=row.rule_id,
        base_version=version.version,
        typed=stored(typed),
        by=actor.slack_user_id,
        created_at=deps.clock.now(),
    )
    await begin_change(session, change)
    return change, _form(row, fields, typed=typed, notes=notes, language=actor.profile.language)


async def turn_page(deps: Deps, view: Mapping[str, Any], *, slack_user_id: str, to: str) -> None:
    """Keep what was typed on one page, and show another.

    Raises:
        Refused: not a support lead, or the change is gone.
        Unavailable: Slack did not answer.
    """
    await _again(deps, view, slack_user_id=slack_user_id, to=int(to) if to.isdecimal() else 0)


async def recheck_form(deps: Deps, view: Mapping[str, Any], *, slack_user_id: str) -> None:
    """Measure and check the texts as they stand now.

    Raises:
        Refused: not a support lead, or the change is gone.
        Unavailable: Slack did not answer.
    """
    await _again(deps, view, slack_user_id=slack_user_id, to=None)


async def _again(deps: Deps, view: Mapping[str, Any], *, slack_user_id: str, to: int | None) -> None:
    assert deps.slack is not None
    actor = await lead_of(deps, slack_user_id)
    spot = Spot.decode(view.get("private_metadata"))
    if spot is None:
        return
    at = int(spot.step) if spot.step.isdecimal() else 0

    async def keep(session: AsyncSession) -> tuple[RuleChange, Form]:
        change = await change_named(session, spot.subject.name)
        fields = await fields_at(session, change)
        if to is not None:
            await type_into(session, change, stored(typed_in(view)))
        typed = {**restored(change.typed), **typed_in(view)}
        row, _ = await _current(session, change.rule_id)
        form = _form(row, fields, typed=typed, language=actor.profile.language)
        return change, replace(form, version=change.base_version, page=at if to is None else to)

    change, form = await deps.db.run(keep)
    await deps.slack.update_view(
        view_id=str(view.get("id")),
        view_hash=str(view.get("hash") or "") or None,
        view=form_modal(form, _spot(change, spot, number=form.page)),
    )


async def review_form(deps: Deps, view: Mapping[str, Any], *, slack_user_id: str) -> None:
    """Keep what was typed, and show what it changes and for whom; or the form again, with what is wrong.

    Raises:
        Refused: not a support lead.
        Unavailable: Slack did not answer.
    """
    assert deps.slack is not None
    view_id = str(view.get("id"))
    spot = Spot.decode(view.get("private_metadata"))
    if spot is None:
        return
    try:
        actor = await lead_of(deps, slack_user_id)
        shown = await _reviewed(deps, actor, view, spot)
    except ChangedMeanwhile as outdated:
        shown = await _conflicting(deps, spot, outdated)
    except Refused as refused:
        await _say(deps, spot, view_id, refused)
        return
    await deps.slack.update_view(view_id=view_id, view_hash=None, view=shown)


async def _reviewed(deps: Deps, actor: Actor, view: Mapping[str, Any], spot: Spot) -> Json:
    language = actor.profile.language

    async def keep(session: AsyncSession) -> tuple[RuleChange, list[FormField], RuleRow, int]:
        change = await change_named(session, spot.subject.name)
        await type_into(session, change, stored(typed_in(view)))
        row, _ = await _current(session, change.rule_id)
        people = sum((await people_in(session, change.rule_id)).values())
        return change, await fields_at(session, change), row, people

    change, fields, row, people = await deps.db.run(keep)
    typed = restored(change.typed)
    changes, wrong = changes_of(fields, typed)
    form = replace(_form(row, fields, typed=typed, language=language), version=change.base_version)
    if wrong:
        return _with_problems(form, change, spot, wrong, ())
    try:
        async with deps.db.begin() as session:
            tried = await try_edit(session, change.rule_id, changes, base_version=change.base_version)
    except RuleError as error:
        wrong, notes = await _placed(deps, change, fields, changes, error, language=language)
        return _with_problems(form, change, spot, wrong, notes)
    before = await preview(deps, change.rule_id)
    after = await preview(deps, change.rule_id, instead=tried.rule)
    return review_modal(
        _review(tried, before, after, people), replace(_spot(change, spot, number=0), step="review")
    )


def _review(tried: Tried, before: Preview, after: Preview, people: int) -> Review:
    return Review(
        words=tuple(
            summary((tried.before.source, tried.before.messages), (tried.after.source, tried.after.messages))
        ),
        before=(before.matched, before.sends),
        after=(after.matched, after.sends),
        people=people,
        shared=tried.shared,
        lines=difference(tried.before.files, tried.after.files, old="now", new="new"),
    )


def _with_problems(
    form: Form, change: RuleChange, spot: Spot, wrong: Mapping[int, Text], notes: Sequence[str]
) -> Json:
    first = page_with(form.fields, min(wrong)) if wrong else 0
    return form_modal(
        replace(form, wrong=wrong, notes=tuple(notes), page=first), _spot(change, spot, number=first)
    )


async def _placed(
    deps: Deps,
    change: RuleChange,
    fields: Sequence[FormField],
    changes: Sequence[Any],
    error: RuleError,
    *,
    language: str,
) -> tuple[dict[int, Text], list[str]]:
    """The parser's problems beside the fields they stand at; the rest as notes."""
    async with deps.db.begin() as session:
        _, version = await _current(session, change.rule_id)
    texts = {version.path: version.source, **version.messages}
    wrong: dict[int, Text] = {}
    notes: list[str] = []
    for problem in error.problems:
        number = None
        if problem.path in texts:
            name = () if problem.path == version.path else (message_name(problem.path),)
            own = [
                (path[len(name) :], value)
                for path, value in changes
                if path[: len(name)] == name and (name or not str(path[0]).startswith("messages/"))
            ]
            text = edited(texts[problem.path], own)
            number = _number_of(fields, (*name, *path_at(text, problem.line, problem.column)), changes)
        if number is None:
            notes.append(problem.said(language))
        else:
            wrong[number] = _text_of(problem)
    return wrong, notes


def _text_of(problem: Problem) -> Text:
    return Text(ja=problem.ja, en=problem.en)


def _number_of(fields: Sequence[FormField], path: Sequence[Any], changes: Sequence[Any]) -> int | None:
    """The field at this path; else the one changed field below it, or above it."""
    wanted = tuple(path)
    numbers = {field.path: number for number, field in enumerate(fields)}
    if wanted in numbers:
        return numbers[wanted]
    near = [p for p, _ in changes if p in numbers and (p[: len(wanted)] == wanted or wanted[: len(p)] == p)]
    return numbers[near[0]] if near and wanted else None


async def _conflicting(deps: Deps, spot: Spot, outdated: ChangedMeanwhile) -> Json:
    async with deps.db.begin() as session:
        change = await change_named(session, spot.subject.name)
        told = conflict(change, outdated)
    blocks = text_blocks([told.said(spot.language)], most=2, language=spot.language)
    if told.blocks is not None:
        blocks += told.blocks(spot.language)
    return page(Action.RULE_EDIT, "editing", replace(spot, step="conflict"), blocks)


def _carried(
    old: Sequence[FormField], typed: Mapping[int, str], new: Sequence[FormField]
) -> tuple[dict[int, str], list[str]]:
    """What was changed in one version's form, in another's; and what has no place in it."""
    numbers = {field.path: number for number, field in enumerate(new)}
    carried: dict[int, str] = {}
    lost: list[str] = []
    for number, text in typed.items():
        if number >= len(old) or text.strip() == old[number].shown.strip():
            continue
        at = numbers.get(old[number].path)
        if at is None:
            lost.append(text)
        else:
            carried[at] = text
    return carried, lost


def _form(
    row: RuleRow,
    fields: Sequence[FormField],
    *,
    typed: Mapping[int, str],
    language: str,
    notes: Sequence[str] = (),
) -> Form:
    name = next((each.shown for each in fields if each.path == ("name",)), row.rule_id)
    return Form(
        rule_id=row.rule_id,
        name=name,
        version=row.version,
        state=row.state,
        fields=fields,
        typed=typed,
        notes=tuple(notes),
        findings={
            number: _findings(each, typed.get(number, each.shown), language)
            for number, each in enumerate(fields)
            if "text" in each.path[-2:]
        },
    )


def _findings(each: FormField, text: str, language: str) -> list[str]:
    told = "en" if each.path[-1] == "en" else "ja"
    found = lint(text, language=told, is_template=True, has_button=True)
    return [finding.because.ja if language.startswith("ja") else finding.because.en for finding in found]


async def _current(session: AsyncSession, rule_id: str) -> tuple[RuleRow, RuleVersion]:
    known = {row.rule_id: (row, version) for row, version in await current_versions(session)}
    if rule_id not in known:
        raise unknown_rule(rule_id, known)
    return known[rule_id]


def _spot(change: RuleChange, spot: Spot, *, number: int) -> Spot:
    subject = Subject(name=str(change.change_id), version=change.base_version)
    return replace(spot, subject=subject, step=str(number))


async def _say(deps: Deps, spot: Spot, view_id: str, refused: Refused) -> None:
    assert deps.slack is not None
    blocks = text_blocks([refused.in_language(spot.language)], most=1, language=spot.language)
    shown = page(Action.RULE_EDIT, "editing", replace(spot, step="over"), blocks)
    await deps.slack.update_view(view_id=view_id, view_hash=None, view=shown)
