"""Are there always replies to choose from, whatever the model's server does?"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from openai import AsyncOpenAI
from pydantic import SecretStr

from bot.clock import TurnableClock
from bot.llm.client import ModelDrafter, drafter_of
from bot.llm.drafts import TemplateDrafter, kind_of, templates
from bot.ports import DraftRequest, SaidLine
from bot.settings import Settings
from followups.words.lint import Severity, lint
from sandbox.openai import OpenAIStandIn
from sandbox.openai.standin import Failed, Garbage, Hang, Refusal, Status, Truncated
from sandbox.serve import serving


def asked(
    text: str | None = "料金を教えてください", language: str = "ja", wish: str | None = None
) -> DraftRequest:
    lines = (SaidLine(speaker="customer", text=text),) if text is not None else ()
    return DraftRequest(language=language, lines=lines, reasons=("料金についての質問",), wish=wish)


@asynccontextmanager
async def model(timeout: float = 2.0) -> AsyncIterator[tuple[OpenAIStandIn, ModelDrafter]]:
    clock = TurnableClock(datetime(2026, 11, 24, tzinfo=UTC))
    server = OpenAIStandIn(clock.now)
    async with serving(server.app) as address:
        client = AsyncOpenAI(api_key="sk-x", base_url=f"{address}/v1", timeout=timeout, max_retries=0)
        yield server, ModelDrafter(client, model="m", fallback=TemplateDrafter())
        await client.close()


def _answer(*texts: str) -> dict[str, Any]:
    return {"drafts": [{"reply": text} for text in texts]}


async def test_the_models_replies_come_back_and_nothing_is_stored_there() -> None:
    async with model() as (server, drafter):
        server.answers.append(_answer("はい。", " ご案内します。 "))
        drafts = await drafter.draft(asked())
        assert [(each.text, each.source) for each in drafts] == [
            ("はい。", "model"),
            ("ご案内します。", "model"),
        ]
        (exchange,) = server.journal
        assert exchange.body["store"] is False
        assert "料金を教えて" not in exchange.body["instructions"]
        assert '{"customer": "料金を教えてください"}' in json.dumps(
            exchange.body["input"], ensure_ascii=False
        ).replace('\\"', '"')


async def test_the_stand_ins_own_writer_understands_the_prompt() -> None:
    async with model() as (_, drafter):
        drafts = await drafter.draft(asked())
        assert drafts
        assert {each.source for each in drafts} == {"model"}


@pytest.mark.parametrize(
    "trouble",
    [
        Refusal(),
        Truncated(),
        Truncated(reason="content_filter"),
        Failed(),
        Status(401),
        Status(429, headers={"retry-after": "1"}),
        Status(429, code="insufficient_quota"),
        Status(500),
        Status(404, code="model_not_found"),
        Garbage(),
        Garbage(body="{}", media_type="application/json"),
        Garbage(body="[1", media_type="application/json"),
        {"drafts": []},
        {"drafts": [{"reply": "  "}]},
        {"something": "else"},
        "not JSON",
    ],
    ids=str,
)
async def test_every_kind_of_trouble_ends_in_a_template_after_one_request(trouble: Any) -> None:
    async with model() as (server, drafter):
        server.answers.append(trouble)
        drafts = await drafter.draft(asked())
        assert [each.source for each in drafts] == ["template"]
        assert len(server.journal) == 1


async def test_silence_and_cut_connections_end_in_a_template_soon() -> None:
    async with model(timeout=0.3) as (server, drafter):
        server.answers.append(Hang(5))
        assert (await drafter.draft(asked()))[0].source == "template"
        server.faults.add("*", drop="before")
        assert (await drafter.draft(asked()))[0].source == "template"
        assert len(server.journal) == 2


async def test_a_compatible_server_without_responses_is_asked_the_older_way_from_then_on() -> None:
    async with model() as (server, drafter):
        server.faults.add("/v1/responses", status=404, body={"error": {"message": "no such route"}})
        server.answers += [_answer("はい。"), _answer("いいえ。")]
        assert [each.text for each in await drafter.draft(asked())] == ["はい。"]
        assert [each.text for each in await drafter.draft(asked())] == ["いいえ。"]
        paths = [each.path for each in server.journal]
        assert paths == ["/v1/responses", "/v1/chat/completions", "/v1/chat/completions"]


async def test_at_most_three_replies_are_taken() -> None:
    async with model() as (server, drafter):
        server.answers.append(_answer(*"12345"))
        assert len(await drafter.draft(asked())) == 3


async def test_without_a_key_there_are_templates_only() -> None:
    async with drafter_of(Settings.of()) as drafter:
        assert isinstance(drafter, TemplateDrafter)
    async with drafter_of(Settings.of(openai_api_key=SecretStr("k"))) as drafter:
        assert isinstance(drafter, ModelDrafter)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (None, "silence"),
        ("料金はいくらですか", "interest"),
        ("エラーで困っています。料金も高い", "complaint"),
        ("こんにちは", "other"),
        ("What is the price?", "interest"),
    ],
)
def test_templates_answer_what_was_said(text: str | None, kind: str) -> None:
    assert kind_of(asked(text)) == kind


async def test_another_wish_gets_another_template() -> None:
    first = await TemplateDrafter().draft(asked())
    other = await TemplateDrafter().draft(asked(wish="別の切り口"))
    assert {each.text for each in first} & {each.text for each in other} == set()


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_template_is_one_a_careful_colleague_would_send(language: str) -> None:
    for name, kind in templates().items():
        for text in kind.ja if language == "ja" else kind.en:
            said = text.replace("⟦name⟧", "山田" if language == "ja" else "Hanako")
            wrong = [each for each in lint(said, language=language) if each.severity is Severity.ERROR]
            assert wrong == [], name
            assert not [each for each in lint(said, language=language) if each.kind == "questions"], (
                name,
                said,
            )
            assert len(said) <= (140 if language == "ja" else 280)
