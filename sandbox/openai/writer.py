"""What would a modest, careful model write into this JSON Schema, given this conversation?

Deterministic rules instead of a model: it finds what the customer said last, guesses why, and fills each
property by its name. It promises nothing, links to nothing, and answers only from passages it was given.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from sandbox.openai.schema import resolved, violations

Intent = Literal["question", "interest", "complaint", "other"]

_JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
_TAGGED = re.compile(r"<(customer|message|user|お客様)[^<>]*>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
_SPOKEN = re.compile(
    r"^\W*(?:customer|user|お客様|顧客)[^:：\n]{0,40}[:：]\s*(.+)$", re.MULTILINE | re.IGNORECASE
)
_QUOTED = re.compile(r'^\s*\{"(?:customer|user)":\s*("(?:[^"\\]|\\.)*")\}\s*$', re.MULTILINE)
"""One JSON object a line, as our own prompts quote a conversation."""
_DICTATED = re.compile(r"「([^」\n]+)」|[\"“]([^\"”\n{}]+)[\"”]")
_NAME = "⟦name⟧"
_TOPIC = re.compile(
    r"^(?:すみません|あの|こんにちは|お世話になっております)?[、。,!！\s]*"
    r"(.{8,40}?)(?:[のん]?です(?:が|けど|けれど|か)?|のでしょうか)?[、。,.?？!！\n]"
)
_ASKED = {"one": 1, "two": 2, "three": 3}
_SOURCE = re.compile(
    r"(?:source|id|file|出典)\s*[=:：]\s*[\"'「]?([\w./#\-]+)|([\w./\-]+\.(?:md|yaml|txt)[\w#\-]*)"
)
_WORDS: tuple[tuple[Intent, str], ...] = (
    (
        "complaint",
        "解約|退会|ひどい|困る|困っ|エラー|動かな|開けませ|遅い|不満|最悪|怒|苦情|壊れ|cancel|terrible|angry|refund|broken|complain",
    ),
    (
        "interest",
        "料金|値段|価格|見積|導入|契約|プラン|デモ|商談|検討|購入|price|pricing|quote|demo|plan|upgrade|buy",
    ),
    (
        "question",
        "[?？]|ですか|ますか|教えて|使い方|やり方|方法|わから|分から|わかりません|分かりません|どう|how|what|where|when|why|help",
    ),
)
_OTHER_NAMES: dict[Intent, tuple[str, ...]] = {
    "question": ("question", "inquiry", "support"),
    "interest": ("interest", "lead", "sales", "hot"),
    "complaint": ("complaint", "negative", "angry", "cancel"),
    "other": ("other", "none", "neutral", "chat"),
}
_REPLIES: dict[tuple[str, Intent], tuple[str, ...]] = {
    ("ja", "question"): (
        "お問い合わせありがとうございます。内容を確認のうえ、担当者よりご案内いたします。",
        "ご質問ありがとうございます。詳しい状況を教えていただけますか。確認してご案内いたします。",
        "ご連絡ありがとうございます。お調べして、担当者からお返事いたします。",
    ),
    ("ja", "interest"): (
        "ご関心をお寄せいただきありがとうございます。担当者より詳しくご案内いたします。",
        "ご検討いただきありがとうございます。ご利用の人数や目的を伺ってもよろしいですか。",
        "ありがとうございます。ご都合のよい日時をお知らせいただければ、担当者がご説明いたします。",
    ),
    ("ja", "complaint"): (
        "ご不便をおかけし申し訳ございません。状況を確認し、担当者よりご連絡いたします。",
        "ご迷惑をおかけしております。お困りの点を詳しく伺えますでしょうか。",
        "申し訳ございません。いただいた内容を担当者に引き継ぎ、お返事いたします。",
    ),
    ("ja", "other"): (
        "ご連絡ありがとうございます。お困りのことがあれば、いつでもお知らせください。",
        "メッセージをありがとうございます。ご不明な点はございませんか。",
        "ありがとうございます。何かお手伝いできることがあればお知らせください。",
    ),
    ("en", "question"): (
        "Thank you for your question. We will look into it and come back to you.",
        "Thank you for asking. Could you tell us a little more about your situation?",
        "Thank you for writing. One of us will check this and reply.",
    ),
    ("en", "interest"): (
        "Thank you for your interest. One of us will tell you more.",
        "Thank you for considering us. May we ask how many people would use it?",
        "Thank you. Which time would suit you for a short talk?",
    ),
    ("en", "complaint"): (
        "We are sorry for the trouble. We will check what happened and come back to you.",
        "We are sorry about this. Could you tell us what went wrong?",
        "Our apologies. We have passed this on to a colleague, who will reply.",
    ),
    ("en", "other"): (
        "Thank you for your message. Let us know whenever we can help.",
        "Thank you for writing. Is there anything you would like to know?",
        "Thank you. Tell us if there is anything we can do.",
    ),
}
_TOPICAL: dict[tuple[str, Intent], tuple[str, ...]] = {
    ("ja", "question"): (
        "お問い合わせありがとうございます。\n「{topic}」の件、確認して、このトークで手順をご案内します。",
        "「{topic}」の件ですね。\nいまご覧の画面の名前を教えていただけますか。それに合わせてご案内します。",
        "ご質問ありがとうございます。\n「{topic}」について、担当者がお調べして、このトークでお返事します。",
    ),
    ("ja", "interest"): (
        "お問い合わせありがとうございます。\n「{topic}」の件、担当者よりこのトークで詳しくご案内します。",
        "ご検討ありがとうございます。\n「{topic}」の件ですね。ご利用の人数を教えていただけますか。",
        "「{topic}」の件、承りました。\n合いそうなものを、担当者がこのトークでご案内します。",
    ),
    ("ja", "complaint"): (
        "ご不便をおかけし、申し訳ございません。\n「{topic}」の件、状況を確認して、このトークでお返事します。",
        "お困りのところ、ご連絡ありがとうございます。\n「{topic}」は、いつ、どの画面で起きましたか。",
        "申し訳ございません。\n「{topic}」の件を担当者に引き継ぎ、このトークでお返事します。",
    ),
}
_BECAUSE = {
    ("ja", "question"): "お客様が質問されています",
    ("ja", "interest"): "料金や導入への関心が見られます",
    ("ja", "complaint"): "ご不満の様子が見られます",
    ("ja", "other"): "特別な用件は見当たりません",
    ("en", "question"): "The customer asks a question",
    ("en", "interest"): "The customer shows interest in buying",
    ("en", "complaint"): "The customer is unhappy",
    ("en", "other"): "No particular purpose was found",
}
_FORMATS = {
    "date": "2026-01-15",
    "time": "09:00:00",
    "date-time": "2026-01-15T09:00:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "duration": "P1D",
    "hostname": "example.com",
}


@dataclass(frozen=True)
class Brief:
    """What the writer was told: instructions and the user's words, the latest last."""

    instructions: str
    said: tuple[str, ...]
    is_gullible: bool = False

    @cached_property
    def customer_words(self) -> str:
        """What the customer said last: quoted as JSON, in a tag, after `customer:`, or the last line."""
        for text in reversed(self.said):
            if quoted := _QUOTED.findall(text):
                return str(json.loads(quoted[-1])).strip()
            if tagged := _TAGGED.findall(text):
                return str(tagged[-1][1]).strip()
            if spoken := _SPOKEN.findall(text):
                return str(spoken[-1]).strip()
        lines = [line.strip() for line in "\n".join(self.said).splitlines() if line.strip()]
        return lines[-1] if lines else ""

    @cached_property
    def language(self) -> str:
        words = self.customer_words or "\n".join(self.said) or self.instructions
        return "ja" if _JAPANESE.search(words) else "en"

    @cached_property
    def intent(self) -> Intent:
        for intent, words in _WORDS:
            if re.search(words, self.customer_words, re.IGNORECASE):
                return intent
        return "other"

    @cached_property
    def replies(self) -> tuple[str, ...]:
        """Three replies, to the question at hand where it can be told from the words."""
        topical = _TOPICAL.get((self.language, self.intent))
        topic = _TOPIC.match(f"{self.customer_words}\n")
        if topical is None or topic is None or _NAME in topic[1]:
            return _REPLIES[self.language, self.intent]
        opening = f"{_NAME}様、" if any(f"{_NAME}様" in text for text in self.said) else ""
        return tuple(opening + each.format(topic=topic[1]) for each in topical)

    @cached_property
    def wanted(self) -> int:
        """How many replies were asked for; three when nobody said."""
        asked = re.search(r"\b(one|two|three) (?:drafts|replies|options)", self.instructions)
        return _ASKED[asked[1]] if asked else 3

    @cached_property
    def dictated(self) -> tuple[str, ...]:
        """What somebody who believes the customer would say: what they quote, or else all they wrote."""
        quoted = [first or second for first, second in _DICTATED.findall(self.customer_words)]
        return (*quoted, self.customer_words or "…")

    @cached_property
    def passage(self) -> tuple[str, str] | None:
        """The given passage that shares most with the customer's words, and its source; None if none does."""
        asked, best = _pairs(self.customer_words), (0.0, "", "")
        source = ""
        for line in "\n".join((self.instructions, *self.said)).splitlines():
            if found := _SOURCE.search(line):
                source = found[1] or found[2]
            if self.customer_words in line or not asked:
                continue
            share = len(asked & _pairs(line)) / len(asked)
            if source and share > max(best[0], 0.3):
                best = (share, line.strip(), source)
        return (best[1], best[2]) if best[0] else None


