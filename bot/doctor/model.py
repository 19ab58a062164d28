"""Who drafts replies: a model that answers, or templates?"""

from __future__ import annotations

from bot.doctor.findings import Finding, error, note, ok, warning
from bot.llm.examining import ModelAnswer, ask_for_models
from bot.settings import Settings

KEY, EMBEDDINGS = "openai", "openai.embeddings"


async def look_at_model(settings: Settings) -> list[Finding]:
    """Ask for the list of models; no text is made, nothing is charged."""
    embedding = settings.openai_embedding_model
    if settings.openai_api_key is None:
        return [
            *([_no_key_for(embedding)] if embedding is not None else []),
            note(
                KEY,
                "OPENAI_API_KEY は未設定です。返信の下書きは定型文から作ります",
                "OPENAI_API_KEY is not set: drafts come from templates",
            ),
        ]
    found = [_finding_of(await ask_for_models(settings, settings.openai_model), settings.openai_model)]
    if embedding is not None and await ask_for_models(settings, embedding) is ModelAnswer.UNKNOWN_MODEL:
        found.append(_unknown_embedding(embedding))
    return found


def _no_key_for(model: str) -> Finding:
    return warning(
        EMBEDDINGS,
        f"OPENAI_EMBEDDING_MODEL は {model} ですが、OPENAI_API_KEY がありません。知識は言葉だけで探します",
        f"OPENAI_EMBEDDING_MODEL is {model}, but there is no OPENAI_API_KEY: knowledge is searched by words",
        fix=(
            "OPENAI_API_KEY を入れるか、OPENAI_EMBEDDING_MODEL を空にしてください",
            "set OPENAI_API_KEY, or leave OPENAI_EMBEDDING_MODEL empty",
        ),
    )


def _unknown_embedding(model: str) -> Finding:
    return warning(
        EMBEDDINGS,
        f"サーバーの一覧にモデル {model} がありません。知識は言葉だけで探します",
        f"the server does not list the model {model}: knowledge would be searched by words alone",
        fix=(
            "OPENAI_EMBEDDING_MODEL を一覧にある名前にするか、空にしてください",
            "set OPENAI_EMBEDDING_MODEL to a name it lists, or leave it empty",
        ),
    )


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
