"""Where do rich menus and their pictures come from: a rule folder's `rich-menus/`, else the shipped one?"""

from __future__ import annotations

from pathlib import Path

import prompts
from bot.errors import Misconfigured
from followups.rules.yaml.menus import MenuSet, read_menus

FOLDER = "rich-menus"
SHIPPED = Path(prompts.__file__).parent / FOLDER
_MOST_BYTES = 2_000_000


def menus_of(folder: Path | None) -> tuple[MenuSet, dict[str, bytes]]:
    """The menus, and their pictures by file name; a folder without any has the shipped one.

    Raises:
        RuleError: a menu file is wrong.
        Misconfigured: a file cannot be read.
    """
    own = folder / FOLDER if folder is not None else SHIPPED
    if folder is not None and not folder.is_dir():
        raise Misconfigured(
            f"{folder} is no folder (フォルダがありません: name one that holds {FOLDER}/*.yaml)"
        )
    chosen = own if any(own.glob("*.yaml")) else SHIPPED
    try:
        menus = read_menus({str(path): path.read_text("utf-8-sig") for path in sorted(chosen.glob("*.yaml"))})
        wanted = {menu.image for menu in menus.by_name.values()}
        pictures = {
            path.name: path.read_bytes()
            for path in sorted(chosen.iterdir())
            if path.name in wanted and path.stat().st_size <= _MOST_BYTES
        }
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{chosen}: cannot be read (読めません): {error}") from None
    return menus, pictures
