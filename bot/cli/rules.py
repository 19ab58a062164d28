"""`yorisoi rules`: checking, testing, publishing and switching rules."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.rule_life.text import applied_lines, compared, sides_of
from bot.cli.running import as_text, run, stop
from bot.cli.why import Language, in_language, language_of
from bot.errors import Misconfigured
from bot.settings import Settings
from followups.rules.model import MessageTemplate, Policy, RuleState
from followups.rules.parsing import Problem, RuleError, RuleSet, parse_policy
from followups.times.zones import zone_of
from followups.words.text import Severity, lint_message

if TYPE_CHECKING:
    from bot.deps import Deps
    from followups.rules.parsing import PolicyText

Folder = Annotated[Path, typer.Argument(help="A folder with *.yaml, *.test.yaml and messages/*.yaml.")]
RuleId = Annotated[str, typer.Argument(help="The rule's id.", callback=as_text)]
PolicyPath = Annotated[
    Path | None, typer.Option("--policy", help="policy.yaml. Not given: the folder's own, if it has one.")
]

BY = "cli"


class Kind(StrEnum):
    """A kind of file that has a schema."""

    RULE = "rule"
    MESSAGE = "message"
    POLICY = "policy"
    SCORING = "scoring"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    rules = typer.Typer(
        name="rules",
        help="Check, test, publish and switch rules.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    _add_offline(rules)
    _add_online(rules)
    _add_states(rules)
    app.add_typer(rules)


def _add_offline(rules: typer.Typer) -> None:
    @rules.command()
    def check(
        folder: Folder,
        policy: PolicyPath = None,
        line: Annotated[
            bool,
            typer.Option("--line", help="Have LINE look at every message, too (sends and costs nothing)."),
        ] = False,
        language: Language = None,
    ) -> None:
        """Read a rule folder and say everything that is wrong with it; texts for customers are looked at too.

        Needs no database. Example: yorisoi rules check rules/
        """
        tongue = language_of(language)
        rule_set, known = _read(folder, policy, tongue)
        _check_menus(folder, tongue)
        looks = _looks(rule_set, known) + (_asked_of_line(rule_set, known) if line else [])
        objections = looks + _objections(rule_set, tongue) + _of_scripts(_files(folder, policy)[0], tongue)
        for said, _ in objections:
            typer.echo(said, err=True)
        if any(is_error for _, is_error in objections):
            raise SystemExit(1)
        typer.echo(
            f"{len(rule_set.rules)} 件の規則、{len(rule_set.messages)} 件のメッセージ: 問題ありません"
            if tongue == "ja"
            else f"{len(rule_set.rules)} rules, {len(rule_set.messages)} messages: sound"
        )

    @rules.command()
    def test(folder: Folder, policy: PolicyPath = None, language: Language = None) -> None:
        """Run the tests beside the rules (*.test.yaml) and say what was decided otherwise.

        Needs no database. Example: yorisoi rules test rules/
        """
        from followups.rules.testing import run_rule_tests

        tongue = language_of(language)
        rule_set, known_policy = _read(folder, policy, tongue)
        moments, failures = 0, 0
        for source in rule_set.sources:
            report = run_rule_tests(replace(rule_set, rules=(source.rule,), sources=(source,)), known_policy)
            moments, failures = moments + report.moments, failures + len(report.failures)
            typer.echo(f"{'✓' if report.is_passed else '✗'} {source.rule.id} ({report.moments})")
            _complain(report.failures, tongue)
        number = len(rule_set.sources)
        typer.echo(
            f"{number} 件の規則、{moments} 件の時点、失敗 {failures} 件"
            if tongue == "ja"
            else f"{number} rules, {moments} moments, {failures} failed"
        )
        if failures:
            raise SystemExit(1)

    @rules.command()
    def schema(
        of: Annotated[Kind, typer.Argument(help="Of which kind of file.")] = Kind.RULE,
    ) -> None:
        """Print the JSON Schema of a kind of file, for editors that complete and explain while you type.

        Needs no database. Example: yorisoi rules schema message
        """
        from followups.rules.schema import message_schema, rule_schema
        from followups.rules.settings_schema import policy_schema, scoring_schema

        made = {
            Kind.RULE: rule_schema,
            Kind.MESSAGE: message_schema,
            Kind.POLICY: policy_schema,
            Kind.SCORING: scoring_schema,
        }[of]
        typer.echo(json.dumps(made(), ensure_ascii=False, indent=2))


def _add_online(rules: typer.Typer) -> None:
    @rules.command()
    def apply(  # noqa: PLR0917
        folder: Folder,
        policy: PolicyPath = None,
        live: Annotated[bool, typer.Option("--live", help="Enable every rule of the folder.")] = False,
        move: Annotated[
            bool,
            typer.Option(
                "--move/--keep", help="Take who is under way over to the new version, or leave them."
            ),
        ] = False,
        ours: Annotated[
            list[str] | None, typer.Option("--ours", help="In a conflict, take this rule from the folder.")
        ] = None,
        theirs: Annotated[
            list[str] | None, typer.Option("--theirs", help="In a conflict, keep this rule as stored.")
        ] = None,
        yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
        language: Language = None,
    ) -> None:
        """Publish a rule folder: all of it, or nothing when something in it is wrong.

        Shows what changes, and asks when a person sits there. A new rule starts in the state its file names
        (shadow when it names none). A rule that was changed elsewhere meanwhile (in Slack, by a rollback) is
        not overwritten: the conflict is shown, and the exit code is 1. Example: yorisoi rules apply rules/
        """
        from bot.flows.rules.publish import publish, switch
        from bot.flows.versions.compare import compare

        tongue = language_of(language)
        rule_set, _ = _read(folder, policy, tongue)
        files, known_policy = _files(folder, policy)
        sides = sides_of(ours or (), theirs or ())

        async def work(deps: Deps) -> None:
            comparison = await compare(deps, files, policy=known_policy)
            for line in compared(comparison, tongue, is_brief=True):
                typer.echo(line, err=True)
            if comparison.is_changing and not yes and sys.stdin.isatty():
                typer.confirm("公開しますか" if tongue == "ja" else "Publish this?", abort=True, err=True)
            published = await publish(deps, files, by=BY, policy=known_policy, sides=sides, is_moving=move)
            scanned = published.scanned
            for rule in rule_set.rules if live else ():
                scanned += await switch(deps, rule.id, RuleState.LIVE, by=BY)
            for line, is_remark in applied_lines(published.applied, scanned, tongue):
                typer.echo(line, err=is_remark)
            if published.applied.conflicts or published.applied.is_scoring_kept:
                raise SystemExit(1)

        with_deps(work, tongue)


def _add_states(rules: typer.Typer) -> None:
    @rules.command(name="list")
    def list_rules(language: Language = None) -> None:
        """List the rules with state, version, customers matched, messages sent, and who changed them when.

        Example: yorisoi rules list
        """
        from bot.flows.rules.publish import overview, rulebook

        async def work(deps: Deps) -> None:
            rows = await overview(deps)
            zone = zone_of((await rulebook(deps)).policy.timezone)
            width = max((len(row.rule_id) for row in rows), default=2)
            by = max((len(row.changed_by) for row in rows), default=2)
            typer.echo(
                f"{'id':{width}}  {'state':7}  {'version':>7}  {'matched':>7}  {'sent':>6}"
                f"  {'changed':16}  {'by':{by}}  name"
            )
            for row in rows:
                typer.echo(
                    f"{row.rule_id:{width}}  {row.state:7}  {row.version:>7}  {row.matched:>7}"
                    f"  {row.sent:>6}  {row.changed_at.astimezone(zone):%Y-%m-%d %H:%M}"
                    f"  {row.changed_by:{by}}  {row.name}"
                )

        with_deps(work, language_of(language))

    @rules.command()
    def enable(
        rule: RuleId,
        shadow: Annotated[
            bool, typer.Option("--shadow", help="Rehearse: decide and record, send nothing.")
        ] = False,
        canary: Annotated[
            bool, typer.Option("--canary", help="Write to the first few, wait, then to the rest.")
        ] = False,
        language: Language = None,
    ) -> None:
        """Let a rule send (or try, or rehearse); everyone who matches now is looked at.

        Example: yorisoi rules enable inactive-14d --canary
        """
        if shadow and canary:
            raise typer.BadParameter("choose --shadow or --canary")
        state = RuleState.SHADOW if shadow else RuleState.CANARY if canary else RuleState.LIVE
        _switch(rule, state, language_of(language))

    @rules.command()
    def pause(rule: RuleId, language: Language = None) -> None:
        """Stop a rule; what it has promised waits.

        Example: yorisoi rules pause inactive-14d
        """
        _switch(rule, RuleState.PAUSED, language_of(language))


def _switch(rule_id: str, state: RuleState, language: str) -> None:
    from bot.flows.rules.publish import switch

    async def work(deps: Deps) -> None:
        scanned = await switch(deps, rule_id, state, by=BY)
        looked = f"、確認するお客様 {scanned} 人" if language == "ja" else f", {scanned} customers to look at"
        typer.echo(f"{rule_id}: {state.value}{looked if scanned else ''}")

    with_deps(work, language)


def with_deps(work: Callable[[Deps], Awaitable[None]], language: str) -> None:
    """Run a command's work with the database alone; what is refused or cannot be read is told, exit 1."""

    async def with_database(settings: Settings) -> None:
        from bot.opening import connected

        async with connected(settings) as deps:
            try:
                await work(deps)
            except RuleError as error:
                _complain(error.problems, language)
                raise SystemExit(1) from None

    run(in_language(with_database, language))


