"""What does the knowledge say, passage by passage, and which passages may answer a question?

Full text by PostgreSQL: `search` holds each passage's telling words (`db.rulebook.words`) as a tsvector of
plain lexemes. Where embeddings are configured, `embedding` is compared with pgvector, and both orders are
fused.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from pgvector.sqlalchemy import Vector
from sqlalchemy import (
    ARRAY,
    DDL,
    REAL,
    Float,
    Index,
    Text,
    bindparam,
    cast,
    column,
    delete,
    exists,
    func,
    literal,
    select,
    table,
    update,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from db import arrays
from db.columns import datetime, moment
from db.rulebook.words import words_of
from followups.answers.passages import Passage, coverage, fused

CANDIDATES = 50
"""Passages of one order that are weighed against the question."""
_EXTENSION = "vector"
_available = table("pg_available_extensions", column("name"))
_installed = table("pg_extension", column("extname"))


class KnowledgePassage(SQLModel, table=True):
    """A directory row: one passage of one page, and the words it is found by.

    `embedding`: of heading and text, by the model `embedded_by`; empty until it was asked for.
    """

    __tablename__ = "knowledge_passage"
    __table_args__ = (Index("ix_knowledge_passage_search", "search", postgresql_using="gin"),)

    passage_id: str = Field(primary_key=True)
    path: str
    heading: str
    text: str
    language: str
    position: int
    search: Any = Field(sa_type=TSVECTOR)
    embedding: list[float] | None = Field(default=None, sa_type=ARRAY(REAL))
    embedded_by: str | None = None
    changed_at: datetime = moment()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A passage with how well it covers the question, 0 to 1."""

    passage: Passage
    score: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What changed: passages that are new (or changed), kept, and gone."""

    added: int
    kept: int
    removed: int


async def apply(session: AsyncSession, passages: Sequence[Passage], *, now: datetime) -> Applied:
    """Make these passages the whole knowledge; unchanged ones keep their embeddings."""
    given = {_id_of(each): (position, each) for position, each in enumerate(passages)}
    of = col(KnowledgePassage.passage_id)
    before = set(await session.scalars(select(of)))
    await session.execute(delete(KnowledgePassage).where(of.in_(sorted(before - given.keys()))))
    for passage_id in given.keys() & before:
        await session.execute(
            update(KnowledgePassage).where(of == passage_id).values(position=given[passage_id][0])
        )
    new = [passage_id for passage_id in given if passage_id not in before]
    for passage_id in new:
        position, passage = given[passage_id]
        lexemes = arrays.texts(words_of(f"{passage.heading}\n{passage.text}"))
        await session.execute(
            insert(KnowledgePassage).values(
                passage_id=passage_id,
                path=passage.path,
                heading=passage.heading,
                text=passage.text,
                language=passage.language,
                position=position,
                search=func.array_to_tsvector(cast(literal(lexemes, Text()), ARRAY(Text()))),
                changed_at=now,
            )
        )
    return Applied(added=len(new), kept=len(given) - len(new), removed=len(before - given.keys()))


async def passages(session: AsyncSession) -> list[KnowledgePassage]:
    """Every passage, in the order of the pages."""
    return list(await session.scalars(select(KnowledgePassage).order_by(col(KnowledgePassage.position))))


async def is_any(session: AsyncSession) -> bool:
    """Is there any knowledge to answer from?"""
    return bool(await session.scalar(select(exists(select(col(KnowledgePassage.passage_id))))))


async def look_up(
    session: AsyncSession,
    question: str,
    *,
    embedding: Sequence[float] | None = None,
    embedded_by: str | None = None,
    limit: int = 3,
) -> list[Found]:
    """The passages that cover a question best, best first.

    Args:
        embedding: of the question, by the model `embedded_by`; None: words alone.
    """
    words = words_of(question)
    total = int(await session.scalar(select(func.count()).select_from(KnowledgePassage)) or 0)
    if not total:
        return []
    by_words = await _by_words(session, words) if words else []
    near = await _by_meaning(session, embedding, embedded_by) if embedding and embedded_by else {}
    rows = {row.passage_id: row for row in by_words}
    missing = [passage_id for passage_id in near if passage_id not in rows]
    if missing:
        query = select(KnowledgePassage).where(col(KnowledgePassage.passage_id).in_(missing))
        rows |= {row.passage_id: row for row in await session.scalars(query)}
    held_by = await _held_by(session, words)
    found = {
        passage_id: _found(row, words, held_by, total, near.get(passage_id))
        for passage_id, row in rows.items()
    }
    ids = list(found)
    place = {passage_id: number for number, passage_id in enumerate(ids)}
    covered = sorted(ids, key=lambda each: (-found[each].score, rows[each].position))
    order = (
        [ids[number] for number in fused([place[e] for e in covered], [place[e] for e in near])]
        if near
        else covered
    )
    return [found[passage_id] for passage_id in order[:limit]]


def _found(
    row: KnowledgePassage,
    words: Sequence[str],
    held_by: Mapping[str, int],
    total: int,
    nearness: float | None,
) -> Found:
    covers = coverage(
        words,
        heading=words_of(row.heading.rsplit(" › ", 1)[-1]),
        body=words_of(f"{row.heading}\n{row.text}"),
        held_by=held_by,
        passages=total,
        nearness=nearness,
    )
    passage = Passage(path=row.path, heading=row.heading, text=row.text, language=row.language)
    return Found(passage=passage, score=covers.score, words=covers.found)


async def _by_words(session: AsyncSession, words: Sequence[str]) -> list[KnowledgePassage]:
    query = cast(literal(" | ".join(map(_quoted, words)), Text()), TSQUERY)
    found = await session.scalars(
        select(KnowledgePassage)
        .where(col(KnowledgePassage.search).op("@@")(query))
        .order_by(func.ts_rank(col(KnowledgePassage.search), query).desc(), col(KnowledgePassage.position))
        .limit(CANDIDATES)
    )
    return list(found)


async def _held_by(session: AsyncSession, words: Sequence[str]) -> dict[str, int]:
    """In how many passages each word stands."""
    if not words:
        return {}
    given = arrays.rows("given", word=Text(), quoted=Text())
    counting = (
        select(func.count())
        .select_from(KnowledgePassage)
        .where(col(KnowledgePassage.search).op("@@")(cast(given.c.quoted, TSQUERY)))
        .scalar_subquery()
    )
    rows = await session.execute(
        select(given.c.word, counting),
        {"word": arrays.texts(list(words)), "quoted": arrays.texts([_quoted(each) for each in words])},
    )
    return {word: int(number) for word, number in rows}


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _id_of(passage: Passage) -> str:
    written = "\0".join((passage.path, passage.heading, passage.text))
    return blake2b(written.encode(), digest_size=12).hexdigest()


# --- nearness in meaning ------------------------------------------------------------------------------


async def has_vectors(session: AsyncSession) -> bool:
    """Can this database compare embeddings? Adds pgvector where the server has it and it is not added yet."""
    installed = exists(select(_installed.c.extname).where(_installed.c.extname == _EXTENSION))
    if await session.scalar(select(installed)):
        return True
    available = exists(select(_available.c.name).where(_available.c.name == _EXTENSION))
    if not await session.scalar(select(available)):
        return False
    await session.execute(DDL("CREATE EXTENSION IF NOT EXISTS vector"))  # type: ignore[no-untyped-call]
    return True


async def to_embed(session: AsyncSession, model: str, *, limit: int) -> list[tuple[str, str]]:
    """Passages without an embedding by this model: (id, heading and text)."""
    embedded_by = col(KnowledgePassage.embedded_by)
    rows = await session.execute(
        select(col(KnowledgePassage.passage_id), col(KnowledgePassage.heading), col(KnowledgePassage.text))
        .where(embedded_by.is_distinct_from(model))
        .order_by(col(KnowledgePassage.position))
        .limit(limit)
    )
    return [(passage_id, f"{heading}\n{body}") for passage_id, heading, body in rows]


async def embed(session: AsyncSession, model: str, vectors: Mapping[str, Sequence[float]]) -> None:
    """Keep the embeddings of these passages."""
    for passage_id, vector in vectors.items():
        await session.execute(
            update(KnowledgePassage)
            .where(col(KnowledgePassage.passage_id) == passage_id)
            .values(embedding=list(vector), embedded_by=model)
            .execution_options(synchronize_session=False)
        )


async def _by_meaning(session: AsyncSession, embedding: Collection[float], model: str) -> dict[str, float]:
    """Cosine of the nearest passages by id, nearest first."""
    if not await has_vectors(session):
        return {}
    vector = cast(bindparam("asked", list(embedding), type_=ARRAY(REAL)), Vector(len(embedding)))
    kept = cast(col(KnowledgePassage.embedding), Vector(len(embedding)))
    distance = kept.op("<=>", return_type=Float())(vector)
    rows = await session.execute(
        select(col(KnowledgePassage.passage_id), distance)
        .where(col(KnowledgePassage.embedded_by) == model)
        .order_by(distance)
        .limit(CANDIDATES)
    )
    return {passage_id: 1.0 - float(far) for passage_id, far in rows}
