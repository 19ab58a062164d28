"""Does each threat in SECURITY.md name a test that exists, and does every defence have one that sees it?"""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.line.stopwords import is_opt_out
from bot.llm.redact import Redactor
from bot.settings import Settings
from db.people.line_users import code_in
from followups.words.placeholders import render
from sandbox.world import (
    BOT_TOKEN,
    CHANNEL_SECRET,
    CHANNEL_TOKEN,
    INGEST_KEY,
    MODEL_KEY,
    SIGNING_SECRET,
    World,
)

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
PROGRAM = [
    path
    for package in ("bot", "handlers", "db", "followups", "prompts")
    for path in sorted((ROOT / package).rglob("*.py"))
    if "versions" not in path.parts
]
THREATS = (
    "forged LINE webhook", "forged Slack request", "replay", "open redirect", "forwarded click link",
    "prompt injection", "exfiltration via drafts", "over-promising", "mention injection",
    "Slack Connect outsiders", "former employees", "stale buttons", "leaked keys", "personal data in logs",
    "personal data to the model", "YAML bombs", "ReDoS", "SQL injection", "template tricks", "ingest flood",
    "XSS in local pages", "dependency pins", "database socket", "formulas in exports", "compressed bombs",
    "another account's webhooks", "writing to people after a restore",
)  # fmt: skip


# --- the map ----------------------------------------------------------------------------------------------


def rows() -> dict[str, list[str]]:
    """Threat → the tests that its row names."""
    found = {}
    for line in PAGE.split("## Threats")[1].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) == 3 and cells[0] != "threat":
            found[cells[0]] = re.findall(r"`(tests/[^`]+)`", cells[2])
    return found


def names_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_every_threat_is_on_the_map() -> None:
    assert {threat.lower() for threat in THREATS} - {name.lower() for name in rows()} == set()


@pytest.mark.parametrize(("threat", "named"), rows().items(), ids=rows())
def test_every_test_that_is_named_exists(threat: str, named: list[str]) -> None:
    assert named or threat in PAGE.split("## Not covered yet")[1], f"{threat}: no test, and not said so"
    for each in named:
        path, _, test = each.partition("::")
        assert (ROOT / path).is_file(), each
        assert test in names_in(ROOT / path), each


# --- defences that only show in the code as a whole --------------------------------------------------------


def calls_in(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def name_of(call: ast.Call) -> str:
    called = call.func
    return (
        called.attr
        if isinstance(called, ast.Attribute)
        else called.id
        if isinstance(called, ast.Name)
        else ""
    )


OF_OUR_OWN = {"db/embedded.py", "db/intake/partitions.py", "db/keeping/retention.py"}
"""Where a name stands in a statement that takes no bound values: a constant, a table named by its month."""


def test_no_sql_is_put_together_from_strings() -> None:
    takers = {"text", "literal_column", "exec_driver_sql", "execute", "scalar", "scalars"}
    found = {
        str(path.relative_to(ROOT))
        for path in PROGRAM
        for call in calls_in(path)
        if name_of(call) in takers and call.args and _is_composed(call.args[0])
    }
    assert found == OF_OUR_OWN


def _is_composed(node: ast.expr) -> bool:
    """A string made of parts: an f-string, `+`, `%`, `.format()` or `.join()` with a literal in it."""
    if isinstance(node, ast.JoinedStr):
        return True
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        return any(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in ast.walk(node))
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"format", "join"}
    ):
        return isinstance(node.func.value, ast.Constant)
    return False


@pytest.mark.parametrize(
    ("code", "is_bad"),
    [
        ('text(f"x = {x}")', True), ('text("x = " + x)', True), ('text("x = %s" % x)', True),
        ('text("x = {}".format(x))', True), ('text("x = 1")', False), ("text(x)", False),
    ],
)  # fmt: skip
def test_sql_from_strings_would_be_noticed(code: str, is_bad: bool) -> None:
    call = ast.parse(code, mode="eval").body
    assert isinstance(call, ast.Call)
    assert _is_composed(call.args[0]) == is_bad


def test_only_delivery_hands_messages_to_line() -> None:
    callers = {
        str(path.relative_to(ROOT))
        for path in PROGRAM
        for call in calls_in(path)
        if name_of(call) in {"push", "reply"}
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "line"
    }
    # Who invites the account into a group gets one line of ours, the same for everybody, in a free reply.
    assert callers == {"bot/flows/customers/deliver.py", "bot/flows/channel/leave.py"}


def test_the_local_page_never_makes_markup_of_text() -> None:
    scripts = sorted((ROOT / "sandbox" / "page").glob("*.js"))
    assert scripts
    makers = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|\beval\("
    )
    assert [path.name for path in scripts if makers.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("name", ["runtime.txt", "dev.txt"])
def test_every_package_is_pinned_with_hashes(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text().replace("\\\n", " ")
    packages = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert len(packages) > 20
    loose = [
        line[:60] for line in packages if not re.match(r"[\w.\[\]-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ]
    assert loose == []
    assert "--require-hashes" in (ROOT / "Makefile").read_text()


SECRETS = {name for name in Settings.model_fields if re.search(r"token|secret|key$|database_url", name)}


def test_no_secret_has_a_default_or_shows_itself() -> None:
    assert len(SECRETS) == 9
    for name in SECRETS:
        field = Settings.model_fields[name]
        assert field.default is None
        assert SecretStr in field.annotation.__args__  # type: ignore[union-attr]
    settings = Settings.of(**{name: SecretStr("hush-hush") for name in SECRETS})
    assert "hush" not in f"{settings!r}{settings}{settings.model_dump()}{settings.model_dump_json()}"


# --- defences that show while the program runs -------------------------------------------------------------


async def test_a_whole_story_leaves_no_name_text_or_secret_in_the_logs(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    kanade = await world.friend("secret-id-77", "九条 奏", email="kanade@example.co.jp", plan="trial")
    await world.line.say(kanade, "電話は 090-1234-5678 です。料金を教えてください")
    await world.settle()
    await world.post("/v1/track", {"userId": "secret-id-77", "event": "x" * 300})
    await world.post("/v1/track", {"userId": "secret-id-77", "event": "login"}, key="wrong-key")
    await world.turn(timedelta(days=1))
    logged = "".join(capfd.readouterr())
    assert "messages.delivered" in logged
    personal = ("九条", "奏", "kanade@", "090-1234", "料金を教えて", "secret-id-77", kanade)
    secrets = (BOT_TOKEN, CHANNEL_SECRET, CHANNEL_TOKEN, INGEST_KEY, MODEL_KEY, SIGNING_SECRET, "wrong-key")
    assert [each for each in (*personal, *secrets) if each in logged] == []


HOSTILE = (
    "1", "1-", "１ー", "a.", "a@", "(1", "+1", "〒1", "市1", "東京都", "{", "}", "{a", "⟦", "a.b.", "[a](",
    "1,", "ストップ", "もう", "お", "です", "ー", " ", "YR-", "stop ", "@a.", "県市", "停止して",
)  # fmt: skip
READERS: dict[str, Callable[[str], object]] = {
    "opt-out": is_opt_out,
    "link code": code_in,
    "what the model sees": Redactor(name="山田 花子", company="山田商店", ids=["c-1"]).hide,
    "placeholders": lambda text: render(text, {}),
}


@pytest.mark.parametrize("reader", READERS)
def test_no_words_of_a_customer_hold_the_program_up(reader: str) -> None:
    for piece in HOSTILE:
        begin = time.perf_counter()
        READERS[reader]((piece * 5000)[:5000])
        assert time.perf_counter() - begin < 2, piece
