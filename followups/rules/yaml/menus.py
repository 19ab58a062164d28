"""What does a rich menu hold, as its file says, and who sees it?

`rich-menus/<name>.yaml`: a picture beside it, the areas people tap, and the stages of the life cycle for
which it is shown. The one without stages is everybody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from followups.rules.yaml import fields as read
from followups.rules.yaml.fields import Fields
from followups.rules.yaml.messages import url_of
from followups.rules.yaml.problems import Problem, Problems, RuleError
from followups.rules.yaml.tree import Node, read_tree
from followups.standing.segments import STAGES
from followups.words.lint import grapheme_length

MAX_AREAS = 20
MAX_BAR = 14
"""Grapheme clusters of the bar below the chat (Rich menu object); 20 of an area's label."""
MAX_LABEL = 20
MAX_SAYS = 300
STOP, PERSON, SETTINGS = "stop", "person", "settings"
DOES = (STOP, PERSON, SETTINGS)
NEEDED = (STOP, PERSON)
"""What every menu of ours offers, whatever else it does: the way out, and the way to a person."""
_KEYS = ("chat_bar", "image", "size", "areas", "stages", "open")
_WIDTH, _HEIGHT = 2500, 843
_RATIO = 1.45


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """One place to tap: x, y, width, height in pixels, and exactly one of the others."""

    bounds: tuple[int, int, int, int]
    label: str
    does: str | None = None
    script: str | None = None
    says: str | None = None
    opens: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """One rich menu. `image` is a file's name; no `stages`: everybody's. `is_open`: from the start."""

    name: str
    chat_bar: str
    image: str
    areas: tuple[Area, ...]
    width: int = _WIDTH
    height: int = _HEIGHT
    stages: tuple[str, ...] = ()
    is_open: bool = True


@dataclass(slots=True)
class MenuSet:
    """All menus by name; `for_stage` where one is shown instead of the `default`."""

    by_name: dict[str, Menu] = field(default_factory=dict)

    @property
    def default(self) -> Menu | None:
        """Everybody's."""
        return next((menu for menu in self.by_name.values() if not menu.stages), None)

    @property
    def for_stage(self) -> dict[str, Menu]:
        """By stage."""
        return {stage: menu for menu in self.by_name.values() for stage in menu.stages}


def read_menus(files: Mapping[str, str]) -> MenuSet:
    """Read menu files (text by path).

    Raises:
        RuleError: with everything that is wrong in any of them.
    """
    found, problems = MenuSet(), list[Problem]()
    for path in sorted(files):
        name = path.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".yaml")
        noted = Problems(path)
        try:
            menu = _menu(read_tree(files[path], path=path), noted, name)
            noted.stop()
        except RuleError as error:
            problems += error.problems
            continue
        if menu is not None:
            problems += _clashes(menu, found, path)
            found.by_name[name] = menu
    if not problems and found.by_name and found.default is None:
        first = min(files)
        ja = "全員向けのメニューがありません（stages のないファイルを一つ置いてください）"
        problems.append(Problem(first, 1, 1, ja, "no menu is everybody's (one file without stages)"))
    if problems:
        raise RuleError(problems)
    return found


def _clashes(menu: Menu, others: MenuSet, path: str) -> list[Problem]:
    if not menu.stages and others.default is not None:
        of = others.default.name
        ja = f"{of}.yaml も全員向けです（stages を書いてください）"
        return [Problem(path, 1, 1, ja, f"{of}.yaml is everybody's too (give one of them stages)")]
    return [
        Problem(
            path,
            1,
            1,
            f"stages「{stage}」は {others.for_stage[stage].name}.yaml にもあります（片方にしてください）",
            f"the stage “{stage}” is in {others.for_stage[stage].name}.yaml too (keep one)",
        )
        for stage in menu.stages
        if stage in others.for_stage
    ]


