"""Does a slip in a rule file end in its line and column, and in what to do about it?"""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import app
from followups.rules.parsing import RuleError, parse_message, parse_rule

RULE = """\
id: inactive
name: しばらくご利用のない方へ
goal: {event: login, within: 7d}
when:
  event: login
  last: {more_than: 14d}
then:
  - send: {text: お元気ですか。ご不明な点はありませんか。}
"""

BLOCKS = {
    "folded": (">", "お元気\n  ですか。\n\n  ご不明な点は\n", "お元気 ですか。\nご不明な点は\n"),
    "folded, stripped": (">-", "a\n  b\n\n  c\n\n", "a b\nc"),
    "folded, kept": (">+", "a\n  b\n\n", "a b\n\n"),
    "literal": ("|", "a\n  b\n", "a\nb\n"),
    "literal, stripped": ("|-", "a\n  b\n\n", "a\nb"),
    "literal, kept": ("|+", "a\n\n", "a\n\n"),
    "indented": ("|2-", "  a\n  b\n", "  a\nb"),
    "with a remark": (">- # why", "a\n  b\n", "a b"),
}  # fmt: skip


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("name", BLOCKS)
def test_text_in_blocks_reads_as_yaml_says(name: str, ending: str) -> None:
    sign, written, meant = BLOCKS[name]
    text = f"text: {sign}\n  {written}".replace("\n", ending)
    assert parse_message(text, path="m.yaml").text["ja"] == meant


SLIPS = {
    "anchor": ("  event: login", "  event: &a login", 5, 10, "anchor"),
    "alias": ("  event: login", "  event: *a", 5, 10, "alias"),
    "tag": ("  event: login", "  event: !!str login", 5, 10, "tag"),
    "bomb": ("  event: login", "  event: [&a [x, x], *a, *a]", 5, 11, "anchor"),
    "tab": ("  event: login", "\tevent: login", 5, 1, "tab"),
    "full-width indent": ("  event: login", "\u3000\u3000event: login", 5, 1, "full-width space"),
    "full-width colon": ("name: し", "name：し", 2, 5, "colon"),
    "no space after a colon": ("name: し", "name:し", 2, 5, "space after the colon"),
    "full-width digits": ("14d", "１４d", 6, 21, "half-width: 14d"),
    "full-width word": ("{event: login", "{ｅｖｅｎｔ: login", 3, 8, "(did you mean “event”?)"),
    "placeholder first": ("{text: お元気", "{text: {customer.name}様、お元気", 8, 0, ""),
    "sign first": ("name: し", "name: @し", 2, 7, "quotes"),
    "colon inside": ("name: しば", "name: お知らせ: しば", 2, 11, "quotes"),
    "key twice": ("name: し", "id: x\nname: し", 2, 1, "duplicate key"),
    "open quote": ("name: し", 'name: "し', 0, 0, ""),
    "open bracket": ("within: 7d}", "within: 7d", 0, 0, ""),
    "two documents": ("when:", "---\nwhen:", 4, 1, "one document"),
    "control character": ("name: し", "name: \x07し", 2, 7, "U+0007"),
    "escaped NUL": ("name: し", 'name: "a\\0b" #', 2, 7, "U+0000"),
    "half a surrogate": ("name: し", "name: \ud800し", 2, 7, "U+D800"),
    "deep": ("last: {more_than: 14d}", "last: " + "[" * 40, 6, 0, "nested"),
}


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("name", SLIPS)
def test_an_everyday_slip_is_told_with_its_place_and_what_to_do(name: str, ending: str) -> None:
    right, wrong, line, column, said = SLIPS[name]
    assert right in RULE
    with pytest.raises(RuleError) as caught:
        parse_rule(RULE.replace(right, wrong, 1).replace("\n", ending), path="r.yaml", messages={})
    matching = [problem for problem in caught.value.problems if said in problem.en]
    assert matching, caught.value.problems
    assert all(problem.ja != problem.en for problem in matching)
    assert not line or line in {problem.line for problem in matching}
    assert not column or column in {problem.column for problem in matching}


def check(folder: Path | str, *more: str) -> Result:
    return CliRunner().invoke(app, ["rules", "check", str(folder), *more], env={"LANG": "C.UTF-8"})


def refused(result: Result) -> str:
    """The one line that a refused folder is answered with."""
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "inactive.yaml").write_bytes(b"\xef\xbb\xbf" + RULE.replace("\n", "\r\n").encode())
    assert check(tmp_path).exit_code == 0


def test_what_is_no_rule_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    assert "is no folder" in refused(check(tmp_path / "none"))
    assert "no rules" in refused(check(tmp_path))
    path = tmp_path / "inactive.yaml"
    path.write_text(RULE, "utf-8")
    assert "is no folder" in refused(check(path))
    for content, place, said in (
        (b"\x89PNG\r\n\x1a\n\0\0", "1:1", "not UTF-8"),
        (b"id: a\nname: " + "名".encode("cp932"), "2:7", "not UTF-8"),
        (RULE.encode("utf-16"), "1:1", "not UTF-8"),
        (b"#" * 1_000_001, "1:1", "at most"),
        (b"", "1:1", "empty"),
        (b"\0", "1:1", "U+0000"),
        (b"hello", "1:1", "mapping"),
    ):
        path.write_bytes(content)
        line = refused(check(tmp_path))
        assert line.startswith(f"{path}:{place}: "), line
        assert said in line
    path.write_text(RULE, "utf-8")
    assert "does not exist" in refused(check(tmp_path, "--policy", str(tmp_path / "none.yaml")))
    (tmp_path / "policy.yaml").write_text("timezone: Mars\n")
    assert refused(check(tmp_path)).startswith(f"{tmp_path}/policy.yaml:1:11: ")
    (tmp_path / "policy.yaml").unlink()
    (tmp_path / "messages").mkdir()
    (tmp_path / "messages" / "a.yaml").mkdir()
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    assert check(tmp_path).exit_code == 0
