"""What does a rule do, step by step?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from followups.rules.conditions import Condition
from followups.rules.model import EscalateStep, IfStep, MessageTemplate, SendStep, Step, WaitStep
from followups.rules.yaml import fields as read
from followups.rules.yaml.conditions import Leaves, read_condition
from followups.rules.yaml.fields import Fields
from followups.rules.yaml.messages import KEYS as MESSAGE_KEYS
from followups.rules.yaml.messages import read_message
from followups.rules.yaml.problems import Placed, Problems
from followups.rules.yaml.tree import MapNode, Node, ScalarNode, Spot
from followups.standing.scoring import Scoring
from followups.standing.segments import LifeCycle

KINDS = ("send", "wait", "if", "escalate")
MAX_STEPS = 20
"""In one list."""
MAX_DEPTH = 3
"""Of `if` below `if`."""
MAX_VARIANTS = 5
MAX_REASON = 300
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a rule may refer to: messages by name, hosts to link to, and what customers are judged by."""

    messages: Mapping[str, MessageTemplate]
    link_hosts: Collection[str] = ()
    life_cycle: LifeCycle = field(default_factory=LifeCycle)
    scoring: Scoring | None = None


@dataclass(slots=True, kw_only=True)
class StepReader:
    """Reads the steps of one rule.

    Attributes:
        of: the rule's id, after which messages in place are named.
        leaves: where the single conditions of the steps stand, by the path of their step.
    """

    problems: Problems
    words: Words
    of: str
    leaves: dict[str, tuple[Spot, ...]] = field(default_factory=dict)
    _variants: tuple[str, ...] | None = None
    _number: int = 0

    def read(self, node: Node, *, prefix: str = "", depth: int = 0) -> tuple[Step, ...] | None:
        """The steps of a list; None when something is wrong with one of them."""
        nodes = read.items(node, self.problems)
        if nodes is None:
            return None
        if len(nodes) > MAX_STEPS:
            self.problems.add(
                nodes[MAX_STEPS],
                f"手順は一続きに{MAX_STEPS}個までです（規則を分けてください）",
                f"more than {MAX_STEPS} steps in one list (split the rule)",
            )
            return None
        found = [self._step(each, f"{prefix}{n}", depth=depth) for n, each in enumerate(nodes)]
        if isinstance(found[-1], WaitStep) and not prefix:
            self.problems.add(
                nodes[-1],
                "最後の手順が wait です（その後の手順を書くか、wait を外してください）",
                "the last step is a wait (write what comes after it, or leave it out)",
            )
        steps = tuple(step for step in found if step is not None)
        return steps if len(steps) == len(found) else None

    def _step(self, node: Node, path: str, *, depth: int) -> Step | None:
        found = read.mapping(node, self.problems)
        if found is None:
            return None
        self._number += 1
        place = f"{self.of}/{self._number}"
        if "variants" in found.keys and "send" not in found.keys:
            Fields(found, self.problems, ("variants",))
            return self._variants_of(found, place)
        if "if" in found.keys:
            return self._if(found, path, depth=depth)
        Fields(found, self.problems, KINDS)
        chosen = [key for key in found.keys if key in KINDS]
        if len(chosen) > 1:
            self.problems.add(
                found.keys[chosen[1]],
                f"一つの手順に {chosen[0]} と {chosen[1]} があります（手順を分けてください）",
                f"{chosen[0]} and {chosen[1]} in one step (make two steps of it)",
            )
            return None
        if not chosen:
            if not found.keys:
                self.problems.add(
                    found,
                    "手順が空です（send か escalate を書いてください）",
                    "the step is empty (write send or escalate)",
                )
            return None
        value = found.values[chosen[0]]
        match chosen[0]:
            case "send":
                return self._send(value, place)
            case "wait":
                return self._wait(value, path)
            case _:
                return self._escalate(value)

    def _send(self, node: Node, place: str) -> Step | None:
        if isinstance(node, MapNode) and "variants" in node.keys:
            Fields(node, self.problems, ("variants",))
            return self._variants_of(node, place)
        message = self._message(node, place)
        return SendStep(message=message) if message is not None else None

    def _message(self, node: Node, place: str) -> MessageTemplate | None:
        if isinstance(node, ScalarNode):
            name = read.text(node, self.problems)
            if name is None:
                return None
            if name not in self.words.messages:
                self.problems.unknown(node, name, self.words.messages, ja="メッセージ", en="message")
                return None
            return self.words.messages[name]
        if not isinstance(node, MapNode):
            keys = ", ".join(MESSAGE_KEYS)
            read.wrong(
                node,
                self.problems,
                ja="メッセージの名前ではありません",
                en=f"a message's name (or a mapping of {keys})",
            )
            return None
        return read_message(node, self.problems, name=place, link_hosts=self.words.link_hosts)

    def _variants_of(self, node: MapNode, place: str) -> Step | None:
        at = node.keys["variants"]
        inner = read.mapping(node.values["variants"], self.problems)
        if inner is None:
            return None
        if not 2 <= len(inner.keys) <= MAX_VARIANTS:
            self.problems.add(
                at,
                f"比べる文は2つから{MAX_VARIANTS}つです（例: variants: {{a: 文1, b: 文2}}）",
                f"variants compare 2 to {MAX_VARIANTS} messages (for example variants: {{a: one, b: two}})",
            )
            return None
        messages = {
            key: self._message(value, f"{place}/{key}")
            for key, value in inner.values.items()
            if self._is_key(inner.keys[key], key)
        }
        keys = tuple(sorted(messages))
        if self._variants is not None and keys != self._variants:
            listed = ", ".join(self._variants)
            self.problems.add(
                at,
                f"variants の名前は規則の中で揃えてください（前の手順は {listed}）",
                f"every variants of a rule has the same names (an earlier step has {listed})",
            )
            return None
        self._variants = keys
        sound = {key: message for key, message in messages.items() if message is not None}
        if len(sound) != len(inner.keys):
            return None
        return SendStep(message=next(iter(sound.values())), variants=sound)

    def _is_key(self, at: Placed, key: str) -> bool:
        if key.isidentifier() and len(key) <= 20:
            return True
        self.problems.add(
            at,
            f"「{key[:40]}」は variants の名前ではありません（英字で短く。例: a）",
            f"“{key[:40]}” is not a name for a variant (a short word, for example a)",
        )
        return False

    def _escalate(self, node: Node) -> Step | None:
        found = read.mapping(node, self.problems)
        if found is None:
            return None
        reason = Fields(found, self.problems, ["reason"]).need("reason", read.short(MAX_REASON))
        return EscalateStep(reason=reason) if reason is not None else None

    def _wait(self, node: Node, path: str) -> Step | None:
        if not isinstance(node, MapNode):
            span = read.duration(node, self.problems)
            return WaitStep(span=span) if span is not None else None
        before = len(self.problems.found)
        keys = Fields(node, self.problems, ("for", "until", "at"))
        span = keys.need("for", read.duration)
        at = keys.get("at", read.time_of_day)
        until = self._condition(node.values["until"], path) if keys.has("until") else None
        if span is None or len(self.problems.found) > before:
            return None
        return WaitStep(span=span, until=until, at=at)

    def _if(self, node: MapNode, path: str, *, depth: int) -> Step | None:
        if depth >= MAX_DEPTH:
            self.problems.add(
                node,
                f"if は{MAX_DEPTH}段まで重ねられます（規則を分けてください）",
                f"if is nested more than {MAX_DEPTH} deep (split the rule)",
            )
            return None
        before = len(self.problems.found)
        keys = Fields(node, self.problems, ("if", "then", "else"))
        condition = self._condition(node.values["if"], path)
        then = keys.need("then", lambda each, _: self.read(each, prefix=f"{path}.then.", depth=depth + 1))
        otherwise = keys.get("else", lambda each, _: self.read(each, prefix=f"{path}.else.", depth=depth + 1))
        if condition is None or then is None or len(self.problems.found) > before:
            return None
        return IfStep(condition=condition, then=then, otherwise=otherwise or ())

    def _condition(self, node: Node, path: str) -> Condition | None:
        leaves = Leaves(messages=self.words.messages)
        condition = read_condition(node, self.problems, leaves)
        self.leaves[path] = tuple(leaves.spots)
        return condition


def longest(steps: tuple[Step, ...]) -> timedelta:
    """How long these steps wait at most, gates aside."""
    total = timedelta()
    for step in steps:
        if isinstance(step, WaitStep):
            total += step.span + (_DAY if step.at is not None else timedelta())
        elif isinstance(step, IfStep):
            total += max(longest(step.then), longest(step.otherwise))
    return total
