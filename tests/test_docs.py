"""Is everything that the documentation shows taken by the real program: samples, commands, calls, links?"""

from __future__ import annotations

import base64
import itertools
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import ruamel.yaml
from typer.main import get_command

from bot.__main__ import app
from bot.app import stories
from bot.flows.signals.import_file import import_file
from bot.init.manifest import manifest
from bot.intake.sources import parse_sources
from bot.intake.tables import reading_of
from bot.line.stopwords import is_opt_out
from bot.metrics import REGISTRY
from bot.settings import Settings
from bot.slack import words
from bot.slack.words import say
from followups.answers.scripts import read_scripts
from followups.decide import decide
from followups.explain import explain_rule
from followups.rules.model import MessageTemplate, Policy, RuleState
from followups.rules.parsing import (
    RuleSet,
    load_folder,
    parse_message,
    parse_policy,
    parse_rule,
    parse_scoring,
    read_folder,
)
from followups.rules.testing import facts_of, run_rule_tests
from followups.rules.yaml import conditions, messages, rules, tests
from followups.rules.yaml.menus import read_menus
from followups.rules.yaml.policies import policy, scoring
from followups.rules.yaml.tree import ListNode, MapNode, read_tree
from followups.times.zones import zone_of
from followups.words.wording import moment_en
from prompts.scripted import shipped_scripts
from sandbox import cookbook
from sandbox.world import INGEST_KEY, World
from tests.wiring import deps_without_platforms

ROOT = Path(__file__).resolve().parent.parent
TOP = ("README.md", "README.ja.md", "SECURITY.md", "CONTRIBUTING.md", "DECISIONS.md", "CHANGELOG.md")
PAGES = (*(ROOT / name for name in TOP), *sorted((ROOT / "docs").glob("*.md")))
RULES, EVENTS = ROOT / "docs" / "rules.md", ROOT / "docs" / "events.md"
_FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_FILE = re.compile(r"# ([\w./-]+\.yaml)\n")


@dataclass(frozen=True)
class Sample:
    """One fenced block of a page."""

    page: Path
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def file(self) -> str | None:
        """The path that its first line names, where it is a whole file."""
        named = _FILE.match(self.text)
        return named[1] if named else None


def samples_of(page: Path) -> list[Sample]:
    text = page.read_text(encoding="utf-8")
    return [
        Sample(page, text.count("\n", 0, found.start()) + 1, found[1], found[2])
        for found in _FENCE.finditer(text)
    ]


SAMPLES = [sample for page in PAGES for sample in samples_of(page)]
YAML = [sample for sample in SAMPLES if sample.kind == "yaml" and sample.page.name != "playbooks.md"]
FILES = {sample.file: sample.text for sample in samples_of(RULES) if sample.file is not None}


def relative(page: Path) -> str:
    return str(page.relative_to(ROOT))


# --- rules, messages, policy ------------------------------------------------------------------------------


def known_messages() -> dict[str, MessageTemplate]:
    texts = {path.stem: path.read_text() for path in (cookbook.PLAYBOOKS / "messages").glob("*.yaml")}
    texts |= {Path(path).stem: text for path, text in FILES.items() if "/messages/" in path}
    return {name: parse_message(text, path=f"{name}.yaml") for name, text in texts.items()}


def in_a_rule(sample: Sample) -> str:
    """A whole rule file around a sample that is only `when` or only `then`."""
    parts = {
        "when": "when: {event: login, never: true}\n",
        "then": "then:\n  - send: {text: こんにちは}\n",
    }
    parts[next(iter(keys_of(sample)))] = sample.text
    return "id: sample\ngoal: {event: login, within: 7d}\n" + "".join(parts.values())


def is_of_sources(sample: Sample) -> bool:
    """sources.yaml is a list; every other file of ours is a mapping."""
    return isinstance(read_tree(sample.text, path=str(sample)), ListNode)


def keys_of(sample: Sample) -> tuple[str, ...]:
    tree = read_tree(sample.text, path=str(sample))
    assert isinstance(tree, MapNode)
    return tuple(tree.keys)


