"""Does the description of our doors say what the doors do?"""

from __future__ import annotations

from typing import Any

import aiohttp
from fastapi.routing import APIRoute
from starlette.routing import Route

from handlers import ingest
from handlers.openapi import document
from sandbox.world import INGEST_KEY, World
from tests.wiring import deps_without_platforms


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    paths = document("http://127.0.0.1:8000")["paths"]
    return [(path, method, each) for path, them in paths.items() for method, each in them.items()]


def test_every_door_of_the_product_is_described_and_no_other() -> None:
    routes = [route for route in ingest.router(deps_without_platforms()).routes if isinstance(route, Route)]
    assert not any(isinstance(route, APIRoute) for route in routes)
    real = {
        (route.path.replace("{external_id:path}", "{external_id}"), method.lower())
        for route in routes
        for method in route.methods or ()
    }
    assert {(path, method) for path, method, _ in operations()} == real


def test_every_schema_that_is_named_exists() -> None:
    described = document("http://127.0.0.1:8000")
    named = set()

    def look(node: object) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                named.add(node["$ref"].removeprefix("#/components/schemas/"))
            for each in node.values():
                look(each)
        elif isinstance(node, list):
            for each in node:
                look(each)

    look(described["paths"])
    assert named == set(described["components"]["schemas"])


async def test_every_example_is_taken_by_its_door(world: World) -> None:
    headers = {"Authorization": f"Bearer {INGEST_KEY}"}
    async with aiohttp.ClientSession(world.address, trust_env=False, headers=headers) as session:
        for path, method, operation in operations():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            url = path.replace("{external_id}", "c-1042")
            async with session.request(method, url, json=body.get("example")) as answer:
                told = await answer.json(content_type=None)
                assert answer.status == 200, (path, told)
                schema = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
                wanted = document("x")["components"]["schemas"][schema.rsplit("/", 1)[1]]
                assert set(wanted["required"]) <= set(told) <= set(wanted["properties"])


async def test_the_page_and_the_document_are_open_and_closed_to_scripts(world: World) -> None:
    async with aiohttp.ClientSession(world.address, trust_env=False) as session:
        async with session.get("/v1/openapi.json") as answer:
            assert (await answer.json())["servers"] == [{"url": world.address}]
        async with session.get("/v1/docs") as answer:
            page = await answer.text()
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "/v1/batch" in page
    assert "田中" in page
    assert "<script" not in page
