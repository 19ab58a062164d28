"""Which eight steps show Yorisoi to somebody who has never seen it, and how is each done for them?

Every step is done through the program's real doors, and is left out where the visitor did it by hand.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from followups.rules.conditions import Text
from sandbox.company import HEROINE, UNASKED
from sandbox.slack import Message
from sandbox.slack.modals import View
from sandbox.stage.passing import Passing
from sandbox.story import DRAFTED, PATIENCE_SECONDS, QUESTION, QUIET_FOR, REPLY
from sandbox.world import MOMENT, World

Json = dict[str, Any]

ASKED = "「受け取る」を押すまで"
AGREED = "ありがとうございます。お役に立ちそうなとき"
AWAY = "手が止まっている所"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: what the button says it will do, and the sentence that explains what came of it.

    `pane`: where to look (`phone`, `slack`, `trace`); `customer`: whom.
    """

    name: str
    pane: str
    does: Text
    said: Text
    customer: str = HEROINE.id


WELCOME = Text(
    ja=f"架空の会社「そら会計」に、お客様12人の1年分の利用記録が届いています。左が{HEROINE.name}さんのスマートフォン、"
    "右が社内のSlack。動いているのは本物のプログラムです。",
    en="The made-up company “Sora Accounting” has a year of events of twelve customers. Left: the phone "
    "of Hanako Yamada. Right: the company's Slack. Everything here is the real program at work.",
)
STEPS = (
    Step(
        name="befriend",
        pane="phone",
        does=Text(ja="花子さんが友だち追加する", en="Hanako adds the account"),
        said=Text(
            ja="友だち追加は同意ではありません。まず一度だけ、何を・どのくらい・どう止めるかを伝えてたずねます。",
            en="Adding the account is not consent: one question first: what, how often, how to stop.",
        ),
    ),
    Step(
        name="agree",
        pane="phone",
        does=Text(ja="「受け取る」を押す", en="she presses “Yes, please”"),
        said=Text(
            ja="同意が時刻と文面の版つきで記録され、会員番号ともつながりました。ここから先だけ、お知らせが送られます。",
            en="Her consent is on record with time and wording, and linked to her account: "
            "only now may anything be sent.",
        ),
    ),
    Step(
        name="use",
        pane="trace",
        does=Text(ja="製品を使う", en="she uses the product"),
        said=Text(
            ja="使えている間は、何も送りません。送らない理由と、次に変わりうる時が、下の「なぜ?」に並びます。",
            en="While all goes well nothing is sent. Below, “Why?” says so for every rule, "
            "and when that could change.",
        ),
    ),
    Step(
        name="away",
        pane="phone",
        does=Text(ja="花子さんの利用が途絶え、14日たつ", en="she goes quiet, and 14 days pass"),
        said=Text(
            ja="利用が途絶えた花子さんに、送ってよい時間帯を待って1通だけ。監視を感じさせず、助けだけを差し出す文面です。",
            en="She gets one message, at a decent hour: it offers help and does not show what is known.",
        ),
    ),
    Step(
        name="trouble",
        pane="slack",
        does=Text(ja="「困っている」を押して、質問を書く", en="she taps “I'm stuck” and asks"),
        said=Text(
            ja="その場でSlackに見込みカードが立ちました。理由、会話、返信の下書き付き。まだ何も送られていません。",
            en="At once a hot lead stands in Slack: why now, what she said, drafts. Nothing has been sent.",
        ),
    ),
    Step(
        name="edit",
        pane="slack",
        does=Text(ja="佐藤さんが下書きを開いて直す", en="Sato opens the draft and edits it"),
        said=Text(
            ja="送るのは人です。下書きは会話の今の状態に結びついていて、古くなったものは送れません。自由に書き換えてみてください。",
            en="A person decides. A draft belongs to the conversation as it stands: "
            "a stale one is refused. Change it as you like.",
        ),
    ),
    Step(
        name="send",
        pane="phone",
        does=Text(ja="送信する（15秒は取り消せる）", en="send (15 seconds to undo)"),
        said=Text(
            ja="佐藤さんの名前で、花子さんのスマートフォンに届きました。ここからLINEとSlackのスレッドは1つの会話です。",
            en="It is on her phone, under Sato's own name. From here on chat and thread "
            "are one conversation.",
        ),
    ),
    Step(
        name="why",
        pane="trace",
        does=Text(ja="送られなかった人の理由を見る", en="see why somebody else got nothing"),
        said=Text(
            ja="田中さんも同じ状態ですが、LINEで未連携なので送られていません。送らなかった理由も必ず残り、成果は比較群と比べて出します。",
            en="Tanaka is just as quiet, but not linked on LINE. What is not sent has its reason, too; "
            "effects are measured against a holdout.",
        ),
        customer=UNASKED.id,
    ),
)