@pytest.mark.parametrize("sample", YAML, ids=str)
def test_a_yaml_sample_is_read_by_the_real_program(sample: Sample) -> None:
    if is_of_sources(sample):
        assert parse_sources(sample.text, path=str(sample))
        return
    keys = set(keys_of(sample))
    if {"id", "text"} <= keys:
        assert read_scripts({str(sample): sample.text}, known=shipped_scripts().by_id).problems == ()
    elif "id" in keys:
        parse_rule(sample.text, path=str(sample), messages=known_messages())
    elif "chat_bar" in keys:
        assert read_menus({sample.file or "default.yaml": sample.text}).by_name
    elif "text" in keys:
        parse_message(sample.text, path=str(sample))
    elif keys in ({"when"}, {"then"}):
        scoring_shown = parse_scoring("threshold: 70\nevents: {login: 1}\n", path="scoring.yaml")
        parse_rule(in_a_rule(sample), path=str(sample), messages=known_messages(), scoring=scoring_shown)
    elif keys <= set(scoring.KEYS):
        parse_scoring(sample.text, path=str(sample))
    elif keys <= set(policy.KEYS):
        parse_policy(sample.text, path=str(sample))
    else:
        assert keys in ({"tests"}, {"start", "tests"}) or "_metadata" in keys, f"nothing reads {sample}"


def boundaries() -> Iterator[tuple[Sample, Sample]]:
    shown = [sample for sample in YAML if sample.page == RULES]
    for sample, following in itertools.pairwise(shown):
        if keys_of(sample) == ("when",) and keys_of(following) == ("tests",):
            yield sample, following


@pytest.mark.parametrize("pair", list(boundaries()), ids=lambda pair: str(pair[0]))
def test_a_condition_changes_at_the_moments_that_the_page_says(pair: tuple[Sample, Sample]) -> None:
    condition, stories = pair
    messages = {path: text for path, text in FILES.items() if "/messages/" in path}
    rule_set = load_folder(
        {"sample.yaml": in_a_rule(condition), "sample.test.yaml": stories.text, **messages}
    )
    assert [str(failure) for failure in run_rule_tests(rule_set, Policy()).failures] == []


def test_each_condition_has_its_boundaries_shown() -> None:
    shown = "".join(sample.text for sample, _ in boundaries())
    for word in (
        "last",
        "first",
        "count",
        "never",
        "stalled",
        "used",
        "in",
        "within",
        "passed",
        "anniversary",
    ):
        assert re.search(rf"\b{word}:", shown), word


def the_folder() -> RuleSet:
    return load_folder({path: text for path, text in FILES.items() if not path.endswith("policy.yaml")})


def test_the_sample_folder_is_sound_and_its_tests_pass() -> None:
    rule_set = the_folder()
    report = run_rule_tests(rule_set, Policy())
    assert [str(failure) for failure in report.failures] == []
    assert (report.rules, set(rule_set.tests)) == (2, {"inactive-14d", "tour"})


def test_the_policy_that_is_shown_is_the_default() -> None:
    assert parse_policy(FILES["my-rules/policy.yaml"]) == Policy()
    assert set(keys_of(Sample(RULES, 1, "yaml", FILES["my-rules/policy.yaml"]))) == set(policy.KEYS)


def test_the_page_names_every_word_of_the_language() -> None:
    text = RULES.read_text()
    words = {
        *rules.KEYS, *rules.STATES, *conditions.KINDS, *conditions.LATER, *messages.KEYS, *policy.KEYS,
        *tests.EXPECTATIONS, *tests.GATES, *conditions._OPERATORS,
    }  # fmt: skip
    assert (
        sorted(
            word
            for word in words
            if not re.search(rf"`[^`\n]*\b{word}\b[^`\n]*`|^ *{word}:", text, re.MULTILINE)
        )
        == []
    )


def test_the_defaults_in_the_table_of_keys_are_the_programs() -> None:
    shown = table(RULES, "## A rule, key by key")
    (source,) = (each for each in the_folder().sources if each.rule.id == "tour")
    minimal = parse_rule(
        "id: tour\ngoal: {event: login, within: 7d}\nwhen: {event: login, never: true}\n"
        "then: [{send: {text: a}}]\n",
        path="tour.yaml",
        messages={},
    )
    assert source.rule.priority == minimal.priority
    assert {key: row[-1].strip("`") for key, row in shown.items()} == {
        "id": "required", "name": "the id", "goal": "required", "when": "required", "then": "required",
        "priority": str(minimal.priority), "again_after": "never", "holdout": "nobody",
        "during_conversation": minimal.during_conversation.value, "state": minimal.state.value,
        "approval": minimal.approval,
    }  # fmt: skip
    assert (minimal.name, minimal.again_after, minimal.holdout) == ("tour", None, None)
    assert set(shown) == set(rules.KEYS)


