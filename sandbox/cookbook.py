"""What does each playbook do, told to somebody who has never read a rule? Writes docs/playbooks.md.

`python -m sandbox.cookbook` rewrites the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import followups
from followups.rules.conditions import (
    Answered,
    AttributeDate,
    AttributeIs,
    Condition,
    EventCount,
    EventFirst,
    EventLast,
    EventNever,
    Group,
    LineIs,
    Stalled,
    Used,
)
from followups.rules.model import EscalateStep, IfStep, MessageTemplate, Rule, SendStep, WaitStep
from followups.rules.parsing import RuleSet, RuleSource, load_folder
from followups.scenario import place_said, walk
from followups.signals import CLICKED, REPLIED
from followups.words.text import OPT_OUT
from followups.words.wording import span_en

PLAYBOOKS = Path(followups.__file__).parent / "playbooks"
PAGE = Path(__file__).parent.parent / "docs" / "playbooks.md"

_HEAD = """\
<!-- Written by `python -m sandbox.cookbook` from followups/playbooks/. Change the files there. -->

# Playbooks

Ten rules to begin with, in [followups/playbooks/](../followups/playbooks/), with their tests and their
texts in Japanese and English. Copy the folder, change event names, numbers, texts and addresses to your own,
and publish:

```sh
cp -r followups/playbooks my-rules
yorisoi rules check my-rules/
yorisoi rules test my-rules/
yorisoi rules apply my-rules/
```

All begin in `shadow`: they decide and record, and send nothing until you enable them. What every key means:
[rules.md](rules.md).

| rule | what for | events and attributes it needs |
|---|---|---|
"""
_GROUPS = {"all": "All of these:", "any": "One of these:", "none": "None of these:"}


def page() -> str:
    """The whole page, as Markdown."""
    files = {
        path.relative_to(PLAYBOOKS).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(PLAYBOOKS.rglob("*.yaml"))
    }
    rule_set = load_folder(files)
    rows = [
        f"| [{source.rule.id}](#{source.rule.id}) | {_purpose(files[source.path])} | {_needs(source.rule)} |"
        for source in rule_set.sources
    ]
    sections = [_section(source, rule_set, files) for source in rule_set.sources]
    return _HEAD + "\n".join(rows) + "\n" + "".join(sections)


def _purpose(text: str) -> str:
    """The sentences at the head of a rule file."""
    return " ".join(line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#"))


def _needs(rule: Rule) -> str:
    words = dict.fromkeys([*_named(rule.when), rule.goal.event])
    return ", ".join(f"`{word}`" for word in words)


def _named(condition: Condition) -> Iterator[str]:
    match condition:
        case Group(members=members):
            for member in members:
                yield from _named(member)
        case Stalled(since=since, without=without):
            yield from (since, without)
        case Used(of=of):
            yield from of
        case AttributeIs(attribute=attribute) | AttributeDate(attribute=attribute):
            yield attribute
        case EventLast(event=event) | EventFirst(event=event) | EventCount(event=event):
            yield event
        case EventNever(event=event):
            yield event
        case _:
            return


def _section(source: RuleSource, rule_set: RuleSet, files: dict[str, str]) -> str:
    rule, text = source.rule, files[source.path]
    tests = [f"- {case.name}" for case in rule_set.tests[rule.id].cases]
    parts = [
        f"## {rule.id}",
        f"**{rule.name}**. {_purpose(text)}",
        "**When**",
        "\n".join(_told(rule.when, depth=0)),
        f"**Worked** when `{rule.goal.event}` follows within {span_en(rule.goal.within)}. {_again(rule)}"
        f" Priority {rule.priority}.",
        *_steps(rule),
        "**Tests**",
        "\n".join(tests),
        "**The file**",
        f"```yaml\n{text.rstrip()}\n```",
    ]
    return "\n" + "\n\n".join(parts) + "\n"


def _again(rule: Rule) -> str:
    if rule.again_after is None:
        return "Once per customer."
    return f"Not again for {span_en(rule.again_after)}."


def _steps(rule: Rule) -> Iterator[str]:
    """Every step with its number, where there are several; a message's text once."""
    shown: set[str] = set()
    is_one = len(rule.steps) == 1
    for path, step in walk(rule):
        number = "" if is_one else f"Step {place_said(path)}. "
        match step:
            case SendStep():
                for message in step.messages:
                    if not is_one:
                        yield f"**{number}Sends** `{message.name}`"
                    if message.name not in shown:
                        yield _message(message)
                    shown.add(message.name)
            case EscalateStep(reason=reason):
                yield f"**{number}Opens a lead**: {reason}"
            case WaitStep(span=span, until=until, at=at):
                time = f", then for {at:%H:%M}" if at is not None else ""
                asked = "" if until is None else ", or until\n\n" + "\n".join(_told(until, depth=0))
                yield f"**{number}Waits** {span_en(span)}{time}{asked}"
            case IfStep(condition=condition):
                yield f"**{number}If**\n\n" + "\n".join(_told(condition, depth=0))