def _menu(node: Node, problems: Problems, name: str) -> Menu | None:
    found = read.mapping(node, problems)
    if found is None:
        return None
    keys = Fields(found, problems, _KEYS)
    bar, image = keys.need("chat_bar", _label(MAX_BAR)), keys.need("image", read.text)
    size = keys.get("size", _size) or (_WIDTH, _HEIGHT)
    stages = keys.get("stages", _stages) or ()
    is_open = keys.get("open", read.truth)
    areas = keys.need("areas", lambda inner, noted: _areas(inner, noted, size))
    if bar is None or image is None or areas is None:
        return None
    if "/" in image or "\\" in image:
        ja = "画像はこのファイルの隣に置いてください（ファイル名だけを書きます）"
        problems.add(found.values["image"], ja, "the picture lies beside this file (write its name alone)")
    offered = {area.does for area in areas}
    for needed in NEEDED:
        if needed not in offered:
            ja = f"do: {needed} の場所がありません（停止と相談はいつでも押せるようにしてください）"
            en = f"no area does {needed} (stopping and reaching a person are always offered)"
            problems.add(keys.key("areas"), ja, en)
    return Menu(
        name=name,
        chat_bar=bar,
        image=image,
        areas=areas,
        width=size[0],
        height=size[1],
        stages=stages,
        is_open=True if is_open is None else is_open,
    )


def _label(most: int) -> read.Reader[str]:
    def read_label(node: Node, problems: Problems) -> str | None:
        found = read.text(node, problems)
        if found is None or (grapheme_length(found) <= most and "\n" not in found):
            return found
        problems.add(
            node,
            f"「{found[:40]}」が{most}字を超えています（短くしてください）",
            f"“{found[:40]}” is over {most} characters (make it shorter)",
        )
        return None

    return read_label


def _size(node: Node, problems: Problems) -> tuple[int, int] | None:
    found = read.mapping(node, problems)
    if found is None:
        return None
    keys = Fields(found, problems, ("width", "height"))
    width, height = keys.need("width", read.whole(800, 2500)), keys.need("height", read.whole(250, 1724))
    if width is None or height is None:
        return None
    if width / height < _RATIO:
        ja, en = (
            "横長ではありません（幅は高さの1.45倍以上）",
            "too tall (at least 1.45 times as wide as high)",
        )
        problems.add(node, ja, en)
        return None
    return width, height


def _stages(node: Node, problems: Problems) -> tuple[str, ...] | None:
    stage = read.one_of(STAGES, ja="段階", en="stage")
    found = [stage(each, problems) for each in read.items(node, problems) or ()]
    return tuple(dict.fromkeys(each for each in found if each is not None)) or None


def _areas(node: Node, problems: Problems, size: tuple[int, int]) -> tuple[Area, ...] | None:
    nodes = read.items(node, problems)
    if nodes is None:
        return None
    if len(nodes) > MAX_AREAS:
        problems.add(nodes[MAX_AREAS], f"場所は{MAX_AREAS}個までです", f"more than {MAX_AREAS} areas")
    found = [_area(each, problems, size) for each in nodes]
    return tuple(each for each in found if each is not None) or None


def _area(node: Node, problems: Problems, size: tuple[int, int]) -> Area | None:
    found = read.mapping(node, problems)
    if found is None:
        return None
    keys = Fields(found, problems, ("at", "label", "do", "script", "says", "opens"))
    bounds = keys.need("at", lambda inner, noted: _bounds(inner, noted, size))
    label = keys.need("label", _label(MAX_LABEL))
    does = keys.get("do", read.one_of(DOES, ja="動作", en="deed"))
    script, says = keys.get("script", read.name), keys.get("says", _label(MAX_SAYS))
    opens = keys.get("opens", url_of(()))
    if sum(keys.has(key) for key in ("do", "script", "says", "opens")) != 1:
        ja = "do、script、says、opens のどれか一つを書いてください"
        problems.add(node, ja, "one of do, script, says and opens (write exactly one)")
        return None
    if bounds is None or label is None:
        return None
    return Area(bounds=bounds, label=label, does=does, script=script, says=says, opens=opens)


def _bounds(node: Node, problems: Problems, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    nodes = read.items(node, problems)
    if nodes is None:
        return None
    numbers = [read.whole(0, 2500)(each, problems) for each in nodes]
    known = [each for each in numbers if each is not None]
    if len(known) != len(numbers):
        return None
    if len(known) == 4:
        x, y, width, height = known
        if width > 0 and height > 0 and x + width <= size[0] and y + height <= size[1]:
            return x, y, width, height
    ja = f"[x, y, 幅, 高さ] を画像（{size[0]}×{size[1]}）の中で書いてください"
    problems.add(node, ja, f"[x, y, width, height] inside the picture ({size[0]} by {size[1]})")
    return None
