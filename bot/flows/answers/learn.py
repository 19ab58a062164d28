"""What is the program to know? Pages of knowledge come in, are listed, asked, and embedded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.answers.answer import find
from bot.intake.rule_files import read_pages
from bot.llm.redact import Redactor
from db.rulebook.knowledge import (
    Applied,
    Found,
    KnowledgePassage,
    apply,
    embed,
    has_vectors,
    passages,
    to_embed,
)
from followups.answers.passages import Passage, read_page
from followups.rules.yaml.problems import Problem, RuleError

log = structlog.get_logger()

EMBEDDED_AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What came of applying pages. `is_near`: meaning is compared, too, not words alone."""

    applied: Applied
    pages: int
    is_near: bool


async def learn(deps: Deps, files: Mapping[str, str]) -> Learnt:
    """Make these pages (Markdown by path) the whole knowledge: all of them, or nothing.

    Raises:
        RuleError: something in them is wrong, with file and line; nothing was changed.
        Refused: there is no page.
    """
    found: list[Passage] = []
    problems: list[Problem] = []
    for path in sorted(files):
        read, wrong = read_page(files[path], path=path)
        found += read
        problems += wrong
    if problems:
        raise RuleError(problems)
    if not found:
        raise Refused("知識のページ（*.md）がありません。", "There are no pages of knowledge (*.md).")
    async with deps.db.begin() as session:
        applied = await apply(session, found, now=deps.clock.now())
    await embed_knowledge(deps)
    async with deps.db.begin() as session:
        model = deps.answerer.embedding_model if deps.answerer is not None else None
        is_near = model is not None and await has_vectors(session)
    log.info("knowledge.applied", pages=len(files), added=applied.added, removed=applied.removed)
    return Learnt(applied=applied, pages=len(files), is_near=is_near)


async def learn_at_start(deps: Deps) -> Learnt | None:
    """Make the pages in `knowledge/` of the folder YORISOI_RULES names the whole knowledge, if it is there.

    Pages with mistakes are told, loudly, and the last good ones go on: a slip must not stop the program.

    Raises:
        Misconfigured: a page is no text.
    """
    folder = deps.settings.yorisoi_rules
    files = await asyncio.to_thread(_pages_in, folder / "knowledge") if folder is not None else {}
    if not files:
        return None
    try:
        return await learn(deps, files)
    except RuleError as error:
        problems = [str(problem) for problem in error.problems]
    except Refused as refused:
        problems = [str(refused)]
    for problem in problems:
        log.error("knowledge.not_applied", problem=problem)
    return None


def _pages_in(folder: Path) -> dict[str, str]:
    return read_pages(folder) if folder.is_dir() else {}


async def known(deps: Deps) -> list[KnowledgePassage]:
    """Every passage, in the order of the pages."""
    async with deps.db.begin() as session:
        return await passages(session)


async def look_at(deps: Deps, question: str, *, limit: int = 3) -> list[Found]:
    """The passages a question would be answered from, best first, with how well they cover it."""
    return await find(deps, question, hidden=Redactor(name=None).hide(question), limit=limit)


async def embed_knowledge(deps: Deps) -> int:
    """Ask for the embeddings that are missing; of how many passages. Nothing where none are configured."""
    answerer = deps.answerer
    if answerer is None or answerer.embedding_model is None:
        return 0
    model, done = answerer.embedding_model, 0
    while True:
        async with deps.db.begin() as session:
            missing = await to_embed(session, model, limit=EMBEDDED_AT_ONCE)
        if not missing:
            return done
        vectors = await answerer.embed([text for _, text in missing])
        if vectors is None:
            return done  # the next tick asks again
        async with deps.db.begin() as session:
            ids = [passage_id for passage_id, _ in missing]
            await embed(session, model, dict(zip(ids, vectors, strict=True)))
        done += len(missing)