def _message(message: MessageTemplate) -> str:
    parts = [
        f"**Text** ([messages/{message.name}.yaml](../followups/playbooks/messages/{message.name}.yaml))"
    ]
    for language in sorted(message.text, key=lambda each: each != "ja"):
        quoted = "\n".join(f"> {line}  " for line in message.text[language].splitlines())
        parts.append(quoted.rstrip())
        button = (message.button_label or {}).get(language)
        taps = " · ".join(
            f"〔{_tap(reply.label[language], reply.signal, reply.is_lead)}〕"
            for reply in message.quick_replies
        )
        parts.append(f"{f'[ {button} ]  ' if button else ''}{taps}")
    return "\n\n".join(parts)


def _tap(label: str, signal: str, is_lead: bool) -> str:
    if signal == OPT_OUT:
        return f"{label}: stops everything"
    return f"{label}: `{signal}`, opens a lead" if is_lead else f"{label}: `{signal}`"


def _told(condition: Condition, *, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if not isinstance(condition, Group):
        yield f"{indent}- {_sentence(condition)}"
        return
    yield f"{indent}- {_GROUPS[condition.kind]}"
    for member in condition.members:
        yield from _told(member, depth=depth + 1)


def _sentence(condition: Condition) -> str:
    match condition:
        case EventLast(event=event, more_than=more, less_than=less):
            return f"the last `{event}` was {_ago(more, less)}"
        case EventFirst(event=event, more_than=more, less_than=less):
            return f"the first `{event}` was {_ago(more, less)}"
        case EventCount(event=event, at_least=low, at_most=high, within=within):
            window = f" in the last {span_en(within)}" if within is not None else ""
            return f"`{event}` happened {_number(low, high)} {'time' if high == 1 else 'times'}{window}"
        case Answered(key=key, is_wanted=is_wanted) if key == REPLIED:
            return "they wrote to us" if is_wanted else "they wrote nothing to us"
        case Answered(key=key):
            what = "tapped the button of" if key.startswith(CLICKED) else "answered with"
            return f"they {what} `{key.partition(':')[2]}`"
        case EventNever(event=event, is_never=is_never):
            return f"`{event}` {'never happened' if is_never else 'happened at least once'}"
        case Stalled(since=since, without=without, span=span):
            return f"`{since}` happened {span_en(span)} ago or earlier, and no `{without}` since"
        case Used(of=of, fewer_than=few, at_least=low, within=within):
            window = f" in the last {span_en(within)}" if within is not None else ""
            names = ", ".join(f"`{each}`" for each in of)
            return f"{_number(low, few - 1 if few is not None else None)} of {names} happened{window}"
        case AttributeIs(attribute=attribute, operator=operator, value=value):
            shown = ", ".join(str(each) for each in value) if isinstance(value, tuple) else str(value)
            return f"`{attribute}` {operator.replace('_', ' ')} {shown}"
        case AttributeDate(attribute=attribute, within=within, passed=passed):
            if within is not None:
                return f"`{attribute}` is today or in {span_en(within)} at most"
            if passed is not None:
                return f"`{attribute}` was {span_en(passed)} ago or earlier"
            return f"today is the day and month of `{attribute}`"
        case LineIs(is_linked=is_linked):
            return "linked on LINE" if is_linked else "not linked on LINE"
        case _:
            return str(condition)


def _ago(more: timedelta | None, less: timedelta | None) -> str:
    said = []
    if more is not None:
        said.append(f"{span_en(more)} ago or earlier")
    if less is not None:
        said.append(f"less than {span_en(less)} ago")
    return ", and ".join(said)


def _number(low: int | None, high: int | None) -> str:
    if low is not None and low == high:
        return f"exactly {low}"
    said = []
    if low is not None:
        said.append(f"{low} or more")
    if high is not None:
        said.append(f"{high} or fewer")
    return " and ".join(said)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
