"""Is the rule book read once a revision, the same for everybody, and complete?"""

from __future__ import annotations

from pathlib import Path

from bot.flows.rules.publish import switch
from db.engine import Database
from db.rulebook.rules import PUBLISHED_STATES, current_rulebook, put_setting, read_keys, setting, watched
from followups.rules.model import Policy, RuleState
from followups.rules.parsing import load_folder
from followups.signals import Watch
from tests.flows.shop import Shop, inactive

PLAYBOOKS = Path(__file__).parents[2] / "followups" / "playbooks"


async def test_without_any_rule_there_is_an_empty_book_with_the_default_policy(db: Database) -> None:
    async with db.begin() as session:
        book = await current_rulebook(session)
    assert (book.rules, dict(book.by_id), book.policy, book.revision) == ((), {}, Policy(), 0)


async def test_a_book_is_parsed_once_a_revision(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(inactive())
    async with db.begin() as session:
        first = await current_rulebook(session)
    async with db.begin() as session:
        assert await current_rulebook(session) is first
    await switch(shop.deps, "inactive", RuleState.PAUSED, by="test")
    async with db.begin() as session:
        second = await current_rulebook(session)
    assert second is not first
    assert second.revision == first.revision + 1
    assert second.rules == ()
    assert second.by_id["inactive"].state is RuleState.PAUSED


async def test_a_transaction_sees_the_configuration_it_changed_and_others_do_not_yet(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(inactive())
    async with db.begin() as session:
        before = await current_rulebook(session)
        await put_setting(session, "config_revision", {"revision": 9, "digest": "x"}, now=shop.clock.now())
        async with db.begin() as other:
            assert (await current_rulebook(other)).revision == before.revision
        assert (await current_rulebook(session)).revision == 9


async def test_settings_are_kept_by_name(db: Database) -> None:
    shop = Shop(db)
    async with db.begin() as session:
        assert await setting(session, "paused") is None
        for value in (True, False):
            await put_setting(session, "paused", {"is_paused": value}, now=shop.clock.now())
        assert await setting(session, "paused") == {"is_paused": False}


async def test_every_playbook_survives_being_stored_and_read_again(db: Database) -> None:
    shop = Shop(db)
    files = {str(path.relative_to(PLAYBOOKS)): path.read_text() for path in PLAYBOOKS.rglob("*.yaml")}
    await shop.publish(files)
    async with db.begin() as session:
        book = await current_rulebook(session)
    assert book.broken == {}
    written = load_folder(files).rules
    assert tuple(book.by_id.values()) == written
    assert book.rules == tuple(rule for rule in written if rule.state in PUBLISHED_STATES)


def test_what_a_rule_reads_and_what_has_to_be_kept_for_it() -> None:
    when = (
        "{all: [{event: login, count: {fewer_than: 3, within: 28d}}, {event: signup, first: {less_than: 9d}},"
        " {attribute: renewal, within: 30d}, {any: [{event: order, never: true}]}]}"
    )
    [rule] = load_folder(inactive(when=when, goal="{event: paid, within: 7d}")).rules
    keys = {"login", "login#3", "signup", "signup~first", "@renewal", "order", "paid"}
    assert read_keys(rule) == keys
    kept = watched([rule])
    assert kept["login"] == Watch(event="login", depth=3, ranks=frozenset({3}))
    assert kept["signup"].is_first_watched
    assert set(kept) == {"login", "signup", "order", "paid", "@renewal"}
