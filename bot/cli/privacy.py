"""`yorisoi privacy`: what did a customer agree to, what is kept about them, and how does it go away?"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from bot.cli.running import as_text, run, stop
from bot.cli.why import Language, in_language, language_of
from bot.settings import Settings

Customer = Annotated[
    str, typer.Argument(help="The product's id of the customer, or a LINE user id.", callback=as_text)
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = typer.Typer(
        no_args_is_help=True, help="Consent as proof, everything that is kept, erasing, unlinking."
    )
    app.add_typer(commands, name="privacy")

    @commands.command()
    def consent(
        customer: Customer,
        is_json: Annotated[bool, typer.Option("--json", help="As JSON, complete.")] = False,
        language: Language = None,
    ) -> None:
        """Show every yes and no of a customer: when, where, in answer to which words.

        Example: yorisoi privacy consent user-42 --json
        """

        async def work(settings: Settings) -> None:
            from bot.flows.privacy.keep_record import consent_record
            from bot.opening import connected

            async with connected(settings) as deps:
                record = await consent_record(deps, customer)
            if is_json:
                typer.echo(json.dumps(record.as_json(), ensure_ascii=False, indent=2))
                return
            for purpose, is_granted in record.standing.items():
                typer.echo(f"{purpose}: {'yes' if is_granted else 'no'}")
            for entry in record.entries:
                typer.echo("  ".join(str(entry[key]) for key in ("at", "purpose", "answer", "source")))
            for wish in record.wishes:
                typer.echo(f"{wish['at']}  {wish['about']}  {json.dumps(wish['wished'])}  {wish['source']}")

        run(in_language(work, language_of(language)))

    @commands.command()
    def export(customer: Customer, language: Language = None) -> None:
        """Print everything that is kept about a customer, as JSON.

        Example: yorisoi privacy export user-42
        """

        async def work(settings: Settings) -> None:
            from bot.flows.privacy.keep_record import export_customer
            from bot.opening import connected

            async with connected(settings) as deps:
                kept = await export_customer(deps, customer)
            typer.echo(json.dumps(kept, ensure_ascii=False, indent=2))

        run(in_language(work, language_of(language)))

    @commands.command()
    def erase(
        customer: Customer,
        is_sure: Annotated[bool, typer.Option("--yes", help="Do it; it cannot be undone.")] = False,
        language: Language = None,
    ) -> None:
        """Erase what is kept about a customer; their refusal of messages stays.

        Example: yorisoi privacy erase user-42 --yes
        """
        if not is_sure:
            stop("Nothing was erased. It cannot be undone: give --yes to do it.")

        async def work(settings: Settings) -> None:
            from bot.flows.privacy.keep_record import erase_customer
            from bot.opening import connected

            async with connected(settings) as deps:
                customer_id = await erase_customer(deps, customer, by="cli")
            typer.echo(f"Erased: {customer_id}. What we wrote in Slack is rewritten by the running program.")

        run(in_language(work, language_of(language)))

    @commands.command()
    def unlink(customer: Customer, language: Language = None) -> None:
        """Part a customer from their LINE user, for instance after a conflict.

        Example: yorisoi privacy unlink user-42
        """

        async def work(settings: Settings) -> None:
            from bot.flows.signals.line_link import unlink_customer
            from bot.opening import connected

            async with connected(settings) as deps:
                is_ended = await unlink_customer(deps, customer, by="cli")
            typer.echo("The link has ended." if is_ended else "They were not linked.")

        run(in_language(work, language_of(language)))
