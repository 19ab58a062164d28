"""How was the picture of the shipped rich menu drawn? `python -m sandbox.menu_picture FONT.ttc OUT.png`."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SIZE = (2500, 843)
COLOURS = 16
"""A palette of few colours keeps the file small; LINE takes 1 MB."""
AREAS = (
    (0, 1250, "相談する", "担当者につながります", "#06612f", "#ffffff"),
    (1250, 1875, "配信設定", "回数・時間帯・話題", "#eef5f0", "#143d26"),
    (1875, 2500, "お知らせを停止", "いつでも止められます", "#f6f6f4", "#4a4a46"),
)


def draw(font: Path, out: Path) -> None:
    """Draw it with a Japanese font."""
    picture = Image.new("RGB", SIZE, "#ffffff")
    pen = ImageDraw.Draw(picture)
    for left, right, words, below, ground, ink in AREAS:
        is_wide = right - left > 1000
        pen.rectangle((left, 0, right - 6, SIZE[1]), fill=ground)
        middle = (left + right - 6) / 2
        big, small = (
            ImageFont.truetype(font, 150 if is_wide else 80),
            ImageFont.truetype(font, 62 if is_wide else 46),
        )
        pen.text((middle, 360), words, font=big, fill=ink, anchor="mm")
        pen.text((middle, 520), below, font=small, fill=ink, anchor="mm")
    picture.quantize(COLOURS).save(out, optimize=True)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
