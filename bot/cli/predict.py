"""`yorisoi predict`: who will buy again soon?"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.forecasts import progress
from bot.cli.running import run, stop
from bot.cli.why import Language, in_language, language_of
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.flows.measure.predict import Likely, Predicted


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def predict(
        days: Annotated[int, typer.Option("--days", min=1, max=730, help="How far ahead.")] = 180,
        top: Annotated[
            int, typer.Option("--top", min=0, max=10_000, help="How many customers to print.")
        ] = 20,
        file: Annotated[Path | None, typer.Option("--csv", help="Write all customers there.")] = None,
        language: Language = None,
    ) -> None:
        """Rank customers by the chance to buy again, and show how good such a ranking was in the own past.

        Nothing is written to the database. Example: yorisoi predict --days 180 --csv likely.csv
        """
        tongue = language_of(language)

        async def work(settings: Settings) -> None:
            from bot.flows.measure.predict import predict as ask
            from bot.opening import connected

            async with connected(settings) as deps:
                with progress() as on_customers:
                    answer = await ask(deps, days=days, on_customers=on_customers)
            if file is not None:
                try:
                    _write(answer, file)
                except OSError as error:
                    stop(f"{file}: {error.strerror} (choose another place with --csv)")
            for line in told(answer, tongue, top=top):
                typer.echo(line)

        run(in_language(work, tongue))


def told(answer: Predicted, language: str, *, top: int) -> Iterator[str]:
    """The ranking and its trial, as lines for people."""
    is_ja = language == "ja"
    number, model = len(answer.likely), answer.model
    if is_ja:
        yield f"{answer.event} のあるお客様 {number:,}人、{answer.asked_on} まで（次の{answer.days}日）"
    else:
        yield f"{number:,} customers with {answer.event} up to {answer.asked_on} (next {answer.days} days)"
    yield f"BG/NBD: r {model.r:.3f}, α {model.alpha:.3f}, a {model.a:.3f}, b {model.b:.3f}"
    yield ""
    yield from _trial(answer, is_ja=is_ja)
    yield ""
    if is_ja:
        yield "購入の見込み  まだ客か  見込み回数  購入  最後の購入  時刻  お客様  次の商品"
    else:
        yield "will buy  active  expected  bought  last on     hour  customer  next product"
    for each in answer.likely[:top]:
        name = each.external_id or str(each.customer_id)
        yield (
            f"{each.bought:8.1%}  {each.active:6.1%}  {each.expected:8.2f}  {each.purchases:6}"
            f"  {each.last_on}  {_hour(each):>5}  {name}  {', '.join(each.products)}"
        ).rstrip()


def _hour(each: Likely) -> str:
    return f"{each.hour}:00" if each.hour is not None else "-"


def _trial(answer: Predicted, *, is_ja: bool) -> Iterator[str]:
    judged = answer.judgement
    if judged is None or judged.auc is None:
        yield (
            "過去での確かめ: 記録が足りません（--days を短くしてみてください）"
            if is_ja
            else "Tried on the own past: too little history (try fewer --days)"
        )
        return
    plain = f"{answer.plain_auc:.3f}" if answer.plain_auc is not None else "-"
    if is_ja:
        yield (
            f"過去での確かめ: {answer.trained_on} までで学び、その後{answer.days}日に買ったかを当てた"
            f"（{judged.customers:,}人、買ったのは{judged.share:.1%}）"
        )
        yield f"  AUC {judged.auc:.3f}（最後の購入の新しさだけでは {plain}、当てずっぽうは 0.500）"
        yield f"  Brier {judged.brier:.4f}（全員に平均を言うと {judged.base_brier:.4f}）"
        yield "  見込みの低い順に5分の1ずつ:  人数  見込み  実際"
    else:
        yield (
            f"Tried on the own past: trained up to {answer.trained_on}, judged by the next {answer.days} days"
            f" ({judged.customers:,} customers, {judged.share:.1%} of them bought)"
        )
        yield f"  AUC {judged.auc:.3f} (by the latest purchase alone {plain}, guessing 0.500)"
        yield f"  Brier {judged.brier:.4f} (telling everybody the average: {judged.base_brier:.4f})"
        yield "  by fifths, the least likely first:  customers  predicted  observed"
    for band in judged.bands:
        yield f"    {band.customers:8,}  {band.predicted:6.1%}  {band.observed:6.1%}"
    if answer.hits:
        said = ", ".join(f"{way} {share:.1%}" for way, share in answer.hits.items())
        yield (
            f"  次の商品（3つのうち当たり）: {said}" if is_ja else f"  next product (one of 3 right): {said}"
        )


def _write(answer: Predicted, file: Path) -> None:
    """All customers; with a byte order mark, for spreadsheets that take UTF-8 for something else."""
    from followups.measure.table import safe

    with file.open("w", encoding="utf-8-sig", newline="") as out:
        rows = csv.writer(out, quoting=csv.QUOTE_ALL)
        rows.writerow(
            ["customer", "purchases", "last_on", "will_buy", "active", "expected", "hour", "next_products"]
        )
        for each in answer.likely:
            rows.writerow(
                [
                    safe(each.external_id or str(each.customer_id)),
                    each.purchases,
                    each.last_on.isoformat(),
                    f"{each.bought:.4f}",
                    f"{each.active:.4f}",
                    f"{each.expected:.3f}",
                    "" if each.hour is None else each.hour,
                    safe(", ".join(each.products)),
                ]
            )
