"""`yorisoi quota`, `yorisoi rich-menu`: what the LINE account has left, and what hangs below its chat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.running import run
from bot.cli.why import Language, in_language, language_of
from bot.settings import Settings
from followups.rules.parsing import RuleError
from followups.times.zones import JAPAN

if TYPE_CHECKING:
    from bot.deps import Deps
    from bot.flows.operate.watch_quota import Standing
    from bot.line.client import LineClient


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command()
    def quota(language: Language = None) -> None:
        """Show the month's messages: used, kept for people, forecast to the month's end, and who gets what.

        Asks LINE where it is configured, and counts what was sent where it is not. Example: yorisoi quota
        """
        tongue = language_of(language)

        async def work(settings: Settings) -> None:
            from dataclasses import replace

            from bot.flows.operate.watch_quota import read_quota, standing
            from bot.line.client import LineClient
            from bot.opening import connected

            async with connected(settings) as deps:
                known = None
                if settings.line_channel_access_token is not None:
                    async with LineClient.connected(settings) as line:
                        known = await read_quota(replace(deps, line=line))
                is_from_line = known is not None
                for each in quota_lines(known or await standing(deps), tongue, is_from_line=is_from_line):
                    typer.echo(each)

        run(in_language(work, tongue))

    _add_menus(app)


def _add_menus(app: typer.Typer) -> None:
    menus = typer.Typer(
        name="rich-menu",
        help="The menu below the chat: what hangs there, and putting ours there.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )

    @menus.command(name="apply")
    def apply_menu(
        folder: Annotated[
            Path | None,
            typer.Argument(help="A folder with rich-menus/*.yaml. Not given: YORISOI_RULES, else ours."),
        ] = None,
        language: Language = None,
    ) -> None:
        """Show the folder's rich menus (or ours: 相談, 配信設定, 停止), then remove our older ones.

        Doing it again changes nothing; menus made elsewhere stay. Example: yorisoi rich-menu apply rules/
        """
        tongue = language_of(language)

        async def work(deps: Deps, line: LineClient) -> None:
            from bot.flows.channel.apply_menus import apply_menus
            from bot.intake.menu_files import menus_of

            found, pictures = menus_of(folder or deps.settings.yorisoi_rules)
            done = await apply_menus(deps, line, found, pictures)
            made, kept = ", ".join(done.made) or "-", ", ".join(done.kept) or "-"
            typer.echo(
                f"作成: {made}、そのまま: {kept}、古いものの削除: {done.removed}"
                if tongue == "ja"
                else f"made: {made}; as they were: {kept}; older ones removed: {done.removed}"
            )

        _with_line(work, tongue)

    @menus.command(name="list")
    def list_menu(language: Language = None) -> None:
        """List the rich menus that LINE has for this account, made by API; * is everybody's.

        Example: yorisoi rich-menu list
        """
        tongue = language_of(language)

        async def work(_deps: Deps, line: LineClient) -> None:
            from bot.flows.channel.apply_menus import list_menus

            for rich_menu_id, name, is_default in await list_menus(line):
                typer.echo(f"{'*' if is_default else ' '} {rich_menu_id}  {name}")

        _with_line(work, tongue)

    app.add_typer(menus)


def _with_line(work: Callable[[Deps, LineClient], Awaitable[None]], language: str) -> None:
    async def with_line(settings: Settings) -> None:
        from bot.line.client import LineClient
        from bot.opening import connected

        async with connected(settings) as deps, LineClient.connected(settings) as line:
            try:
                await work(deps, line)
            except RuleError as error:
                for problem in error.problems:
                    typer.echo(problem.said(language), err=True)
                raise SystemExit(1) from None

    run(in_language(with_line, language))


def quota_lines(known: Standing, language: str, *, is_from_line: bool) -> list[str]:
    """The month as lines for people."""
    is_ja = language == "ja"
    at = known.at.astimezone(JAPAN)
    source_ja, source_en = (
        ("LINE の数字", "LINE's count") if is_from_line else ("送信の記録から", "our own count")
    )
    head = f"{at:%Y-%m-%d %H:%M} JST"
    lines = [f"{head}（{source_ja}）" if is_ja else f"{head} ({source_en})"]
    limit = f"{known.limit:,}" if known.limit is not None else ("上限なし" if is_ja else "no limit")
    rows: list[tuple[str, str, str]] = [
        ("今月使った通数", "used this month", f"{known.used:,} / {limit}"),
        ("そのうち人・自動応答", "of these by people and answers", f"{known.by_people:,}"),
    ]
    if known.left is not None:
        rows += [
            ("人の返信のために取っておく", "kept for people's replies", f"{known.reserve:,}"),
            ("規則が送れる残り", "left for rules", f"{known.left:,}"),
        ]
    rows.append(("月末の見込み", "forecast to the month's end", f"{known.forecast:,}"))
    if known.monthly is not None:
        cost = f"{known.extra:,}"
        if known.yen is not None and known.extra:
            cost += f" (≈ ¥{round(known.yen):,})"
        rows.append(("プランを超える見込み", "of it beyond the plan", cost))
    lines += [f"  {ja if is_ja else en}: {value}" for ja, en, value in rows]
    if known.allotment.shares:
        lines += [
            "",
            "月末までの割り当て（優先度の順）" if is_ja else "Shares to the month's end, by priority",
        ]
        width = max(len(each.rule_id) for each in known.allotment.shares)
        for each in known.allotment.shares:
            waits = each.wanted - each.given
            tail = (f"  待つ {waits:,}" if is_ja else f"  {waits:,} wait") if waits else ""
            lines.append(f"  {each.rule_id:{width}}  {each.given:>8,} / {each.wanted:,}{tail}")
    return lines
