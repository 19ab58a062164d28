"""`yorisoi rules`: checking, testing, publishing and switching rules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.running import as_text, run, stop
from bot.cli.why import Language, in_language, language_of
from bot.errors import Misconfigured
from bot.settings import Settings
from followups.rules.model import Policy, RuleState, SendStep
from followups.rules.parsing import Problem, RuleError, RuleSet, parse_policy
from followups.text import Severity, lint_message

if TYPE_CHECKING:
    from bot.deps import Deps
    from followups.rules.parsing import PolicyText

Folder = Annotated[Path, typer.Argument(help="A folder with *.yaml, *.test.yaml and messages/*.yaml.")]
RuleId = Annotated[str, typer.Argument(help="The rule's id.", callback=as_text)]
PolicyPath = Annotated[
    Path | None, typer.Option("--policy", help="policy.yaml. Not given: the folder's own, if it has one.")
]

BY = "cli"


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
    app.add_typer(rules)


def _add_offline(rules: typer.Typer) -> None:
    @rules.command()
    def check(folder: Folder, policy: PolicyPath = None, language: Language = None) -> None:
        """Read a rule folder and say everything that is wrong with it; texts for customers are looked at too.

        Needs no database. Example: yorisoi rules check rules/
        """
        tongue = language_of(language)
        rule_set, _ = _read(folder, policy, tongue)
        objections = _objections(rule_set, tongue)
        for line, _ in objections:
            typer.echo(line, err=True)
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


def _add_online(rules: typer.Typer) -> None:
    @rules.command()
    def apply(
        folder: Folder,
        policy: PolicyPath = None,
        live: Annotated[bool, typer.Option("--live", help="Enable every rule of the folder.")] = False,
        language: Language = None,
    ) -> None:
        """Publish a rule folder: all of it, or nothing when something in it is wrong.

        A new rule starts in the state its file names (shadow when it names none). Example: yorisoi rules
        apply rules/
        """
        from bot.flows.rules.publish import publish, switch

        tongue = language_of(language)
        rule_set, _ = _read(folder, policy, tongue)
        files, known_policy = _files(folder, policy)

        async def work(deps: Deps) -> None:
            published = await publish(deps, files, by=BY, policy=known_policy)
            applied = published.applied
            for mark, ids in (("+", applied.added), ("~", applied.changed), ("=", applied.unchanged)):
                for rule_id in ids:
                    typer.echo(f"{mark} {rule_id}")
            for rule_id in applied.absent:
                said = f"このフォルダにはありません（止めるには: yorisoi rules pause {rule_id}）"
                if tongue != "ja":
                    said = f"not in this folder (to stop it: yorisoi rules pause {rule_id})"
                typer.echo(f"? {rule_id}: {said}", err=True)
            scanned = published.scanned
            if live:
                for rule in rule_set.rules:
                    scanned += await switch(deps, rule.id, RuleState.LIVE, by=BY)
            typer.echo(
                f"リビジョン {applied.revision}、確認するお客様 {scanned} 人"
                if tongue == "ja"
                else f"revision {applied.revision}, {scanned} customers to look at"
            )

        _with_deps(work, tongue)

    @rules.command(name="list")
    def list_rules(language: Language = None) -> None:
        """List the published rules with their state, version, customers matched and messages sent.

        Example: yorisoi rules list
        """
        from bot.flows.rules.publish import overview

        async def work(deps: Deps) -> None:
            rows = await overview(deps)
            width = max((len(row.rule_id) for row in rows), default=2)
            typer.echo(f"{'id':{width}}  {'state':7}  {'version':>7}  {'matched':>7}  {'sent':>6}  name")
            for row in rows:
                typer.echo(
                    f"{row.rule_id:{width}}  {row.state:7}  {row.version:>7}  {row.matched:>7}"
                    f"  {row.sent:>6}  {row.name}"
                )

        _with_deps(work, language_of(language))

    @rules.command()
    def enable(
        rule: RuleId,
        shadow: Annotated[
            bool, typer.Option("--shadow", help="Rehearse: decide and record, send nothing.")
        ] = False,
        language: Language = None,
    ) -> None:
        """Let a rule send (or rehearse); everyone who matches now is looked at.

        Example: yorisoi rules enable inactive-14d
        """
        _switch(rule, RuleState.SHADOW if shadow else RuleState.LIVE, language_of(language))

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

    _with_deps(work, language)


def _with_deps(work: Callable[[Deps], Awaitable[None]], language: str) -> None:
    async def with_database(settings: Settings) -> None:
        from bot.opening import connected

        async with connected(settings) as deps:
            await work(deps)

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


def _complain(problems: tuple[Problem, ...], language: str) -> None:
    for problem in problems:
        typer.echo(problem.said(language), err=True)


def _objections(rule_set: RuleSet, language: str) -> list[tuple[str, bool]]:
    """What a careful colleague would say of the texts: (line, whether it must not be sent)."""
    paths = {source.rule.id: source.path for source in rule_set.sources}
    templates = {
        step.message.name: (step.message, paths[rule.id])
        for rule in rule_set.rules
        for step in rule.steps
        if isinstance(step, SendStep)
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