def test_a_mistake_is_told_as_the_page_shows_it() -> None:
    path = "my-rules/inactive-14d.yaml"
    broken = {**FILES, path: FILES[path].replace("more_than", "more_then")}
    problems = read_folder(broken).problems
    shown = [line for line in RULES.read_text().splitlines() if line.startswith(f"{path}:")]
    assert shown
    assert set(shown) <= {str(problem) for problem in problems}


def test_why_answers_as_the_page_shows_it() -> None:
    shown = next(sample.text for sample in samples_of(RULES) if sample.text.startswith("Now ("))
    rule_set = the_folder()
    rule = replace(next(each for each in rule_set.rules if each.id == "inactive-14d"), state=RuleState.LIVE)
    zone, now = zone_of("Asia/Tokyo"), datetime.fromisoformat("2026-12-02T12:00+09:00")
    story = rule_set.tests[rule.id].cases[0]
    facts = facts_of(story, rule, Policy(), start=tests.DEFAULT_START, zone=zone, now=now)
    (decision,) = decide(facts, [rule], Policy(), now=now).rules
    assert shown.splitlines() == [
        f"Now ({moment_en(now, zone)})",
        *(f"  {line}" for line in explain_rule(decision, "en", timezone="Asia/Tokyo")),
    ]


def test_the_page_of_playbooks_is_up_to_date() -> None:
    assert cookbook.PAGE.read_text(encoding="utf-8") == cookbook.page(), "run python -m sandbox.cookbook"


# --- commands ---------------------------------------------------------------------------------------------


def commands_of(text: str) -> Iterator[tuple[str, bool]]:
    """Every `yorisoi …` line of a page, and whether it is whole: a sentence may name a command alone."""
    for line in text.splitlines():
        if found := re.match(r"\s*(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?(yorisoi .+)$", line):
            yield re.split(r" [#>|]", found[1])[0].strip(), True
    for found in re.finditer(r"`(?:\.venv/bin/)?(yorisoi [^`]+)`", text):
        yield " ".join(found[1].split()), False


COMMANDS = sorted(
    {(relative(page), *each) for page in PAGES for each in commands_of(page.read_text(encoding="utf-8"))}
)


def parse(words: list[str], *, is_whole: bool = True) -> None:
    """Read a command line as the program does, down to its last option, and run nothing."""
    command: Any = get_command(app)
    context: Any = None
    while words or is_whole:
        context = command.make_context(command.name, list(words), parent=context)
        if not hasattr(command, "commands"):
            assert not context.args
            return
        _, command, words = command.resolve_command(context, [*context._protected_args, *context.args])


@pytest.mark.parametrize(("page", "line", "is_whole"), COMMANDS, ids=lambda each: str(each)[:60])
def test_a_command_line_exists_with_these_options(page: str, line: str, is_whole: bool) -> None:
    parse(shlex.split(line)[1:], is_whole=is_whole)


def help_of(command: Any) -> Iterator[str]:
    yield command.help or ""
    for child in getattr(command, "commands", {}).values():
        yield from help_of(child)


def test_the_examples_in_the_help_exist_too() -> None:
    text = "\n".join(" ".join(each.split()) for each in help_of(get_command(app)))
    examples = re.findall(r"Example: (?:[A-Z_]+=\S+ )*yorisoi ([^\n]+)", text)
    assert len(examples) > 10
    for example in examples:
        parse(shlex.split(example))


def test_a_wrong_command_line_would_be_noticed() -> None:
    for line in ("rules aply x", "rules apply", "rules list --verbose", "import a.csv --colour x", "wy c-1"):
        with pytest.raises(Exception, match=r"."):
            parse(line.split())
    assert len(COMMANDS) > 30