def write(
    schema: Mapping[str, Any], *, instructions: str = "", said: Sequence[str] = (), is_gullible: bool = False
) -> Any:
    """A value that conforms to `schema`, written for what was `said` (the latest last)."""
    return _value(schema, schema, "", 0, Brief(instructions, tuple(said), is_gullible))


def plain_reply(*, instructions: str = "", said: Sequence[str] = ()) -> str:
    """A reply as plain text, where no schema was asked for."""
    brief = Brief(instructions, tuple(said))
    return brief.replies[0]


def _value(schema: Mapping[str, Any], root: Mapping[str, Any], name: str, nth: int, brief: Brief) -> Any:
    schema = resolved(schema, root)
    if "anyOf" in schema:
        return _value(_chosen(schema["anyOf"], name, brief), root, name, nth, brief)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return _enumerated(schema["enum"], name, brief)
    kind = schema.get("type", "object")
    if isinstance(kind, list):
        kind = _chosen([{"type": each} for each in kind], name, brief)["type"]
    match kind:
        case "object":
            fields = schema.get("properties", {})
            return {field: _value(inner, root, field, nth, brief) for field, inner in fields.items()}
        case "array":
            items = schema.get("items", {"type": "string"})
            count = _count(schema, name, brief)
            return [_value(items, root, name, index, brief) for index in range(count)]
        case "boolean":
            return _truth(name, brief)
        case "integer":
            return int(_number(schema, name, is_whole=True))
        case "number":
            return _number(schema, name, is_whole=False)
        case "null":
            return None
        case _:
            return _string(schema, name, nth, brief)


