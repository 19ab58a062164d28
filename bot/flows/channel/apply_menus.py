"""How do a folder's rich menus come to hang below the chat, each once, and the old ones go?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Misconfigured, Unavailable
from bot.line.client import LineClient
from bot.line.limits import validate_rich_menu
from bot.line.menus import Json, is_ours, menu_object
from db.people.menus import MenusInForce, keep_menus
from followups.rules.yaml.menus import MenuSet

log = structlog.get_logger()

PICTURE_MOST = 1024 * 1024
"""Bytes of a rich menu's picture, JPEG or PNG (Requirements for rich menu image)."""
_MENU, _EVERYBODY = "/v2/bot/richmenu", "/v2/bot/user/all/richmenu"
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What was done, by the menus' names."""

    made: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    removed: int = 0


async def apply_menus(deps: Deps, line: LineClient, menus: MenuSet, pictures: Mapping[str, bytes]) -> Applied:
    """Make what LINE does not have yet, show it, then remove our older ones. Again: nothing changes.

    A kill anywhere leaves the old menus in place, or two of them; the next time puts that right. Menus that
    others made are left alone. Who is shown a stage's menu is linked afterwards (`link_menus`).

    Args:
        pictures: by file name, as the menus name them.

    Raises:
        Misconfigured: a picture or a menu that LINE would not take.
        Unavailable: LINE did not answer.
    """
    default = menus.default
    if default is None:
        raise Misconfigured("no rich menu is everybody's (全員向けのメニューがありません)")
    objects = {name: _checked(menus, name, pictures) for name in menus.by_name}
    there = {str(each.get("name")): str(each.get("richMenuId")) for each in await _listed(line)}
    made, kept, ids = list[str](), list[str](), dict[str, str]()
    for name, shown in objects.items():
        known = there.get(shown["name"])
        (kept if known is not None else made).append(name)
        ids[name] = known or await _make(line, name, shown)
        await _paint(line, name, ids[name], pictures[menus.by_name[name].image])
    await _show_everybody(line, ids[default.name])

    async def write(session: AsyncSession) -> None:
        in_force = MenusInForce(
            default=ids[default.name],
            by_stage={stage: ids[menu.name] for stage, menu in menus.for_stage.items()},
            is_pending=True,
        )
        await keep_menus(session, in_force, now=deps.clock.now())

    await deps.db.run(write)
    removed = 0
    for each in await _listed(line):
        if is_ours(each.get("name")) and each.get("richMenuId") not in ids.values():
            told = await line.ask(f"{_MENU}/{quote(str(each['richMenuId']), safe='')}", method="DELETE")
            removed += told.status == 200
    log.info("rich_menus.applied", made=len(made), kept=len(kept), removed=removed)
    return Applied(made=tuple(made), kept=tuple(kept), removed=removed)


async def list_menus(line: LineClient) -> list[tuple[str, str, bool]]:
    """(id, name, whether everybody sees it) of every menu made by API.

    Raises:
        Unavailable: LINE did not answer.
    """
    shown = (await line.ask(_EVERYBODY)).body.get("richMenuId")
    return [
        (str(each.get("richMenuId")), str(each.get("name")), each.get("richMenuId") == shown)
        for each in await _listed(line)
    ]


def _checked(menus: MenuSet, name: str, pictures: Mapping[str, bytes]) -> Json:
    menu = menus.by_name[name]
    picture = pictures.get(menu.image)
    if picture is None:
        raise Misconfigured(
            f"rich-menus/{menu.image} is missing (画像がありません: put it beside {name}.yaml)"
        )
    if not picture.startswith((_PNG, _JPEG)) or len(picture) > PICTURE_MOST:
        raise Misconfigured(
            f"rich-menus/{menu.image} is no JPEG or PNG of at most 1 MB (1MB までの JPEG か PNG に)"
        )
    shown = menu_object(menu, picture)
    if problems := validate_rich_menu(shown):
        said = "; ".join(f"{each.property}: {each.message}" for each in problems[:5])
        raise Misconfigured(f"rich-menus/{name}.yaml: LINE would refuse it: {said}")
    return shown


async def _listed(line: LineClient) -> list[Json]:
    told = await line.ask(f"{_MENU}/list")
    if told.status != 200:
        raise Unavailable(f"LINE rich menus: {told.status}")
    found = told.body.get("richmenus")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


async def _make(line: LineClient, name: str, shown: Json) -> str:
    told = await line.ask(_MENU, method="POST", body=shown)
    rich_menu_id = told.body.get("richMenuId")
    if told.status == 400:
        raise Misconfigured(f"rich-menus/{name}.yaml: LINE refuses it: {told.body.get('message')}")
    if told.status != 200 or not isinstance(rich_menu_id, str):
        raise Unavailable(f"LINE rich menu: {told.status}")
    return rich_menu_id


async def _paint(line: LineClient, name: str, rich_menu_id: str, picture: bytes) -> None:
    """400 is LINE's answer for one that has its picture: it never takes another."""
    content_type = "image/png" if picture.startswith(_PNG) else "image/jpeg"
    status = await line.put_picture(rich_menu_id, picture, content_type=content_type)
    if status not in {200, 400}:
        raise Unavailable(f"LINE rich menu picture of {name}: {status}")


async def _show_everybody(line: LineClient, rich_menu_id: str) -> None:
    shown = await line.ask(_EVERYBODY)
    if shown.body.get("richMenuId") == rich_menu_id:
        return
    told = await line.ask(f"{_EVERYBODY}/{quote(rich_menu_id, safe='')}", method="POST")
    if told.status == 400:
        raise Misconfigured(f"LINE does not show the rich menu: {told.body.get('message')}")
    if told.status != 200:
        raise Unavailable(f"LINE rich menu: {told.status}")
