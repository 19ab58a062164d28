"""Can Slack's signing secret be exchanged without losing a press?"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import replace

import aiohttp
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from db.engine import Database
from handlers.slack.http import router
from sandbox.serve import serving
from tests.flows.desk import SIGNING_SECRET, desk

NEW = "f" * 32


def _signed(body: bytes, secret: str) -> dict[str, str]:
    stamp = str(int(time.time()))
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
        "Content-Type": "application/json",
    }


@pytest.mark.parametrize(
    ("setting", "secret", "status"),
    [
        (f"{NEW},{SIGNING_SECRET}", NEW, 200),
        (f"{NEW},{SIGNING_SECRET}", SIGNING_SECRET, 200),
        (f"{NEW},{SIGNING_SECRET}", "other", 401),
        (f"{NEW},", "", 401),
        (f"{NEW},{SIGNING_SECRET}", f"{NEW},{SIGNING_SECRET}", 401),
        (NEW, SIGNING_SECRET, 401),
    ],
    ids=["the new one", "the old one", "another", "an empty one", "both as one", "the old one afterwards"],
)
async def test_while_a_secret_is_exchanged_both_are_taken_and_no_other(
    db: Database, setting: str, secret: str, status: int
) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c4", "token": "x"}).encode()
    async with desk(db) as d:
        settings = d.deps.settings.model_copy(update={"slack_signing_secret": SecretStr(setting)})
        doors = FastAPI()
        doors.include_router(router(replace(d.deps, settings=settings)))
        async with (
            serving(doors) as address,
            aiohttp.ClientSession(trust_env=False) as session,
            session.post(f"{address}/slack/events", data=body, headers=_signed(body, secret)) as answer,
        ):
            assert answer.status == status
