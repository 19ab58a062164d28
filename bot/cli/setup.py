"""`yorisoi init` and `yorisoi doctor`: from nothing to a set-up that is right."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from bot.cli.running import stop
from bot.cli.why import Language, language_of
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.doctor.findings import Finding

Answer = str | None
_ENV = Path(".env")


def _asked(name: str, about: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(f"--{name}", help=about, show_default=False)
    return option


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _add_init(app)
    _add_doctor(app)


def _add_init(app: typer.Typer) -> None:
    @app.command()
    def init(
        *,
        public_base_url: Annotated[Answer, _asked("public-base-url", "Where the outside reaches us.")] = None,
        line_channel_secret: Annotated[Answer, _asked("line-channel-secret", "LINE, Basic settings.")] = None,
        line_channel_access_token: Annotated[
            Answer, _asked("line-channel-access-token", "LINE, Messaging API.")
        ] = None,
        slack_bot_token: Annotated[Answer, _asked("slack-bot-token", "xoxb-…")] = None,
        slack_signing_secret: Annotated[Answer, _asked("slack-signing-secret", "Over HTTP.")] = None,
        slack_app_token: Annotated[Answer, _asked("slack-app-token", "xapp-…, Socket Mode.")] = None,
        slack_leads_channel: Annotated[Answer, _asked("slack-leads-channel", "C…: lead cards.")] = None,
        slack_alerts_channel: Annotated[Answer, _asked("slack-alerts-channel", "C…: alerts.")] = None,
        slack_digest_channel: Annotated[Answer, _asked("slack-digest-channel", "C…: the digest.")] = None,
        slack_sales_group: Annotated[Answer, _asked("slack-sales-group", "S…: who sells.")] = None,
        slack_support_leads_group: Annotated[
            Answer, _asked("slack-support-leads-group", "S…: who leads support.")
        ] = None,
        openai_api_key: Annotated[Answer, _asked("openai-api-key", "None: template drafts.")] = None,
        product_url: Annotated[Answer, _asked("product-url", "What buttons in messages open.")] = None,
        socket: Annotated[
            bool | None,
            typer.Option("--socket/--http", help="How Slack reaches us. Not given: as the tokens say."),
        ] = None,
        yes: Annotated[
            bool, typer.Option("--yes", "-y", help="Ask nothing; what is not given stays empty.")
        ] = False,
        force: Annotated[
            bool, typer.Option("--force", help="Replace settings that have another value.")
        ] = False,
        language: Language = None,
    ) -> None:
        """Write .env, policy.yaml, rules/ and Slack's manifest here, and say what is to do in the consoles.

        Answers already in .env are kept (and not asked for) unless --force. Example: yorisoi init --yes
        --public-base-url https://bot.example.co.jp
        """
        given = {
            "PUBLIC_BASE_URL": public_base_url,
            "LINE_CHANNEL_SECRET": line_channel_secret,
            "LINE_CHANNEL_ACCESS_TOKEN": line_channel_access_token,
            "SLACK_BOT_TOKEN": slack_bot_token,
            "SLACK_SIGNING_SECRET": slack_signing_secret,
            "SLACK_APP_TOKEN": slack_app_token,
            "SLACK_LEADS_CHANNEL": slack_leads_channel,
            "SLACK_ALERTS_CHANNEL": slack_alerts_channel,
            "SLACK_DIGEST_CHANNEL": slack_digest_channel,
            "SLACK_SALES_GROUP": slack_sales_group,
            "SLACK_SUPPORT_LEADS_GROUP": slack_support_leads_group,
            "OPENAI_API_KEY": openai_api_key,
        }
        _init(
            {name: value.strip() for name, value in given.items() if value and value.strip()},
            product_url=(product_url or "").strip() or None,
            is_socket_mode=socket,
            is_asked=not yes,
            is_forced=force,
            language=language_of(language),
        )


def _init(
    answers: dict[str, str],
    *,
    product_url: str | None,
    is_socket_mode: bool | None,
    is_asked: bool,
    is_forced: bool,
    language: str,
) -> None:
    from bot.clock import Ids, SystemClock
    from bot.doctor.forms import PRODUCT_URL
    from bot.init.env_file import values_of
    from bot.init.files import has_rules
    from bot.init.questions import PRODUCT, QUESTIONS
    from bot.init.steps import steps
    from bot.init.write import RULES, refused, write

    folder = Path()
    try:
        known = values_of(_ENV.read_text(encoding="utf-8")) if _ENV.exists() else {}
        _check_given(answers, product_url, language)
        if not is_forced and (clashing := refused(folder, answers)):
            named = ", ".join(clashing)
            stop(
                f".env:1:1: {named} は別の値で設定済みです(置き換えるには --force)"
                if language == "ja"
                else f".env:1:1: {named}: already set to something else (--force replaces it)"
            )
        if is_asked:
            for question in QUESTIONS:
                is_kept = question.name in known and not is_forced
                is_other_entrance = question.name == "SLACK_APP_TOKEN" and (
                    is_socket_mode is False or "SLACK_SIGNING_SECRET" in {**known, **answers}
                )
                if question.name not in answers and not is_kept and not is_other_entrance:
                    words = question.what.ja if language == "ja" else question.what.en
                    if answer := _ask(question.name, words, is_hidden=question.is_hidden, language=language):
                        answers[question.name] = answer
            if product_url is None and not has_rules(folder / RULES):
                words = PRODUCT.ja if language == "ja" else PRODUCT.en
                product_url = _ask(PRODUCT_URL, words, is_hidden=False, language=language) or None
        done = write(
            folder,
            answers,
            ids=Ids(SystemClock()),
            product_url=product_url,
            is_socket_mode=is_socket_mode,
            is_forced=is_forced,
        )
    except (OSError, UnicodeDecodeError) as failed:
        place = getattr(failed, "filename", None) or ".env"
        stop(f"{place}: {failed} (check who may write here / 書き込めるか確かめてください)")
    marks = (("+", done.made), ("~", done.changed), ("=", done.alone))
    for mark, names in marks:
        for name in names:
            typer.echo(f"{mark} {name}")
    optional = ("SLACK_DIGEST_CHANNEL", "SLACK_SALES_GROUP", "SLACK_SUPPORT_LEADS_GROUP", "OPENAI_API_KEY")
    other = "SLACK_SIGNING_SECRET" if done.is_socket_mode else "SLACK_APP_TOKEN"
    missing = [
        each.name
        for each in QUESTIONS
        if each.name not in done.settings and each.name not in (*optional, other)
    ]
    said = steps(
        public_base_url=done.settings.get("PUBLIC_BASE_URL"),
        is_socket_mode=done.is_socket_mode,
        missing=missing,
        language=language,
    )
    for line in said:
        typer.echo(line)


def _check_given(answers: dict[str, str], product_url: str | None, language: str) -> None:
    """Stop where an option's value cannot be right; the value itself is not repeated."""
    from bot.doctor.forms import PRODUCT_URL, wrong_form

    for name, value in (*answers.items(), (PRODUCT_URL, product_url)):
        wrong = wrong_form(name, value) if value else None
        if wrong is not None:
            stop(wrong.ja if language == "ja" else wrong.en, code=2)


