"""Who drafts replies: a model that answers, or templates?"""

from __future__ import annotations

from bot.doctor.findings import Finding, error, note, ok, warning
from bot.llm.examining import ModelAnswer, ask_for_models
from bot.settings import Settings

KEY = "openai"


async def look_at_model(settings: Settings) -> list[Finding]:
    """Ask for the list of models; no text is made, nothing is charged."""
    if settings.openai_api_key is None:
        return [
            note(
                KEY,
                "OPENAI_API_KEY は未設定です。返信の下書きは定型文から作ります",
                "OPENAI_API_KEY is not set: drafts come from templates",
            )
        ]
    return [_finding_of(await ask_for_models(settings), settings.openai_model)]


def _finding_of(answer: ModelAnswer, model: str) -> Finding:
    if answer is ModelAnswer.KNOWN:
        return ok(KEY, f"モデル {model} が下書きを作ります", f"the model {model} writes drafts")
    if answer is ModelAnswer.NO_LIST:
        return note(
            KEY,
            f"サーバーがモデルの一覧を出さないため、{model} を使えるかは確かめられませんでした",
            f"the server does not list its models, so whether it has {model} was not checked",
        )
    if answer is ModelAnswer.UNKNOWN_MODEL:
        return warning(
            KEY,
            f"サーバーの一覧にモデル {model} がありません。下書きは定型文になります",
            f"the server does not list the model {model}: drafts would come from templates",
            fix=("OPENAI_MODEL を一覧にある名前にしてください", "set OPENAI_MODEL to a name it lists"),
        )
    if answer is ModelAnswer.KEY_REFUSED:
        return error(
            KEY,
            "OPENAI_API_KEY が受け付けられません",
            "OPENAI_API_KEY is refused",
            fix=(
                "鍵を作り直して入れるか、空にしてください(定型文の下書きになります)",
                "make a new key and set it, or leave it empty (drafts come from templates)",
            ),
        )
    if answer is ModelAnswer.NO_CREDIT:
        return warning(
            KEY,
            "モデルのサーバーが回数か残高の上限を告げています。下書きは定型文になります",
            "the model's server reports a limit of rate or credit: drafts would come from templates",
            fix=("利用状況と残高を確かめてください", "look at the account's usage and credit"),
        )
    return warning(
        KEY,
        "モデルのサーバーに届きません。その間、下書きは定型文になります",
        "the model's server is not reached: drafts come from templates meanwhile",
        fix=(
            "OPENAI_BASE_URL と、このマシンから外に出られることを確かめてください",
            "check OPENAI_BASE_URL, and that this machine gets out",
        ),
    )
