"""What is the story that shows Yorisoi, told by the real program among stand-ins?"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

import followups
from bot.flows.rules.publish import switch
from followups.rules.model import RuleState
from sandbox.company import HEROINE, PEOPLE, UNASKED, history
from sandbox.slack import Message
from sandbox.slack.rendering import as_read
from sandbox.terminal import Telling
from sandbox.trace import lines_of
from sandbox.world import MOMENT, World, read_folder

PLAYBOOKS = Path(followups.__file__).parent / "playbooks"
RULE = "inactive-14d"
LIVE = (RULE, "renewal-near", "birthday")
QUIET_FOR = timedelta(days=14)
QUESTION = "請求書に会社のロゴを入れたいのですが、やり方が分かりません。"
DRAFTED = "「請求書に会社のロゴを入れたい」"
"""Only a draft that answers the question quotes it."""
REPLY = "ロゴは「設定」の「請求書のデザイン」から入れられます。画像を1つ選ぶと、次の請求書から表示されます。"
"""What the sales person makes of the draft: it is a person who knows the product."""
THANKS = "できました。ありがとうございます!"
PATIENCE_SECONDS = 20.0
_JAPAN = ZoneInfo("Asia/Tokyo")


async def prepare(running: World) -> None:
    """The sample company as everybody finds it: a year of events, rules, and customers who are on LINE."""
    await running.batch(list(history(running.clock.now())))
    await running.publish(read_folder(PLAYBOOKS))
    for rule_id in LIVE:
        await switch(running.deps, rule_id, RuleState.LIVE, by="demo")
    await asyncio.gather(*(running.friend(each.id, each.name) for each in PEOPLE if each.on_line))


class Story:
    """The guided walk: event → message on the phone → reply → lead card → send → phone."""

    def __init__(self, console: Console, running: World) -> None:
        self._telling = Telling(console)
        self._world = running
        self._user = ""

    async def tell(self) -> None:
        """Every step, each waited for until it stands where people would see it."""
        await self._prepare()
        await self._agree()
        await self._go_quiet()
        await self._explain_silence()
        await self._ask_for_help()
        await self._answer()
        await self._thank()

    async def _prepare(self) -> None:
        await prepare(self._world)
        live = ", ".join(LIVE)
        self._say(
            f"製品「そら会計」から、{len(PEOPLE)}人のお客様の1年分の利用記録が届きました。",
            f"A year of events of {len(PEOPLE)} customers came in through /v1/batch. Live rules: {live}; "
            "the other playbooks watch in shadow.",
        )

    async def _agree(self) -> None:
        w = self._world
        self._user = w.line.add_person(HEROINE.name)
        await w.line.follow(self._user)
        await self._until(lambda: bool(w.heard(self._user)))
        question = w.heard(self._user)[-1]
        await w.line.press(self._user, "consent:yes", display_text="受け取る")
        await self._until(lambda: len(w.heard(self._user)) > 1)
        await w.link(HEROINE.id, self._user)
        self._say(
            f"{HEROINE.name}さんが友だち追加。同意をたずね、「受け取る」が押されてから始まります。",
            "Friendship is not consent: one question first, nothing proactive before the answer.",
        )
        self._phone([question])

    async def _go_quiet(self) -> None:
        w = self._world
        known = len(w.heard(self._user))
        await w.pass_time(QUIET_FOR)
        await self._until(lambda: len(w.heard(self._user)) > known)
        self._say(
            "2週間後。利用が途絶えた花子さんに、1通だけ届きました。",
            f"Two weeks later. The rule {RULE} found that she has been away; this stands on her phone, "
            "and this is the decision as it was kept:",
        )
        self._phone(w.heard(self._user)[known:])
        await self._why(HEROINE.id, is_kept=True)

    async def _explain_silence(self) -> None:
        self._say(
            f"{UNASKED.name}さんも同じ状態ですが、送られていません。理由と、次の機会が分かります。",
            "The same rule, another customer: not sent, with the reason and what would have to change.",
        )
        await self._why(UNASKED.id, is_kept=False)

    async def _ask_for_help(self) -> None:
        w = self._world
        await w.line.tap_quick_reply(self._user, "困っている")
        await w.line.say(self._user, QUESTION)
        await w.settle()
        await self._until(lambda: DRAFTED in self._card().plain_text())
        self._say(
            "「困っている」が押されると、Slackに見込みカードが立ちます。返信の下書き付き、まだ何も送られていません。",
            "One tap opened a hot lead in Slack: why, the conversation, drafts. Nothing is sent by itself.",
        )
        self._slack([self._card()])

    async def _answer(self) -> None:
        w = self._world
        known = len(w.heard(self._user))
        await self._until(lambda: bool(self._offered("lead.edit")))
        await w.slack.press(w.sato, w.leads_channel, self._card().ts, self._offered("lead.edit")[0])
        await self._until(lambda: bool(w.slack.open_views(w.sato)))
        view = w.slack.open_views(w.sato)[-1]
        field = next(block["element"]["action_id"] for block in view.blocks if block["type"] == "input")
        await w.slack.submit(w.sato, view.id, {field: REPLY})
        await w.settle()
        await w.turn(MOMENT)
        await self._until(lambda: len(w.heard(self._user)) > known)
        self._say(
            "営業の佐藤さんが下書きを直して「送信」。取り消せる15秒のあと、花子さんのLINEに届きました。",
            "A named person edits a draft and sends it; after fifteen seconds to undo it is on the phone:",
        )
        self._phone(w.heard(self._user)[known:])

    async def _thank(self) -> None:
        w = self._world
        await w.line.say(self._user, THANKS)
        await w.settle()
        await self._until(lambda: any(THANKS in each.plain_text() for each in self._thread()))
        self._say(
            "お返事はSlackのスレッドに届きます。ここからは、LINEとスレッドが1つの会話です。",
            "Her answer stands in the Slack thread: from here on LINE and thread are one conversation.",
        )
        self._slack(self._thread())

    def _card(self) -> Message:
        w = self._world
        cards = [each for each in w.slack.messages(w.leads_channel) if each.thread_ts in (None, each.ts)]
        if not cards:
            raise LookupError("no card yet")
        return cards[-1]

    def _offered(self, action: str) -> list[str]:
        buttons = self._world.slack.buttons(self._card())
        return [button.action_id for button in buttons if button.action_id.startswith(action)]

    def _thread(self) -> list[Message]:
        w = self._world
        return w.slack.thread(w.leads_channel, self._card().ts)[1:]

    def _say(self, ja: str, en: str) -> None:
        now = self._world.clock.now().astimezone(_JAPAN)
        self._telling.step(ja, en, at=f"{now:%m/%d %H:%M}")

    def _phone(self, texts: Sequence[str]) -> None:
        self._telling.box("LINE", [row for text in texts for row in text.splitlines()], "green")

    def _slack(self, messages: Sequence[Message]) -> None:
        members = self._world.slack.workspace.members.values()
        names = {member.id: member.real_name for member in members}
        read = [as_read(each.plain_text(), names=names, zone=_JAPAN) for each in messages]
        self._telling.box("Slack", [row for text in read for row in text.splitlines()], "magenta")

    async def _why(self, user_id: str, *, is_kept: bool) -> None:
        lines = await lines_of(self._world.deps, user_id, RULE, language="ja", is_kept=is_kept)
        self._telling.box("why", lines, "yellow")

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                with contextlib.suppress(LookupError):
                    if holds():
                        return
                await asyncio.sleep(0.05)
