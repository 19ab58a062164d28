"""What can be known of one customer, and a day in which all of it is said once?"""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta

from PIL import Image

from bot.flows.answers.learn import learn
from sandbox.world import World
from tests.flows.knowledge import PAGES

EXTERNAL_ID, NAME, COMPANY = "canary-4711", "蘭堂 霧彦", "霧彦商店"
EMAIL, PHONE, WORD = "kirihiko.rando@example.co.jp", "090-7771-3344", "りんどうの花"
CANARIES = (EXTERNAL_ID, "蘭堂", "霧彦", "kirihiko", "7771-3344", WORD)
"""Each of them is personal: nothing of it may turn up where it does not belong."""
ADDRESS = ("public_base_url", "https://bot.example.com")
RULE = """
id: canary
name: お声がけ
state: live
goal: {event: login, within: 7d}
when: {event: viewed, count: {at_least: 1}}
holdout: 0%
then: [{send: canary}]
"""
MESSAGE = """
text: {ja: "{customer.name}様、つづきはこちらです。", en: "{customer.name}, go on here."}
button: {label: 開く, url: "https://app.example.com/start"}
quick_replies: [{label: 困っている, signal: needs_help, lead: true}]
"""
POLICY = "holdout: 0%\nundo_seconds: 0\nlink_hosts: [app.example.com]\n"


def picture() -> bytes:
    """A picture that the program takes."""
    written = io.BytesIO()
    Image.new("RGB", (9, 9), (1, 2, 3)).save(written, "PNG")
    return written.getvalue()


async def live(world: World) -> str:
    """Everything a customer and staff can do; returns the LINE user id."""
    await world.publish({"canary.yaml": RULE, "messages/canary.yaml": MESSAGE, "policy.yaml": POLICY})
    await learn(world.deps, PAGES)
    traits = {"email": EMAIL, "phone": PHONE, "company": COMPANY, "plan": "trial"}
    user = await world.friend(EXTERNAL_ID, NAME, **traits)
    await world.turn(timedelta(days=2))
    await world.track(EXTERNAL_ID, "viewed", page=WORD)
    await world.settle()
    await _taps(world, user)
    await world.line.say(user, "月2回にして")
    await world.line.say(user, f"請求書はどこで発行できますか？{WORD}")
    await world.settle()
    await world.line.say(user, f"電話は {PHONE}、{EMAIL} です。担当者と話したいです。{WORD}")
    await world.line.send_image(user, picture())
    await world.line.send_file(user, f"{WORD}.pdf", b"%PDF-1.7 ...")
    await world.settle()
    await _staff(world)
    await world.line.say(user, f"ありがとう、{WORD}")
    await world.line.unfollow(user)
    await world.line.follow(user)
    await world.settle()
    return user


async def _taps(world: World, user: str) -> None:
    said = [json.dumps(bubble["raw"]) for bubble in world.line.phone(user) if bubble["from"] == "bot"]
    [url] = re.findall(r"https://bot\.example\.com(/r/[\w-]+)", said[-1])
    await world.line.open_link(user, world.address + url)
    await world.line.tap_quick_reply(user, "困っている")
    await world.settle()


async def _staff(world: World) -> None:
    card = next(each for each in world.slack.messages(world.leads_channel) if each.buttons())
    leads, sato = world.leads_channel, world.sato
    await world.slack.press(sato, leads, card.ts, "lead.claim")
    await world.settle()
    shown = next(each for each in world.slack.messages(leads) if each.ts == card.ts)
    send = next(each.action_id for each in shown.buttons() if each.action_id.startswith("lead.send"))
    await world.slack.press(sato, leads, card.ts, send)
    await world.turn(timedelta(minutes=1))
    file = (f"{WORD}.png", picture(), "image/png")
    await world.slack.write(sato, leads, "", thread_ts=card.ts, files=[file])
    await world.settle()
    offer = next(
        said
        for said in world.slack.thread(leads, card.ts)
        for button in said.buttons()
        if button.action_id == "lead.file"
    )
    await world.slack.press(sato, leads, offer.ts, "lead.file")
    await world.turn(timedelta(minutes=1))
