"""Which of the product's own databases are read, how often, and what do their rows mean?

`sources.yaml` names queries; addresses and passwords stay in the environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.errors import Misconfigured
from followups.rules.yaml import fields as read
from followups.rules.yaml.fields import Fields
from followups.rules.yaml.problems import Problem, Problems, RuleError
from followups.rules.yaml.tree import ListNode, Node, read_tree

KEYS = (
    "name",
    "url",
    "query",
    "every",
    "overlap",
    "timezone",
    "customer",
    "time",
    "id",
    "event",
    "event_column",
    "properties",
    "traits",
)
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
_READING = re.compile(r"\s*(select|with)\b", re.IGNORECASE)
SHORTEST = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One query whose rows are events, or customers with attributes.

    Attributes:
        url: the environment variable that holds the database's address.
        query: a SELECT; it is asked for rows later than the last, in order of `time` and `id`.
        every: how often it is asked.
        overlap: how far before the last row reading begins again, for rows that were committed late.
        customer, time, id: columns: the product's id of the customer, the moment, what tells rows apart.
        event: the one name of all events; or `event_column` names the column that says it; neither: rows are
            customers.
        properties, traits: the columns that are kept; None: all others.
    """

    name: str
    url: str
    query: str
    every: timedelta
    overlap: timedelta
    timezone: str
    customer: str
    time: str
    id: str
    event: str | None = None
    event_column: str | None = None
    properties: tuple[str, ...] | None = None
    traits: tuple[str, ...] | None = None

    @property
    def is_of_customers(self) -> bool:
        """Rows say who customers are, not what they did."""
        return self.event is None and self.event_column is None


def _matching(pattern: re.Pattern[str], *, ja: str, en: str) -> read.Reader[str]:
    def one(node: Node, problems: Problems) -> str | None:
        found = read.text(node, problems)
        if found is None or pattern.fullmatch(found):
            return found
        read.wrong(node, problems, ja=ja, en=en)
        return None

    return one


def _query(node: Node, problems: Problems) -> str | None:
    found = read.text(node, problems)
    if found is None:
        return None
    query = found.strip().removesuffix(";").strip()
    if not _READING.match(query) or ";" in query:
        problems.add(
            node,
            "SELECT 文を一つだけ書いてください（; で区切った複数の文や、書き換える文は使えません）",
            "write one SELECT (several statements, or one that changes something, are not taken)",
        )
        return None
    return query


def _span(node: Node, problems: Problems) -> timedelta | None:
    found = read.duration(node, problems)
    if found is not None and found < SHORTEST:
        read.wrong(node, problems, ja="1分以上の期間ではありません", en="a minute or longer")
        return None
    return found


def _source(node: Node, problems: Problems) -> Source | None:
    found = read.mapping(node, problems)
    if found is None:
        return None
    keys = Fields(found, problems, KEYS)
    name = keys.need("name", _matching(_NAME, ja="名前ではありません（例: orders）", en="a name (orders)"))
    variable = _matching(
        _VARIABLE,
        ja="環境変数の名前ではありません（例: SHOP_DATABASE_URL。接続先そのものは書かないでください）",
        en="the name of an environment variable (SHOP_DATABASE_URL; never write the address itself here)",
    )
    url, query = keys.need("url", variable), keys.need("query", _query)
    customer, time = keys.need("customer", read.text), keys.need("time", read.text)
    row_id = keys.need("id", read.text)
    if keys.has("event") and keys.has("event_column"):
        problems.add(
            keys.key("event_column"),
            "event と event_column はどちらか一つです",
            "event and event_column exclude each other (leave one out)",
        )
    is_of_customers = not keys.has("event") and not keys.has("event_column")
    misplaced = "properties" if is_of_customers else "traits"
    if keys.has(misplaced):
        problems.add(
            keys.key(misplaced),
            "traits は顧客の行（event なし）、properties は出来事の行に使います",
            "traits go with rows that are customers (no event), properties with rows that are events",
        )
    event, column = keys.get("event", read.name), keys.get("event_column", read.text)
    properties, traits = keys.get("properties", read.names), keys.get("traits", read.names)
    if None in (name, url, query, customer, time, row_id):
        return None
    assert name is not None
    assert url is not None
    assert query is not None
    assert customer is not None
    assert time is not None
    assert row_id is not None
    return Source(
        name=name,
        url=url,
        query=query,
        every=keys.get("every", _span) or timedelta(minutes=10),
        overlap=keys.get("overlap", read.duration) or timedelta(minutes=10),
        timezone=keys.get("timezone", read.timezone) or "Asia/Tokyo",
        customer=customer,
        time=time,
        id=row_id,
        event=event,
        event_column=column,
        properties=tuple(properties) if properties is not None else None,
        traits=tuple(traits) if traits is not None else None,
    )


def parse_sources(text: str, *, path: str) -> tuple[Source, ...]:
    """Read sources.yaml: a list of sources.

    Raises:
        RuleError: with everything that is wrong, line and column.
    """
    problems = Problems(path)
    node = read_tree(text, path=path)
    found: dict[str, Source] = {}
    if not isinstance(node, ListNode):
        raise RuleError(
            [
                Problem(
                    path,
                    1,
                    1,
                    "取り込み元のリストを書いてください（各項目は - で始めます）",
                    "write a list of sources (each begins with a dash)",
                )
            ]
        )
    for each in node.items:
        source = _source(each, problems)
        if source is not None and source.name in found:
            problems.add(each, f"「{source.name}」が二つあります", f"“{source.name}” is there twice")
        elif source is not None:
            found[source.name] = source
    problems.stop()
    return tuple(found.values())


def sources_of(path: Path | None) -> tuple[Source, ...]:
    """The sources of this installation; none without a file.

    Raises:
        Misconfigured: the file cannot be read.
        RuleError: something in it is wrong.
    """
    if path is None:
        return ()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"YORISOI_SOURCES: {path} cannot be read ({error}).") from None
    return parse_sources(text, path=str(path))


def address_of(source: Source, environment: Mapping[str, str | None]) -> str:
    """The address that the environment holds for this source.

    Raises:
        Misconfigured: it holds none.
    """
    found = environment.get(source.url)
    if not found:
        raise Misconfigured(
            f"{source.url} is not set, and the source {source.name} reads it. Set it to the address of the"
            " database, for example postgresql://reader:PASSWORD@HOST/NAME."
        )
    return found
