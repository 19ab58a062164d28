"""Can the product finish LINE's account-link dialog, and end a link?"""

from __future__ import annotations

import aiohttp

from sandbox.line import signature
from sandbox.world import INGEST_KEY, World


async def test_a_nonce_needs_the_key_and_comes_with_the_address(world: World) -> None:
    path = "/v1/customers/user-1/account-link-nonce"
    assert (await world.post(path, {"linkToken": "t0k/en"}, key=None))[0] == 401
    status, answer = await world.post(path, {"linkToken": "t0k/en"})
    assert status == 200
    assert answer["url"] == (
        f"https://access.line.me/dialog/bot/accountLink?linkToken=t0k%2Fen&nonce={answer['nonce']}"
    )
    assert (await world.post(path, ["nonsense"]))[1]["url"] == ""


async def test_the_product_ends_a_link(world: World) -> None:
    tanaka = await world.friend("user-1", "田中")
    address = f"{world.address}/v1/customers/user-1/line-link"
    answers = []
    async with aiohttp.ClientSession(trust_env=False) as session:
        for key in ("wrong", INGEST_KEY, INGEST_KEY):
            headers = {"Authorization": f"Bearer {key}"}
            async with session.delete(address, headers=headers) as answer:
                answers.append((answer.status, (await answer.json()).get("unlinked")))
    assert answers == [(401, None), (200, True), (200, False)]
    await world.line.say(tanaka, "連携解除")
    await world.settle()
    assert "まだアカウントと連携されていません" in world.heard(tanaka)[-1]


def test_a_webhook_under_the_old_secret_counts_while_both_are_set() -> None:
    from bot.line.signature import is_signed, secrets_of

    body = b'{"events":[]}'
    for secret in ("new", "old"):
        assert any(is_signed(each, body, signature(secret, body)) for each in secrets_of("new,old"))
    assert not any(is_signed(each, body, signature("other", body)) for each in secrets_of("new,old"))
