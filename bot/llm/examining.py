"""Does the model's server know our key, and has it our model? Costs nothing: no text is made."""

from __future__ import annotations

from enum import StrEnum

from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI, OpenAIError

from bot.llm.client import OPENAI_API
from bot.settings import Settings

TIMEOUT_SECONDS = 10.0


class ModelAnswer(StrEnum):
    """What came of asking for the list of models."""

    KNOWN = "known"
    UNKNOWN_MODEL = "unknown_model"
    NO_LIST = "no_list"
    KEY_REFUSED = "key_refused"
    NO_CREDIT = "no_credit"
    NOT_REACHED = "not_reached"


async def ask_for_models(settings: Settings, model: str) -> ModelAnswer:
    """Ask the server of these settings, which must have a key, whether it has `model`.

    `NO_LIST`: a compatible server without a list.
    """
    key = settings.openai_api_key
    assert key is not None
    async with AsyncOpenAI(
        api_key=key.get_secret_value(),
        base_url=settings.openai_base_url or OPENAI_API,
        timeout=TIMEOUT_SECONDS,
        max_retries=0,
    ) as client:
        try:
            page = await client.models.list()
        except APIStatusError as error:
            return _refusal_of(error.status_code)
        except APIConnectionError:  # timeouts, too
            return ModelAnswer.NOT_REACHED
        except (APIError, OpenAIError, ValueError, TypeError):
            return ModelAnswer.NO_LIST
    names = {getattr(model, "id", None) for model in getattr(page, "data", None) or ()}
    if not names:
        return ModelAnswer.NO_LIST
    return ModelAnswer.KNOWN if model in names else ModelAnswer.UNKNOWN_MODEL


def _refusal_of(status: int) -> ModelAnswer:
    if status in {401, 403}:
        return ModelAnswer.KEY_REFUSED
    if status == 429:
        return ModelAnswer.NO_CREDIT
    return ModelAnswer.NOT_REACHED if status >= 500 else ModelAnswer.NO_LIST