def _ask(name: str, words: str, *, is_hidden: bool, language: str) -> str:
    """Ask until the answer can be right; empty: later."""
    from bot.doctor.forms import wrong_form

    while True:
        answer: str = typer.prompt(words, default="", show_default=False, hide_input=is_hidden).strip()
        wrong = wrong_form(name, answer) if answer else None
        if wrong is None:
            return answer
        typer.echo(wrong.ja if language == "ja" else wrong.en, err=True)


def _add_doctor(app: typer.Typer) -> None:
    @app.command()
    def doctor(
        webhook_test: Annotated[
            bool, typer.Option("--webhook-test", help="Have LINE call this program once, with nothing in it.")
        ] = False,
        as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
        problems: Annotated[bool, typer.Option("--problems", help="Leave out what is right.")] = False,
        language: Annotated[
            str | None, typer.Option("--language", "-l", help="ja or en. Not given: both.")
        ] = None,
    ) -> None:
        """Look at settings, database, LINE, Slack, model and rules, and say how to put right what is wrong.

        Changes nothing. Ends with 0 when there is no error (warnings may be). Example: yorisoi doctor
        --webhook-test
        """
        tongue = language_of(language) if language is not None else None
        found = _examined(is_webhook_tested=webhook_test)
        if as_json:
            _print_json(found)
        else:
            _print(found, tongue, is_short=problems)
        from bot.doctor.findings import has_error

        raise SystemExit(1 if has_error(found) else 0)


def _examined(*, is_webhook_tested: bool) -> list[Finding]:
    from bot import logs
    from bot.clock import SystemClock
    from bot.doctor.examine import examine
    from bot.doctor.findings import error
    from bot.doctor.machine import env_file_findings

    logs.configure("ERROR", is_human=sys.stderr.isatty())
    try:
        settings = Settings()
    except ValidationError as wrong:
        found = list(env_file_findings(_ENV))
        for problem in wrong.errors():
            name = ".".join(str(part) for part in problem["loc"]).upper()
            found.append(
                error(
                    "settings",
                    f"{name} の値が読めません({problem['msg']})",
                    f"{name} cannot be read ({problem['msg']})",
                    fix=(
                        f"環境変数か .env の {name} を直してください",
                        f"correct {name} in the environment or .env",
                    ),
                )
            )
        return found
    try:
        return asyncio.run(
            examine(settings, SystemClock(), env_file=_ENV, is_webhook_tested=is_webhook_tested)
        )
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _print(found: list[Finding], language: str | None, *, is_short: bool) -> None:
    from bot.doctor.findings import Level, count_of, worst_last

    for finding in worst_last(found):
        if finding.is_problem or not is_short:
            typer.echo(finding.line(language))
    errors, warnings = count_of(found, Level.ERROR), count_of(found, Level.WARNING)
    ja, en = f"エラー {errors} 件、注意 {warnings} 件", f"errors: {errors}, warnings: {warnings}"
    typer.echo({"ja": ja, "en": en}.get(language or "", f"{ja} / {en}"))


def _print_json(found: list[Finding]) -> None:
    from bot.doctor.findings import has_error

    told = {"ok": not has_error(found), "findings": [finding.as_json() for finding in found]}
    typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