def _files(folder: Path, policy: Path | None) -> tuple[dict[str, str], PolicyText | None]:
    from bot.intake.rule_files import policy_beside, read_folder

    try:
        return read_folder(folder), policy_beside(folder, policy)
    except Misconfigured as error:
        stop(str(error))


def _read(folder: Path, policy: Path | None, language: str) -> tuple[RuleSet, Policy]:
    """The folder and its policy, or everything that is wrong with them and exit 1."""
    from followups.rules.parsing import read_folder as read_rules

    files, policy_text = _files(folder, policy)
    problems: tuple[Problem, ...] = ()
    known = Policy()
    if policy_text is not None:
        try:
            known = parse_policy(policy_text.source, path=policy_text.path)
        except RuleError as error:
            problems = error.problems
    rule_set = read_rules(files, policy=known)
    problems += rule_set.problems
    if problems:
        _complain(problems, language)
        raise SystemExit(1)
    if not rule_set.rules:
        stop(f"{folder}: no rules (規則がありません: put *.yaml files into it)")
    return rule_set, known


def _check_menus(folder: Path, language: str) -> None:
    from bot.intake.menu_files import FOLDER, menus_of

    if any((folder / FOLDER).glob("*.yaml")):
        try:
            menus_of(folder)
        except RuleError as error:
            _complain(error.problems, language)
            raise SystemExit(1) from None
        except Misconfigured as error:
            stop(str(error))


