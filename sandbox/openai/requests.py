"""What is asked of the model, and would OpenAI take the request as it stands?"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.exchange import Declined
from sandbox.openai.schema import not_strict

_ROLES = {"user", "system", "developer", "assistant"}
_PARTS = {"input_text", "output_text", "input_image", "input_file", "text", "image_url"}
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_COMMON = _names("""
    model metadata service_tier safety_identifier prompt_cache_key prompt_cache_retention store stream
    temperature top_p user verbosity reasoning_effort moderation prompt_cache_options tools tool_choice
    parallel_tool_calls top_logprobs
""")
_RESPONSES = _COMMON | _names("""
    input instructions text reasoning max_output_tokens max_tool_calls truncation include background
    conversation previous_response_id prompt stream_options context_management
""")
_CHAT = _COMMON | _names("""
    messages response_format max_tokens max_completion_tokens n stop seed presence_penalty
    frequency_penalty logit_bias logprobs modalities prediction stream_options
""")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the writer needs it: `said` are the words of the conversation, the latest last."""

    model: str
    instructions: str
    said: tuple[str, ...]
    schema: Mapping[str, Any] | None

    def tokens(self) -> int:
        return max(1, len("".join((self.instructions, *self.said)).encode()) // 4)


def refuse(message: str, param: str | None, code: str | None = None, status: int = 400) -> Declined:
    """OpenAI's error body for a request it does not take."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Declined(status, {"error": error})


def read_responses(body: Mapping[str, Any]) -> Asked:
    """The body of POST /v1/responses; raises `Declined` as OpenAI would."""
    _check_common(body, _RESPONSES)
    most = body.get("max_output_tokens")
    if most is not None and (not isinstance(most, int) or most < 16):
        raise refuse("Invalid 'max_output_tokens': integer below minimum value.", "max_output_tokens")
    given = body.get("input")
    if isinstance(given, str) and given:
        items: Any = [{"role": "user", "content": given}]
    else:
        items = given
    instructions, said = _conversation(items, "input")
    own = body.get("instructions") or ""
    if not isinstance(own, str):
        raise refuse("Invalid type for 'instructions': expected a string.", "instructions")
    schema = _schema((body.get("text") or {}).get("format"), "text.format")
    return Asked(body["model"], "\n".join(filter(None, (own, instructions))), said, schema)


def read_chat(body: Mapping[str, Any]) -> Asked:
    """The body of POST /v1/chat/completions; raises `Declined` as OpenAI would."""
    _check_common(body, _CHAT)
    instructions, said = _conversation(body.get("messages"), "messages")
    asked_format = body.get("response_format")
    if isinstance(asked_format, Mapping) and asked_format.get("type") == "json_schema":
        inner = asked_format.get("json_schema")
        if not isinstance(inner, Mapping):
            raise refuse("Missing required parameter: 'response_format.json_schema'.", "response_format")
        asked_format = {**inner, "type": "json_schema"}
    return Asked(body["model"], instructions, said, _schema(asked_format, "response_format"))


def _check_common(body: Mapping[str, Any], known: frozenset[str]) -> None:
    for name in body:
        if name not in known:
            raise refuse(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise refuse("Missing required parameter: 'model'.", "model", "missing_required_parameter")
    if body.get("stream"):
        raise refuse("Streaming is not available here.", "stream", "unsupported_value")
    pairs = body.get("metadata") or {}
    if len(pairs) > 16 or any(len(k) > 64 or len(str(v)) > 512 for k, v in pairs.items()):
        raise refuse("Invalid 'metadata': at most 16 pairs of 64 and 512 characters.", "metadata")
    identifier = body.get("safety_identifier")
    if identifier is not None and (not isinstance(identifier, str) or len(identifier) > 128):
        raise refuse("Invalid 'safety_identifier': string too long.", "safety_identifier")


def _conversation(items: Any, name: str) -> tuple[str, tuple[str, ...]]:
    """Instructions (system and developer) and what was said, from a list of messages."""
    if not isinstance(items, list) or not items:
        code = "missing_required_parameter"
        raise refuse(f"Missing required parameter: '{name}'.", name, code)
    instructions: list[str] = []
    said: list[str] = []
    for index, item in enumerate(items):
        at = f"{name}[{index}]"
        if not isinstance(item, Mapping) or item.get("role") not in _ROLES:
            raise refuse(f"Invalid value for '{at}.role'.", f"{at}.role", "invalid_value")
        words = _words(item.get("content"), f"{at}.content")
        if item["role"] in {"system", "developer"}:
            instructions.append(words)
        elif item["role"] == "user":
            said.append(words)
    return "\n".join(instructions), tuple(said)


def _words(content: Any, at: str) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not content:
        raise refuse(f"Invalid type for '{at}': expected a string or an array.", at, "invalid_type")
    for index, part in enumerate(content):
        if not isinstance(part, Mapping) or part.get("type") not in _PARTS:
            raise refuse(f"Invalid value for '{at}[{index}].type'.", f"{at}[{index}].type", "invalid_value")
    return "\n".join(str(part["text"]) for part in content if "text" in part)


def _schema(asked_format: Any, at: str) -> Mapping[str, Any] | None:
    """The JSON Schema of a format; None for plain text. Strict schemas must be strict."""
    if asked_format is None or (isinstance(asked_format, Mapping) and asked_format.get("type") == "text"):
        return None
    if not isinstance(asked_format, Mapping) or asked_format.get("type") not in {
        "json_schema",
        "json_object",
    }:
        raise refuse(f"Invalid value for '{at}.type'.", f"{at}.type", "invalid_value")
    if asked_format["type"] == "json_object":
        reply = {"type": "object", "properties": {"reply": {"type": "string"}}}
        return {**reply, "required": ["reply"], "additionalProperties": False}
    name, schema = asked_format.get("name"), asked_format.get("schema")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise refuse(f"Invalid '{at}.name': must match '^[a-zA-Z0-9_-]+$'.", f"{at}.name", "invalid_value")
    if not isinstance(schema, Mapping):
        code = "missing_required_parameter"
        raise refuse(f"Missing required parameter: '{at}.schema'.", f"{at}.schema", code)
    problem = not_strict(schema) if asked_format.get("strict") else None
    if problem is not None:
        message = f"Invalid schema for response_format '{name}': {problem}."
        raise refuse(message, f"{at}.schema", "invalid_json_schema")
    return schema