def every_option(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Each option of each command: the command, then the ways to write it."""
    for name, child in getattr(command, "commands", {}).items():
        yield from every_option(child, (*path, name))
    for parameter in command.params:
        written = [each for each in (*parameter.opts, *parameter.secondary_opts) if each.startswith("--")]
        if written and "--help" not in written:
            yield " ".join(path), *written


def test_every_command_and_option_is_described() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    options = list(every_option(get_command(app)))
    assert len(options) > 10
    assert [each for each in options if not any(way in text for way in each[1:])] == []
    names = list(every_command(get_command(app)))
    assert len(names) > 30
    assert [name for name in names if f"yorisoi {name}" not in text] == []


def every_command(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    for name, child in getattr(command, "commands", {}).items():
        yield from every_command(child, (*path, name))
    if not hasattr(command, "commands"):
        yield " ".join(path)


def test_every_story_of_a_worker_is_explained_to_who_runs_it() -> None:
    told = table(ROOT / "docs" / "operating.md", "## What is done when")
    assert set(told) == set(stories(deps_without_platforms()))


def test_every_alarm_asks_for_a_figure_that_exists() -> None:
    told = table(ROOT / "docs" / "operating.md", "## Watching")
    known = {family.name for family in REGISTRY.collect()}
    assert told
    assert {name.removesuffix("_total") for name in told} - known == set()


# --- calls ------------------------------------------------------------------------------------------------


@dataclass
class Exchange:
    """A call, and the answer that the page shows."""

    sample: Sample
    path: str
    body: bytes
    status: int = 0
    answer: Any = field(default=None)


def exchanges() -> list[Exchange]:
    found: list[Exchange] = []
    for sample in samples_of(EVENTS):
        if sample.kind != "http":
            continue
        head, _, body = sample.text.partition("\n\n")
        if head.startswith("POST "):
            found.append(Exchange(sample, head.removeprefix("POST ").strip(), body.strip().encode()))
        else:
            assert head.startswith("HTTP/1.1 "), str(sample)
            found[-1].status, found[-1].answer = int(head.split()[1]), json.loads(body)
    return found


async def test_every_call_is_answered_as_the_page_shows(world: World) -> None:
    known = exchanges()
    assert len(known) >= 7
    headers = {"Authorization": f"Bearer {INGEST_KEY}", "Content-Type": "application/json"}
    async with aiohttp.ClientSession(trust_env=False, headers=headers) as session:
        for each in known:
            async with session.post(world.address + each.path, data=each.body) as response:
                assert response.status == each.status, str(each.sample)
                assert steady(await response.json()) == steady(each.answer), str(each.sample)


def steady(answer: dict[str, Any]) -> dict[str, Any]:
    """The same answer without what differs each time: codes, and whose account it is."""
    if "code" not in answer:
        return answer
    assert answer["url"].endswith(f"/?{answer['code']}")
    assert re.fullmatch(r"YR-[0-9A-Z]{8}", answer["code"])
    assert re.fullmatch(r"https://line\.me/R/oaMessage/%40\w+/\?YR-\w{8}", answer["url"])
    return {**answer, "code": "YR-", "url": "https://line.me/"}


CURLS = [
    (relative(page), found[0].replace("\\\n", " "))
    for page in PAGES
    for found in re.finditer(r"^curl (?:.*\\\n)*.*$", page.read_text(), re.MULTILINE)
]


@pytest.mark.parametrize(("page", "line"), CURLS, ids=[page for page, _ in CURLS])
async def test_a_curl_line_is_taken(world: World, page: str, line: str) -> None:
    words = iter(shlex.split(line.replace("$YORISOI_INGEST_KEY", INGEST_KEY)))
    assert next(words) == "curl"
    headers, body, path = {}, "", ""
    for word in words:
        match word:
            case "-u":
                headers["Authorization"] = "Basic " + base64.b64encode(next(words).encode()).decode()
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "-d":
                body = next(words)
            case address:
                assert address.startswith("http://127.0.0.1:8000/"), "the port of the settings' default"
                path = urlsplit(address).path
    async with (
        aiohttp.ClientSession(trust_env=False, headers=headers) as session,
        session.post(world.address + path, data=body) as response,
    ):
        assert (response.status, await response.json()) == (200, {"success": True, "new": 1})


# --- files to import --------------------------------------------------------------------------------------

FORMS = {
    "member_no": "orders.csv",
    "customer_id": "purchases.txt",
    '{"type"': "calls.jsonl",
    '{"user_id"': "rows.jsonl",
    "customer": "bad.csv",
}
"""Which file a sample is, by how it begins."""


def sample_files(folder: Path) -> dict[str, Path]:
    written = {}
    for sample in samples_of(EVENTS):
        words = re.split(r"[,\s:]", sample.text.strip(), maxsplit=1)[0]
        name = FORMS.get(words)
        if sample.kind in {"csv", "text", "jsonl"} and name:
            written[name] = folder / name
            written[name].write_text(sample.text, encoding="utf-8")
    return written


OPTIONS: dict[str, dict[str, Any]] = {
    "orders.csv": {
        "customer": "member_no", "time": "ordered_at", "event": "purchase", "properties": ["item", "amount"],
    },
    "purchases.txt": {"event": "purchase"},
    "calls.jsonl": {},
    "rows.jsonl": {},
    "bad.csv": {},
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
async def test_a_file_that_is_shown_is_imported(db: Any, tmp_path: Path, name: str) -> None:
    path = sample_files(tmp_path)[name]
    reading = reading_of(path, **OPTIONS[name])
    imported = await import_file(deps_without_platforms(db), path, reading)
    assert imported.new == {"orders.csv": 3, "purchases.txt": 2}.get(name, 1)
    shown = next(sample.text for sample in samples_of(EVENTS) if sample.text.startswith("bad.csv:"))
    refused = [f"bad.csv:{line.number}:{line.column}: {line.problem}" for line in imported.refused]
    assert refused == ([] if name != "bad.csv" else shown.splitlines()[:-1])


# --- links, settings, words -------------------------------------------------------------------------------


def anchors_of(page: Path) -> set[str]:
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_file_and_heading_that_is_linked_to_exists(page: Path) -> None:
    missing = []
    for target in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            assert target.startswith("https://"), target
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        if not file.exists() or (anchor and anchor not in anchors_of(file)):
            missing.append(target)
    assert missing == []


def table(page: Path, heading: str) -> dict[str, list[str]]:
    """The first table under a heading: cells by the first word in backquotes of the first cell."""
    text = page.read_text(encoding="utf-8").split(f"{heading}\n")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in text.splitlines()
        if line.startswith("| `")
    ]
    return {re.findall(r"`([^`]+)`", row[0])[0]: [cell.strip(" |") for cell in row] for row in rows}


@pytest.mark.parametrize(("page", "heading"), [("README.md", "## Settings"), ("README.ja.md", "## 設定")])
def test_the_table_of_settings_names_each_with_the_programs_default(page: str, heading: str) -> None:
    told: set[str] = set()
    for row in table(ROOT / page, heading).values():
        names = [name.lower() for name in re.findall(r"`([A-Z_]+)`", row[0])]
        told |= set(names)
        defaults = [Settings.model_fields[name].default for name in names]
        shown = re.findall(r"`([^`]+)`", row[2])
        wanted = [
            f"{value:g}" if isinstance(value, float) else str(value)
            for value in defaults
            if value is not None
        ]
        assert shown == wanted, row
        assert row[2], row
    assert told == set(Settings.model_fields)


def test_both_readmes_say_the_same() -> None:
    english, japanese = (ROOT / name for name in ("README.md", "README.ja.md"))
    blocks = [
        [strip_remarks(sample.text) for sample in samples_of(page) if sample.kind]
        for page in (english, japanese)
    ]
    assert blocks[0] == blocks[1]
    named = [
        set(re.findall(r"`([^`\n]+)`", _FENCE.sub("", page.read_text()))) for page in (english, japanese)
    ]
    assert {each for each in named[0] if re.search(r"[A-Z_/.]", each)} - named[1] == set()
    linked = [
        {
            link.replace("-ja.png", "-en.png")  # each shows the page in its own language
            for link in _LINK.findall(page.read_text())
            if not link.startswith(("#", "README"))
        }
        for page in (english, japanese)
    ]
    assert linked[0] == linked[1]
    counts = [len(re.findall(r"^\|", page.read_text(), re.MULTILINE)) for page in (english, japanese)]
    assert counts[0] == counts[1]


def strip_remarks(text: str) -> str:
    return re.sub(r" +# .*", "", text)


def test_the_stop_words_that_are_shown_stop() -> None:
    text = (ROOT / "docs" / "line.md").read_text(encoding="utf-8")
    found = re.search(r"^2\. (.+?) and the like", text, re.MULTILINE)
    assert found
    words = found[1].split(", ")
    assert len(words) == 6
    assert [word for word in words if not is_opt_out(word)] == []


def test_slacks_page_shows_the_app_and_the_labels_that_there_are() -> None:
    text = (ROOT / "docs" / "slack.md").read_text()
    (shown,) = (
        sample.text for sample in samples_of(ROOT / "docs" / "slack.md") if "_metadata" in sample.text
    )
    written = manifest(public_base_url=None, is_socket_mode=True)
    yaml = ruamel.yaml.YAML(typ="safe", pure=True)
    assert yaml.load(shown) == yaml.load(written)
    buttons = (
        "send", "edit", "regenerate", "claim", "snooze", "dismiss", "won", "lost", "undo", "sent",
        "give_back", "file.send",
    )  # fmt: skip
    labels = {f"{say(button, 'ja')} {say(button, 'en')}" for button in buttons}
    known = {f"{ja} {en}" for ja, en in words._WORDS.values()}
    told = {" ".join(each.split()) for each in re.findall(r"\*\*([^*]+)\*\*", text)}
    assert labels <= told
    assert {each for each in told if re.search("[ぁ-ん]", each)} <= known
