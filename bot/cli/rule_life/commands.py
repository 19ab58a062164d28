"""`yorisoi rules history|diff|rollback|export|approve`: versions of rules, and what waits for a word."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.rule_life.text import compared, told
from bot.cli.rules import BY, Folder, PolicyPath, RuleId, with_deps
from bot.cli.running import as_text, stop
from bot.cli.why import Language, language_of
from bot.errors import Misconfigured
from followups.times.zones import zone_of

if TYPE_CHECKING:
    from bot.deps import Deps

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the group `rules`."""
    rules = next(
        group.typer_instance
        for group in app.registered_groups
        if group.typer_instance is not None and group.typer_instance.info.name == "rules"
    )
    _add_versions(rules)
    _add_exchange(rules)
    _add_approve(rules)


def _add_versions(rules: typer.Typer) -> None:
    @rules.command()
    def history(rule: RuleId, language: Language = None) -> None:
        """Show a rule's versions, what each changed, who is in it, and everything that was done to it.

        Example: yorisoi rules history inactive-14d
        """
        from bot.flows.rules.publish import rulebook
        from bot.flows.versions.history import history as ask

        tongue = language_of(language)

        async def work(deps: Deps) -> None:
            answer = await ask(deps, rule)
            zone = zone_of((await rulebook(deps)).policy.timezone)
            for line in told(answer, tongue, zone):
                typer.echo(line)

        with_deps(work, tongue)

    @rules.command()
    def rollback(
        rule: RuleId,
        to: Annotated[
            int | None,
            typer.Option("--to", min=1, help="The version to go back to. Not given: the last one."),
        ] = None,
        move: Annotated[
            bool, typer.Option("--move/--keep", help="Take who is under way over to it, or leave them.")
        ] = False,
        yes: Yes = False,
        language: Language = None,
    ) -> None:
        """Make a rule say again what it said in an older version; that is a new version, nothing is lost.

        Example: yorisoi rules rollback inactive-14d --to 3
        """
        from bot.flows.versions.history import between
        from bot.flows.versions.history import history as ask
        from bot.flows.versions.rollback import rollback as go_back

        tongue = language_of(language)

        async def work(deps: Deps) -> None:
            current = (await ask(deps, rule)).versions[0].version
            wanted = to if to is not None else max(1, current - 1)
            for line in await between(deps, rule, current, wanted):
                typer.echo(line, err=True)
            if not yes and sys.stdin.isatty():
                typer.confirm(
                    "この内容に戻しますか" if tongue == "ja" else "Go back to this?", abort=True, err=True
                )
            version = await go_back(deps, rule, to=to, by=BY, is_moving=move)
            typer.echo(f"{rule}: v{version} = v{wanted}")

        with_deps(work, tongue)


def _add_exchange(rules: typer.Typer) -> None:
    @rules.command()
    def diff(
        folder: Folder,
        rule: Annotated[str | None, typer.Argument(help="Only this rule.", callback=as_text)] = None,
        policy: PolicyPath = None,
        language: Language = None,
    ) -> None:
        """Show what applying a folder would change: in words, as text, and for how many people under way.

        Nothing is written. Exit code 1 when there is a conflict. Example: yorisoi rules diff rules/
        """
        from bot.flows.versions.compare import compare
        from bot.intake.rule_files import policy_beside, read_folder

        tongue = language_of(language)
        try:
            files, policy_text = read_folder(folder), policy_beside(folder, policy)
        except Misconfigured as error:
            stop(str(error))

        async def work(deps: Deps) -> None:
            comparison = await compare(deps, files, policy=policy_text, rule_id=rule)
            for line in compared(comparison, tongue):
                typer.echo(line)
            if comparison.conflicts:
                raise SystemExit(1)

        with_deps(work, tongue)

    @rules.command()
    def export(
        folder: Annotated[Path, typer.Argument(help="Where to write; made if it is not there.")],
        rule: Annotated[str | None, typer.Argument(help="Only this rule.", callback=as_text)] = None,
        yes: Annotated[
            bool, typer.Option("--yes", "-y", help="Also over files that say what was never applied.")
        ] = False,
        language: Language = None,
    ) -> None:
        """Write the rules in force into a folder, byte for byte, with messages, tests and policy.

        Example: yorisoi rules export rules/
        """
        from bot.flows.versions.export import export as write

        tongue = language_of(language)

        async def work(deps: Deps) -> None:
            exported = await write(deps, folder, rule_id=rule, is_overwriting=yes)
            for name in exported.files:
                typer.echo(f"{folder / name}")
            number = len(exported.same)
            typer.echo(f"変更なし {number} 件" if tongue == "ja" else f"{number} files were the same already")
            for name in exported.disputed:
                typer.echo(
                    f"{folder / name}: 規則によって文面が違います。新しい方を書き出しました"
                    "（rules apply でそろえてください）"
                    if tongue == "ja"
                    else f"{folder / name}: rules hold different texts of it; the newer one was written"
                    " (rules apply makes them one)",
                    err=True,
                )
            if exported.disputed:
                raise SystemExit(1)

        with_deps(work, tongue)


def _add_approve(rules: typer.Typer) -> None:
    @rules.command()
    def approve(
        rule: RuleId,
        refuse: Annotated[bool, typer.Option("--refuse", help="Say no instead.")] = False,
        yes: Yes = False,
        language: Language = None,
    ) -> None:
        """Answer what a rule asks: more recipients today, or the texts that wait for review.

        Example: yorisoi rules approve inactive-14d
        """
        from bot.flows.rules import approve as answering

        tongue = language_of(language)
        is_ja = tongue == "ja"

        async def work(deps: Deps) -> None:
            questions = await answering.waiting(deps, rule)
            if not questions:
                typer.echo(
                    f"{rule}: 承認待ちはありません" if is_ja else f"{rule}: nothing waits for approval"
                )
                return
            for each in questions:
                if each.day is not None:
                    typer.echo(
                        f"{each.day}: 本日 {each.recipients} 人に送信済み。これ以上の送信"
                        if is_ja
                        else f"{each.day}: wrote to {each.recipients} people; more of them today"
                    )
                else:
                    typer.echo(f"{each.customer_id}:")
                    typer.echo("\n".join(f"  │ {line}" for line in each.text.splitlines()))
            if not yes and sys.stdin.isatty():
                verb = (
                    ("断りますか" if refuse else "承認しますか")
                    if is_ja
                    else "Refuse?"
                    if refuse
                    else "Approve?"
                )
                typer.confirm(verb, abort=True, err=True)
            settle = answering.refuse if refuse else answering.approve
            for each in questions:
                await settle(deps, each.approval_id, by=BY)
            number = len(questions)
            word = (
                ("断りました" if refuse else "承認しました") if is_ja else "refused" if refuse else "approved"
            )
            typer.echo(f"{rule}: {number} 件{word}" if is_ja else f"{rule}: {number} {word}")

        with_deps(work, tongue)
