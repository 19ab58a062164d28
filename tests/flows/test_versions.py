"""Is no change of a rule ever lost or overwritten unseen, whoever makes it and from where?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import col

from bot.errors import Refused
from bot.flows.rules.edit import ChangedMeanwhile, edit_rule
from bot.flows.rules.publish import publish_at_start, rulebook
from bot.flows.versions.compare import Standing, compare
from bot.flows.versions.export import export
from bot.flows.versions.history import history
from bot.flows.versions.rollback import rollback
from bot.intake.rule_files import policy_beside, read_folder
from bot.settings import Settings
from db.deciding.followups import FollowUpRow
from db.desk.audit import AuditEntry
from db.desk.posts import Post
from db.engine import Database
from db.rulebook.publications import Side
from db.rulebook.rules import RuleVersion
from db.talk.messages import Message
from followups.rules.parsing import RuleError
from tests.flows.shop import Shop

RULE = """\
# しばらくご利用のない方へ
id: inactive   # never change this
state: live
goal: {event: login, within: 7d}
when: {event: login, last: {more_than: 14d}}   # two weeks

again_after: 30d
holdout: 0%
then:
  - send: checkin
"""
WORDS = "# words\ntext: お困りではありませんか。\n"
TESTS = "tests:\n  - name: quiet\n    events: {login: -16d}\n    moments: [{at: 0d, expect: send}]\n"
FILES = {"inactive.yaml": RULE, "messages/checkin.yaml": WORDS, "inactive.test.yaml": TESTS}
SPAN = ("when", "last", "more_than")


def edited(rule: str = RULE) -> dict[str, str]:
    return {**FILES, "inactive.yaml": rule}


async def source(shop: Shop, version: int) -> str:
    [row] = await shop.rows(RuleVersion, col(RuleVersion.version) == version)
    return str(row.source)


async def test_an_edit_changes_the_one_value_and_no_other_byte(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(FILES)
    version = await edit_rule(shop.deps, "inactive", [(SPAN, "10d")], base_version=1, by="U1")
    assert version == 2
    assert await source(shop, 2) == RULE.replace("14d", "10d")
    assert [row.tests for row in await shop.rows(RuleVersion)] == [TESTS, TESTS]
    changed = await shop.rows(AuditEntry, col(AuditEntry.action) == "rule.changed")
    assert [(row.actor, row.details["origin"]) for row in changed] == [("U1", "edit")]


async def test_an_edit_of_what_was_changed_meanwhile_is_refused_and_says_how(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(FILES)
    await edit_rule(shop.deps, "inactive", [(SPAN, "10d")], base_version=1, by="U1")
    with pytest.raises(ChangedMeanwhile) as refused:
        await edit_rule(shop.deps, "inactive", [(SPAN, "7d")], base_version=1, by="U2")
    assert "when.last.more_than: 14d → 10d" in refused.value.en
    assert any(line.startswith("+when") and "10d" in line for line in refused.value.difference)


async def test_an_edit_that_makes_no_valid_rule_changes_nothing(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(FILES)
    with pytest.raises(RuleError, match="14x"):
        await edit_rule(shop.deps, "inactive", [(SPAN, "14x")], base_version=1, by="U1")
    with pytest.raises(Refused, match="nowhere"):
        await edit_rule(shop.deps, "inactive", [(("nowhere", "at"), "x")], base_version=1, by="U1")
    assert len(await shop.rows(RuleVersion)) == 1


async def test_a_message_edited_for_one_rule_is_the_same_for_every_rule_that_names_it(db: Database) -> None:
    shop = Shop(db)
    other = RULE.replace("inactive", "second")
    await shop.publish({**FILES, "second.yaml": other})
    change = (("messages/checkin.yaml", "text"), "いかがですか。")
    await edit_rule(shop.deps, "inactive", [change], base_version=1, by="U1")
    book = await rulebook(shop.deps)
    assert {rule.id: (rule.version, rule.messages[0].text["ja"]) for rule in book.rules} == {
        "inactive": (2, "いかがですか。"),
        "second": (2, "いかがですか。"),
    }


async def test_a_folder_that_does_not_know_of_an_edit_overwrites_nothing(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(FILES)
    await edit_rule(shop.deps, "inactive", [(SPAN, "10d")], base_version=1, by="U1")
    for files in (FILES, edited(RULE.replace("30d", "60d"))):
        applied = (await shop.publish(files)).applied
        assert [each.rule_id for each in applied.conflicts] == ["inactive"]
        [compared] = (await compare(shop.deps, files)).rules
        assert compared.standing is Standing.CONFLICT
        assert any("v2, U1" in line for line in compared.lines)
    assert (await rulebook(shop.deps)).by_id["inactive"].version == 2


async def test_a_folder_that_took_the_edit_over_goes_on_from_there(db: Database, tmp_path: Path) -> None:
    shop = Shop(db)
    await shop.publish(FILES)
    await edit_rule(shop.deps, "inactive", [(SPAN, "10d")], base_version=1, by="U1")
    both = RULE.replace("14d", "10d").replace("30d", "60d")
    assert (await shop.publish(edited(both))).applied.changed == ("inactive",)

    await edit_rule(shop.deps, "inactive", [(SPAN, "8d")], base_version=3, by="U1")
    seven = edited(both.replace("10d", "7d"))
    assert (await shop.publish(seven)).applied.conflicts
    await export(shop.deps, tmp_path)
    assert (await shop.publish(seven)).applied.changed == ("inactive",)


async def test_in_a_conflict_a_person_chooses_a_side(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(FILES)
    await edit_rule(shop.deps, "inactive", [(SPAN, "10d")], base_version=1, by="U1")
    from bot.flows.rules.publish import publish

    kept = await publish(shop.deps, FILES, by="cli", sides={"inactive": Side.STORED})
    assert (kept.applied.kept, kept.applied.conflicts) == (("inactive",), ())
    taken = await publish(shop.deps, FILES, by="cli", sides={"inactive": Side.FILE})
    assert taken.applied.changed == ("inactive",)
    assert [await source(shop, number) for number in (1, 2, 3)] == [RULE, RULE.replace("14d", "10d"), RULE]


async def test_a_start_with_an_old_folder_alerts_and_overwrites_nothing(db: Database, tmp_path: Path) -> None:
    shop = Shop(db)
    (tmp_path / "messages").mkdir()
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    deps = replace(shop.deps, settings=Settings.of(yorisoi_rules=tmp_path))
    await publish_at_start(deps)
    await edit_rule(deps, "inactive", [(SPAN, "10d")], base_version=1, by="U1")
    for _ in range(2):
        published = await publish_at_start(deps)
        assert published is not None
        assert published.applied.changed == ()
    [post] = await shop.rows(Post)
    assert "does not know of a change made elsewhere" in post.content["en"]
    assert (await rulebook(deps)).by_id["inactive"].version == 2


async def test_what_was_applied_comes_out_byte_for_byte(db: Database, tmp_path: Path) -> None:
    shop = Shop(db)
    crlf = RULE.replace("\n", "\r\n")
    await shop.publish({**FILES, "inactive.yaml": crlf}, policy="# ours\ntimezone: Asia/Tokyo\n")
    exported = await export(shop.deps, tmp_path)
    assert set(exported.files) == {*FILES, "policy.yaml"}
    assert (tmp_path / "inactive.yaml").read_bytes() == crlf.encode()
    assert (tmp_path / "inactive.test.yaml").read_text() == TESTS
    assert (tmp_path / "policy.yaml").read_text() == "# ours\ntimezone: Asia/Tokyo\n"
    files = read_folder(tmp_path)
    published = await shop.publish(files, policy=policy_beside(tmp_path, None).source)  # type: ignore[union-attr]
    assert published.applied.unchanged == ("inactive",)
    assert not published.applied.is_policy_changed
    assert (await export(shop.deps, tmp_path)).files == ()


async def test_an_export_does_not_take_away_what_was_never_applied(db: Database, tmp_path: Path) -> None:
    shop = Shop(db)
    await shop.publish(FILES)
    await export(shop.deps, tmp_path)
    (tmp_path / "inactive.yaml").write_text(RULE + "# a thought\n")
    with pytest.raises(Refused, match="would lose"):
        await export(shop.deps, tmp_path)
    assert "# a thought" in (tmp_path / "inactive.yaml").read_text()
    await export(shop.deps, tmp_path, is_overwriting=True)
    assert (tmp_path / "inactive.yaml").read_text() == RULE


async def test_a_rollback_is_a_new_version_and_the_history_tells_it(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(FILES)
    await edit_rule(shop.deps, "inactive", [(SPAN, "10d")], base_version=1, by="U1")
    assert await rollback(shop.deps, "inactive", by="U2") == 3
    assert await source(shop, 3) == RULE
    told = await history(shop.deps, "inactive")
    assert [(each.version, each.by, each.origin) for each in told.versions] == [
        (3, "U2", "rollback"),
        (2, "U1", "edit"),
        (1, "test", "file"),
    ]
    assert told.versions[1].changes[0].en == "threshold: when.last.more_than: 14d → 10d"
    assert sorted((entry.action, entry.actor) for entry in told.trail) == [
        ("rule.changed", "U1"),
        ("rule.changed", "U2"),
        ("rule.published", "test"),
    ]
    with pytest.raises(Refused, match="says the same"):
        await rollback(shop.deps, "inactive", to=1, by="U2")
    with pytest.raises(Refused, match="no version 9"):
        await rollback(shop.deps, "inactive", to=9, by="U2")


@pytest.mark.parametrize("is_moving", [False, True])
async def test_who_is_under_way_stays_on_their_version_or_moves(db: Database, *, is_moving: bool) -> None:
    shop = Shop(db)
    await shop.track(await shop.customer(), "login", shop.ago(days=20))
    await shop.publish(FILES)
    await shop.settle()
    assert len(await shop.rows(Message)) == 1
    await edit_rule(shop.deps, "inactive", [(SPAN, "10d")], base_version=1, by="U1", is_moving=is_moving)
    assert [row.rule_version for row in await shop.rows(FollowUpRow)] == [2 if is_moving else 1]
    book = await rulebook(shop.deps)
    old = book.rule_at("inactive", 1)
    assert old is not None
    assert (old.version, book.rule_at("inactive", 2)) == (1, book.by_id["inactive"])
    assert book.rule_at("inactive", 3) is None