def _templates(rule_set: RuleSet) -> dict[str, MessageTemplate]:
    return {
        **{message.name: message for rule in rule_set.rules for message in rule.messages},
        **rule_set.messages,
    }


def _looks(rule_set: RuleSet, policy: Policy) -> list[tuple[str, bool]]:
    """What LINE would refuse by its reference, as `_objections` tells it."""
    from bot.line.looks import problems_of

    return [
        (f"{name} [{language}] {problem.property}: {problem.message} (LINE)", True)
        for name, template in sorted(_templates(rule_set).items())
        for language, problem in problems_of(template, policy.senders.bot)
    ]


def _asked_of_line(rule_set: RuleSet, policy: Policy) -> list[tuple[str, bool]]:
    """What LINE itself says of every message in every language."""
    from bot.line.client import LineClient
    from bot.line.looks import examples

    async def ask(settings: Settings) -> list[tuple[str, bool]]:
        found = []
        async with LineClient.connected(settings) as client:
            for name, template in sorted(_templates(rule_set).items()):
                for language, bubbles in examples(template, policy.senders.bot):
                    because = await client.validate(bubbles)
                    if because is not None:
                        found.append((f"{name} [{language}] LINE: {because}", True))
        return found

    return run(ask)


def _of_scripts(files: Mapping[str, str], language: str) -> list[tuple[str, bool]]:
    """What is wrong with the scripted answers of a folder, as `_objections` tells it."""
    from bot.flows.answers.scripts import read_own
    from followups.answers.scripts import lint_script

    found = read_own(files)
    told = [(problem.said(language), True) for problem in found.problems]
    return told + [
        (
            f"scripts/{script.id}.yaml:1:1: {finding.because.ja if language == 'ja' else finding.because.en}",
            finding.severity is Severity.ERROR,
        )
        for script in found.by_id.values()
        for finding in lint_script(script)
    ]


def _complain(problems: tuple[Problem, ...], language: str) -> None:
    for problem in problems:
        typer.echo(problem.said(language), err=True)


def _objections(rule_set: RuleSet, language: str) -> list[tuple[str, bool]]:
    """What a careful colleague would say of the texts: (line, whether it must not be sent)."""
    paths = {source.rule.id: source.path for source in rule_set.sources}
    templates = {
        message.name: (message, paths[rule.id]) for rule in rule_set.rules for message in rule.messages
    }
    folder = {
        name: str(Path(path).parent / "messages" / f"{name}.yaml") for name, (_, path) in templates.items()
    }
    templates |= {
        name: (template, folder.get(name, f"messages/{name}.yaml"))
        for name, template in rule_set.messages.items()
    }
    return [
        (
            f"{path}:1:1: {finding.because.ja if language == 'ja' else finding.because.en}",
            finding.severity is Severity.ERROR,
        )
        for _, (template, path) in sorted(templates.items())
        for finding in lint_message(template)
    ]