def _chosen(options: Sequence[Mapping[str, Any]], name: str, brief: Brief) -> Mapping[str, Any]:
    """The first option that is not null, except for a source where there is none."""
    filled = [option for option in options if option.get("type") != "null"]
    if not filled or (len(filled) < len(options) and "source" in name and brief.passage is None):
        return {"type": "null"}
    return filled[0]


def _enumerated(values: Sequence[Any], name: str, brief: Brief) -> Any:
    if "lang" in name and brief.language in values:
        return brief.language
    if brief.is_gullible and "question" in values:
        return "question"
    for wanted in _OTHER_NAMES[brief.intent]:
        for value in values:
            if isinstance(value, str) and wanted in value.lower():
                return value
    return values[0]


def _count(schema: Mapping[str, Any], name: str, brief: Brief) -> int:
    wanted = 1
    if re.search("draft|repl|option|variant|suggest|案", name):
        wanted = brief.wanted
    elif re.search("source|citation", name):
        wanted = 1 if brief.passage else 0
    return int(min(max(wanted, schema.get("minItems", 0)), schema.get("maxItems", wanted)))


def _truth(name: str, brief: Brief) -> bool:
    if re.search("answerable|can_answer|known|found|grounded|supported", name):
        return brief.is_gullible or brief.passage is not None
    if re.search("human|handover|hand_over|escalat|staff|person", name):
        return brief.intent in {"complaint", "interest"} or brief.passage is None
    if re.search("lead|hot|interest", name):
        return brief.intent == "interest"
    return False


def _number(schema: Mapping[str, Any], name: str, *, is_whole: bool) -> float:
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    wanted: float = 0.8 if re.search("confiden|probab|score|certain", name) else (least or 0)
    if least is not None and most is not None and not least < wanted < most:
        wanted = least + (most - least) * 0.8
    wanted = wanted if least is None else max(wanted, least)
    wanted = wanted if most is None else min(wanted, most)
    step = 1 if is_whole else 0.001
    wanted = float(int(wanted)) if is_whole else wanted
    if "exclusiveMinimum" in schema and wanted <= schema["exclusiveMinimum"]:
        wanted = schema["exclusiveMinimum"] + step
    if wanted < schema.get("minimum", wanted):
        wanted += step
    if "exclusiveMaximum" in schema and wanted >= schema["exclusiveMaximum"]:
        wanted = schema["exclusiveMaximum"] - step
    return wanted


def _string(schema: Mapping[str, Any], name: str, nth: int, brief: Brief) -> str:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    least = int(schema.get("minLength", 0))
    for words in (_words(name, nth, brief), brief.language, brief.intent, "1", "a", "A-1"):
        fitted = words[: int(schema.get("maxLength", len(words)))] + "。" * max(0, least - len(words))
        if not any(violations(fitted, schema)):
            return fitted
    raise ValueError(f"the sandbox's writer cannot fill {name!r} by the pattern {schema.get('pattern')!r}")


def _words(name: str, nth: int, brief: Brief) -> str:
    replies = brief.replies
    if "lang" in name or name == "locale":
        return brief.language
    if re.search("source|citation|document", name):
        return brief.passage[1] if brief.passage else ""
    if brief.is_gullible and re.search("answer|repl|draft|text", name):
        return brief.dictated[nth % len(brief.dictated)]
    if "answer" in name and brief.passage:
        return brief.passage[0]
    if re.search("reason|because|why|rationale", name):
        return _BECAUSE[brief.language, brief.intent]
    if re.search("intent|category|kind", name):
        return brief.intent
    if re.search("quote|evidence|summary|topic|title|subject|要約", name):
        return brief.customer_words[:80] or replies[0]
    return replies[nth % len(replies)]


def _pairs(text: str) -> set[str]:
    letters = re.sub(r"[\s\W]+", "", text.lower())
    return {letters[index : index + 2] for index in range(len(letters) - 1)}
