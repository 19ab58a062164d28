"""Do rich menus come to hang below the chat, once, and does each stage see its own, through the real SDK?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import Misconfigured
from bot.flows.channel.apply_menus import apply_menus, list_menus
from bot.flows.channel.link_menus import link_menus
from bot.intake.menu_files import SHIPPED, menus_of
from bot.line.client import LineClient
from followups.rules.parsing import RuleError
from followups.rules.yaml.menus import MenuSet, read_menus
from sandbox.world import World

PICTURE = (SHIPPED / "default.png").read_bytes()
AREAS = (
    "areas:\n"
    "  - {at: [0, 0, 1250, 843], label: 相談, do: person}\n"
    "  - {at: [1250, 0, 1250, 843], label: 停止, do: stop}\n"
)
BASE = f"chat_bar: メニュー\nimage: default.png\n{AREAS}"


def menus(**files: str) -> MenuSet:
    return read_menus({f"rich-menus/{name}.yaml": text for name, text in files.items()})


def line_of(world: World) -> LineClient:
    assert isinstance(world.deps.line, LineClient)
    return world.deps.line


async def put(world: World, found: MenuSet) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    done = await apply_menus(world.deps, line_of(world), found, {"default.png": PICTURE})
    return done.made, done.kept, done.removed


def shown_to(world: World, phone: str) -> str:
    seen = world.line.menus.seen_by(world.line.person(phone))
    return str(seen.body["name"]).split("/")[1] if seen is not None else ""


async def test_the_shipped_menu_is_sound_small_and_stops_and_reaches_a_person(world: World) -> None:
    found, pictures = menus_of(None)
    assert len(pictures["default.png"]) < 100_000
    assert pictures["default.png"][16:24] == (2500).to_bytes(4) + (843).to_bytes(4)
    phone = await world.friend("c1", "田中")
    await apply_menus(world.deps, line_of(world), found, pictures)
    assert shown_to(world, phone) == "default"
    await world.line.tap_rich_menu(phone, 0)
    await world.settle()
    assert any("担当者におつなぎします" in text for text in world.heard(phone))
    await world.line.tap_rich_menu(phone, 1)
    await world.settle()
    assert "受け取り方" in world.heard(phone)[-1]
    await world.line.tap_rich_menu(phone, 2)
    await world.settle()
    assert any("停止" in text for text in world.heard(phone)[-1:])


async def test_applying_again_changes_nothing_and_a_change_replaces_the_old_one(world: World) -> None:
    assert await put(world, menus(default=BASE)) == (("default",), (), 0)
    first = await list_menus(line_of(world))
    calls = len(world.line.journal)
    assert await put(world, menus(default=BASE)) == ((), ("default",), 0)
    assert await list_menus(line_of(world)) == first
    assert not [each for each in world.line.journal[calls:] if each.method == "DELETE"]
    assert await put(world, menus(default=BASE.replace("メニュー", "ご案内"))) == (("default",), (), 1)
    [(changed, _, is_default)] = await list_menus(line_of(world))
    assert is_default
    assert changed != first[0][0]


async def test_menus_of_others_are_left_alone(world: World) -> None:
    line = line_of(world)
    theirs = {
        "size": {"width": 2500, "height": 843},
        "selected": False,
        "name": "campaign",
        "chatBarText": "x",
        "areas": [],
    }
    assert (await line.ask("/v2/bot/richmenu", method="POST", body=theirs)).status == 200
    await put(world, menus(default=BASE))
    await put(world, menus(default=BASE.replace("メニュー", "ご案内")))
    assert [name for _, name, _ in await list_menus(line)].count("campaign") == 1


async def test_one_that_died_without_its_picture_gets_it_the_next_time(world: World) -> None:
    world.line.faults.add("/v2/bot/richmenu/*/content", times=1, status=500, body={})
    with pytest.raises(Exception, match="picture"):
        await put(world, menus(default=BASE))
    assert await put(world, menus(default=BASE)) == ((), ("default",), 0)
    assert [is_default for _, _, is_default in await list_menus(line_of(world))] == [True]


async def test_each_stage_sees_its_own_menu_and_changes_it_when_the_stage_does(world: World) -> None:
    phone = await world.friend("c1", "田中")
    other = await world.friend("c2", "鈴木")
    await world.track("c1", "login")
    away = BASE.replace("メニュー", "おかえり") + "stages: [at_risk, lapsed]\n"
    await put(world, menus(default=BASE, away=away))
    await world.settle()
    assert (shown_to(world, phone), shown_to(world, other)) == ("default", "default")
    await world.pass_time(timedelta(days=40))
    assert (shown_to(world, phone), shown_to(world, other)) == ("away", "default")
    await world.track("c1", "login")
    await world.pass_time(timedelta(days=1))
    assert shown_to(world, phone) == "default"
    assert await link_menus(world.deps) == 0


async def test_who_comes_back_after_blocking_is_linked_anew(world: World) -> None:
    phone = await world.friend("c1", "田中")
    await world.track("c1", "login")
    await put(world, menus(default=BASE, fresh=BASE + "stages: [new, onboarding, active]\n"))
    await world.settle()
    assert shown_to(world, phone) == "fresh"
    await world.line.unfollow(phone)
    world.line.person(phone).rich_menu_id = None
    world.clock.turn(timedelta(minutes=1))
    await world.line.follow(phone)
    await world.pass_time(timedelta(days=1))
    assert shown_to(world, phone) == "fresh"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BASE.replace(", do: stop", ", says: 停止"), "no area does stop"),
        (BASE.replace("[1250, 0, 1250, 843]", "[1250, 0, 1251, 843]"), "inside the picture"),
        (BASE.replace("メニュー", "とても長いメニューの名前なのです"), "over 14 characters"),
        (BASE.replace("do: stop", "do: stopp"), "stop"),
        (BASE + "stages: [sleepy]\n", "stage"),
        (BASE + "stages: [lapsed]\n", "everybody's"),
        (BASE.replace("default.png", "../secret.png"), "beside this file"),
        (BASE.replace("do: stop", "do: stop, says: x"), "exactly one"),
    ],
)
def test_a_wrong_menu_is_told_where_and_how(text: str, said: str) -> None:
    with pytest.raises(RuleError, match=said) as refused:
        menus(default=text)
    assert all(each.line >= 1 and each.ja for each in refused.value.problems)


async def test_a_picture_line_would_refuse_is_told_before_anything_is_made(world: World) -> None:
    with pytest.raises(Misconfigured, match="JPEG or PNG"):
        await apply_menus(world.deps, line_of(world), menus(default=BASE), {"default.png": b"GIF89a"})
    assert await list_menus(line_of(world)) == []


def test_a_folder_without_menus_has_the_shipped_one(tmp_path: Path) -> None:
    found, _ = menus_of(tmp_path)
    assert found.default is not None
    assert found.default.name == "default"