class Tour:
    """Where a visitor stands in the story. `at` counts the steps that are done."""

    def __init__(self, world: World, passing: Passing) -> None:
        self._world, self._passing = world, passing
        self._going = asyncio.Lock()
        self.at = 0
        self._acts: dict[str, Callable[[str], Awaitable[None]]] = {
            "befriend": self._befriend,
            "agree": self._agree,
            "use": self._use,
            "away": self._go_away,
            "trouble": self._ask,
            "edit": self._edit,
            "send": self._send,
            "why": self._look,
        }

    def as_json(self) -> Json:
        """`{at, of, said, does, pane, customer, staff, fill}`; `does` is None after the last step."""
        done = STEPS[self.at - 1] if self.at else None
        ahead = STEPS[self.at] if self.at < len(STEPS) else None
        return {
            "at": self.at,
            "of": len(STEPS),
            "name": done.name if done else None,
            "said": _both(done.said if done else WELCOME),
            "does": _both(ahead.does) if ahead else None,
            "pane": done.pane if done else None,
            "customer": done.customer if done else HEROINE.id,
            "staff": self._world.sato,
            "fill": REPLY if done and done.name == "edit" else None,
        }

    async def go_on(self, at: int, words: str) -> Json:
        """Do the step after `at`, unless it was done meanwhile. `words`: what stands in the open modal."""
        async with self._going:
            if at == self.at and self.at < len(STEPS):
                await self._acts[STEPS[self.at].name](words)
                self.at += 1
        return self.as_json()

    async def _befriend(self, _words: str) -> None:
        w = self._world
        user_id = w.phones.get(HEROINE.id) or w.line.add_person(HEROINE.name)
        w.phones[HEROINE.id] = user_id
        if not w.line.person(user_id).is_friend or not w.heard(user_id):
            await w.line.follow(user_id)
        await self._heard(ASKED)

    async def _agree(self, _words: str) -> None:
        w, user_id = self._world, self._user()
        if not self._has_heard(AGREED):
            await w.line.tap_button(user_id, "受け取る")
            await self._heard(AGREED)
        if HEROINE.id not in w.linked:
            await w.link(HEROINE.id, user_id)

    async def _use(self, _words: str) -> None:
        self._passing.quiet.discard(HEROINE.id)
        for event in ("login", "invoice_created"):
            await self._world.track(HEROINE.id, event)
        await self._world.settle()

    async def _go_away(self, _words: str) -> None:
        self._passing.quiet.add(HEROINE.id)
        if not self._has_heard(AWAY):
            await self._passing.by(QUIET_FOR + timedelta(hours=1))
            await self._heard(AWAY)

    async def _ask(self, _words: str) -> None:
        w, user_id = self._world, self._user()
        with contextlib.suppress(LookupError):  # the visitor tapped it already
            await w.line.tap_quick_reply(user_id, "困っている")
        if not any(bubble["text"] == QUESTION for bubble in w.line.phone(user_id)):
            await w.line.say(user_id, QUESTION)
        await w.settle()
        await _until(lambda: DRAFTED in self._card().plain_text() or not self._offered())

    async def _edit(self, _words: str) -> None:
        w = self._world
        if self._open_modal() is None and self._offered():
            card = self._card()
            await w.slack.press(w.sato, card.channel, card.ts, self._offered()[0])
            await _until(lambda: self._open_modal() is not None)

    async def _send(self, words: str) -> None:
        w, view = self._world, self._open_modal()
        known = len(w.heard(self._user()))
        if view is not None:
            field = next(block["element"]["action_id"] for block in view.blocks if block["type"] == "input")
            await w.slack.submit(w.sato, view.id, {field: words.strip() or REPLY})
        await w.settle()
        await self._passing.by(MOMENT)
        if view is not None:
            await _until(lambda: len(w.heard(self._user())) > known)

    async def _look(self, _words: str) -> None:
        await self._world.settle()

    def _user(self) -> str:
        return self._world.phones[HEROINE.id]

    def _has_heard(self, words: str) -> bool:
        return any(words in text for text in self._world.heard(self._user()))

    async def _heard(self, words: str) -> None:
        await _until(lambda: self._has_heard(words))

    def _card(self) -> Message:
        w = self._world
        cards = [
            each
            for each in w.slack.messages(w.leads_channel)
            if each.thread_ts in (None, each.ts) and HEROINE.name in each.plain_text()
        ]
        if not cards:
            raise LookupError("no card yet")
        return cards[-1]

    def _offered(self) -> list[str]:
        buttons = self._world.slack.buttons(self._card())
        return [button.action_id for button in buttons if button.action_id.startswith("lead.edit")]

    def _open_modal(self) -> View | None:
        views = self._world.slack.open_views(self._world.sato)
        return views[-1] if views else None


async def _until(holds: Callable[[], bool]) -> None:
    """Wait for what the program is doing by itself. Raises TimeoutError after `PATIENCE_SECONDS`."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with contextlib.suppress(LookupError):
                if holds():
                    return
            await asyncio.sleep(0.05)


def _both(text: Text) -> Json:
    return {"ja": text.ja, "en": text.en}
