"""What does Yorisoi do, shown on one machine in a minute?

The story is told by the real program among stand-ins: what is printed is what reached the phones and Slack.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape

import followups
from bot import logs
from bot.flows.publish import switch
from bot.flows.why import why
from followups.rules.model import RuleState
from sandbox.company import HEROINE, PEOPLE, UNASKED, history
from sandbox.serve import serving
from sandbox.slack import Message
from sandbox.website import website
from sandbox.world import World, read_folder, world

PLAYBOOKS = Path(followups.__file__).parent / "playbooks"
BEGIN = datetime(2026, 10, 5, 1, tzinfo=UTC)
"""Monday 5 October 2026, 10:00 in Japan."""
RULE = "inactive-14d"
LIVE = (RULE, "renewal-near", "birthday")
REPLY = "ロゴは「設定」の「請求書のデザイン」から入れられます。画像を1つ選ぶと、次の請求書から表示されます。"
"""What the sales person makes of the draft: it is a person who knows the product."""
PATIENCE_SECONDS = 20.0
_JAPAN = ZoneInfo("Asia/Tokyo")


def demo(*, is_once: bool, port: int, is_browser_opened: bool) -> int:
    """Walk the story and print it; unless `is_once`, leave a page open until Ctrl-C. Returns an exit code."""
    logs.configure("ERROR")
    console = Console(highlight=False, soft_wrap=True)
    try:
        asyncio.run(_show(console, is_once=is_once, port=port, is_browser_opened=is_browser_opened))
    except KeyboardInterrupt:
        console.print("\n終了しました / stopped")
    return 0


async def _show(console: Console, *, is_once: bool, port: int, is_browser_opened: bool) -> None:
    console.print("[bold]寄り添い Yorisoi[/bold]: データベースを起動しています / starting PostgreSQL …")
    with _scratch_folder() as folder:
        async with world(BEGIN, data_dir=folder, is_worked=True, is_running=True) as running:
            if is_once:
                await _Story(console, running).tell()
                return
            async with _page(running, port) as address:
                await _Story(console, running).tell()
                console.print("\n両側をご自分で試せます / try both sides yourself (Ctrl-C to stop):")
                console.print(f"[bold]{address}/[/bold]")
                if is_browser_opened:
                    await asyncio.to_thread(_open, address)
                await _until_interrupted()
                console.print("終了しています / stopping …")


@contextlib.contextmanager
def _scratch_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="yorisoi-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # as root, the database's own user must be able to pass
        yield Path(folder) / "data"


@contextlib.asynccontextmanager
async def _page(running: World, port: int) -> AsyncIterator[str]:
    """The page at the wished port, or at a free one when that is taken."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            address = await stack.enter_async_context(serving(website(running), port=port))
        except OSError:
            address = await stack.enter_async_context(serving(website(running)))
        yield address


def _open(address: str) -> None:
    with contextlib.suppress(webbrowser.Error):
        webbrowser.open(address)


async def _until_interrupted() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


class _Story:
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
        w = self._world
        await w.batch(list(history(w.clock.now())))
        await w.publish(read_folder(PLAYBOOKS))
        for rule_id in LIVE:
            await switch(w.deps, rule_id, RuleState.LIVE, by="demo")
        for person in PEOPLE:
            if person.on_line:
                await w.friend(person.id, person.name)
        await w.settle()
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
            phone=[question],
        )

    async def _go_quiet(self) -> None:
        w = self._world
        known = len(w.heard(self._user))
        await w.turn(timedelta(days=15))
        await self._until(lambda: len(w.heard(self._user)) > known)
        self._say(
            "15日後。利用が途絶えた花子さんに、1通だけ届きました。",
            f"Fifteen days later. The rule {RULE} found her by one index range; this stands on her phone:",
            phone=w.heard(self._user)[known:],
            trace=await why(w.deps, HEROINE.id, rule_id=RULE, language="ja"),
        )

    async def _explain_silence(self) -> None:
        w = self._world
        self._say(
            f"{UNASKED.name}さんも同じ状態ですが、送られていません。理由と、次の機会が分かります。",
            "The same rule, another customer: not sent, with the reason and what would have to change.",
            trace=await why(w.deps, UNASKED.id, rule_id=RULE, language="ja"),
        )

    async def _ask_for_help(self) -> None:
        w = self._world
        await w.line.tap_quick_reply(self._user, "困っている")
        await w.line.say(self._user, "請求書に会社のロゴを入れたいのですが、やり方が分かりません。")
        await w.settle()
        await self._until(lambda: "下書き" in self._card().plain_text())
        self._say(
            "「困っている」が押されると、Slackに見込みカードが立ちます。返信の下書き付き、まだ何も送られていません。",
            "One tap opened a hot lead in Slack: why, the conversation, drafts. Nothing is sent by itself.",
            slack=self._card().plain_text(),
        )

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
        await w.turn(timedelta(seconds=20))
        await self._until(lambda: len(w.heard(self._user)) > known)
        self._say(
            "営業の佐藤さんが下書きを直して「送信」。取り消せる15秒のあと、花子さんのLINEに届きました。",
            "A named person edits a draft and sends it; after fifteen seconds to undo it is on the phone:",
            phone=w.heard(self._user)[known:],
        )

    async def _thank(self) -> None:
        w = self._world
        await w.line.say(self._user, "できました。ありがとうございます!")
        await w.settle()
        await self._until(lambda: "できました" in self._thread())
        self._say(
            "お返事はSlackのスレッドに届きます。ここからは、LINEとスレッドが1つの会話です。",
            "Her answer stands in the Slack thread: from here on LINE and thread are one conversation.",
            slack=self._thread(),
        )

    def _card(self) -> Message:
        cards = [
            m for m in self._world.slack.messages(self._world.leads_channel) if m.thread_ts in (None, m.ts)
        ]
        if not cards:
            raise LookupError("no card yet")
        return cards[-1]

    def _offered(self, action: str) -> list[str]:
        buttons = self._world.slack.buttons(self._card())
        return [button.action_id for button in buttons if button.action_id.startswith(action)]

    def _thread(self) -> str:
        w = self._world
        return "\n".join(m.plain_text() for m in w.slack.thread(w.leads_channel, self._card().ts)[1:])

    def _read(self, message: Message) -> list[str]:
        members = self._world.slack.workspace.members.values()
        names = {member.id: member.real_name for member in members}
        return as_read(message.plain_text(), names=names, zone=_JAPAN).splitlines()

    def _say(self, ja: str, en: str) -> None:
        now = self._world.clock.now().astimezone(_JAPAN)
        self._telling.step(ja, en, at=f"{now:%m/%d %H:%M}")

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                with contextlib.suppress(LookupError):
                    if holds():
                        return
                await asyncio.sleep(0.05)
