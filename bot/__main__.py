"""The yorisoi command line."""

from __future__ import annotations

import typer

from bot.cli import imports, program, rules, why

app = typer.Typer(
    name="yorisoi",
    help="One-to-one customer follow-up on LINE, with hot leads handed to people in Slack.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
for noun in (program, imports, rules, why):
    noun.register(app)


def main() -> None:
    """Run the command that was typed."""
    app()


if __name__ == "__main__":
    main()
