"""The yorisoi command line."""

from __future__ import annotations

import sys
from io import TextIOWrapper

import typer

from bot.cli import (
    forecasts,
    imports,
    knowledge,
    line_account,
    predict,
    privacy,
    program,
    rules,
    safekeeping,
    setup,
    why,
)
from bot.cli.report import command as report
from bot.cli.rule_life import commands as rule_life

app = typer.Typer(
    name="yorisoi",
    help="One-to-one customer follow-up on LINE, with hot leads handed to people in Slack.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
for noun in (
    privacy,
    setup,
    program,
    imports,
    rules,
    rule_life,
    knowledge,
    forecasts,
    why,
    predict,
    report,
    line_account,
    safekeeping,
):
    noun.register(app)


def main() -> None:
    """Run the command that was typed."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that cannot show a character still gets the line
            stream.reconfigure(errors="backslashreplace")
    app()


if __name__ == "__main__":
    main()
