"""Is only what was signed with our secret, over this very body and just now, taken for genuine?"""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import aiohttp
import pytest

from bot.errors import Misconfigured
from bot.intake.signatures import is_genuine, secrets_of
from sandbox.world import INGEST_KEY, World
from sandbox.world import world as open_world

NOW = datetime(2026, 11, 2, 1, tzinfo=UTC)
SECRET = base64.b64encode(b"k" * 24).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()
BODY = b'{"userId": "c-1", "event": "login", "timestamp": "2026-11-02T00:00:00Z", "messageId": "e-1"}'


def signed(
    body: bytes, *, secret: str = SECRET, at: datetime = NOW, message_id: str = "msg-1"
) -> dict[str, str]:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    stamp = str(int(at.timestamp()))
    digest = hmac.new(key, f"{message_id}.{stamp}.".encode() + body, sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1a,AAAA v1,{base64.b64encode(digest).decode()}",
    }


def test_the_example_of_the_published_scheme_is_genuine() -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    secrets = secrets_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, tz=UTC)
    assert is_genuine(headers, b'{"test": 2432232314}', secrets, now=at)


@pytest.mark.parametrize(
    "change",
    [
        {"body": BODY + b" "},
        {"now": NOW + timedelta(minutes=6)},
        {"now": NOW - timedelta(minutes=6)},
        {"webhook-id": "msg-2"},
        {"webhook-id": ""},
        {"webhook-timestamp": "1"},
        {"webhook-timestamp": "１２３"},
        {"webhook-timestamp": "9" * 40},
        {"webhook-signature": ""},
        {"webhook-signature": "v2,AAAA"},
        {"webhook-signature": "v1,é"},
    ],
)
def test_what_differs_in_anything_is_not(change: dict[str, object]) -> None:
    headers = {**signed(BODY), **{k: str(v) for k, v in change.items() if k.startswith("webhook")}}
    body, now = change.get("body", BODY), change.get("now", NOW)
    assert isinstance(body, bytes)
    assert isinstance(now, datetime)
    assert not is_genuine(headers, body, secrets_of(SECRET), now=now)


def test_two_secrets_are_accepted_while_they_are_exchanged() -> None:
    both = secrets_of(f"{SECRET}, {OTHER}")
    assert is_genuine(signed(BODY), BODY, both, now=NOW)
    assert is_genuine(signed(BODY, secret=OTHER), BODY, both, now=NOW)
    assert not is_genuine(signed(BODY, secret=OTHER), BODY, secrets_of(SECRET), now=NOW)


@pytest.mark.parametrize("setting", ["not base64!", "c2hvcnQ="])
def test_a_secret_that_is_none_is_refused_at_start(setting: str) -> None:
    with pytest.raises(Misconfigured, match="YORISOI_WEBHOOK_SECRET"):
        secrets_of(setting)


@pytest.fixture
async def signing(database_url: str):
    from pydantic import SecretStr

    extra = [("yorisoi_webhook_secret", SecretStr(SECRET))]
    async with open_world(NOW, database_url=database_url, extra=extra) as world:
        yield world


async def send(world: World, body: bytes, headers: dict[str, str]) -> int:
    async with (
        aiohttp.ClientSession(trust_env=False) as session,
        session.post(world.address + "/v1/track", data=body, headers=headers) as answer,
    ):
        return answer.status


async def test_a_signed_call_comes_in_without_the_key_and_a_forged_one_does_not(signing: World) -> None:
    assert await send(signing, BODY, signed(BODY)) == 200
    assert await send(signing, BODY.replace(b"c-1", b"c-2"), signed(BODY)) == 401
    assert await send(signing, BODY, {}) == 401
    assert await send(signing, BODY, {**signed(BODY), "webhook-timestamp": "0"}) == 401
    assert await send(signing, BODY, {"Authorization": f"Bearer {INGEST_KEY}"}) == 200
    assert await send(signing, b" " * 600_000, signed(BODY)) == 413
