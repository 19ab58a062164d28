"""How does a story stand in a terminal: numbered steps, with boxed words from phones and Slack?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape

WIDEST = 100
_LABEL = 10
_PIECES = re.compile(r"[\x21-\x7e]+|\s|.")
_NEVER_FIRST = frozenset("、。，．,.)）」』】〉》!！?？:：;；ー・…々ぁぃぅぇぉっゃゅょァィゥェォッャュョ")


def folded(text: str, width: int) -> Iterator[str]:
    """The text in rows of at most `width` cells: Latin words whole, no row that begins with punctuation.

    Punctuation that would begin a row hangs over the margin, by two cells at most.
    """
    row, taken = "", 0
    for piece in _pieces(text, width):
        cells = cell_len(piece)
        hangs = piece in _NEVER_FIRST and taken + cells <= width + 2
        if taken + cells > width and not hangs:
            yield row.rstrip()
            row, taken = "", 0
            if piece.isspace():
                continue
        row += piece
        taken += cells
    yield row.rstrip()


def _pieces(text: str, width: int) -> Iterator[str]:
    for piece in _PIECES.findall(text):
        yield from (piece[at : at + width] for at in range(0, len(piece), width))


class Telling:
    """Prints a story's steps, wrapped by us so that boxes keep their left bar."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._step = 0
        self._width = min(console.width, WIDEST) - 2

    def line(self, text: str) -> None:
        """One line of markup, on its own."""
        self._console.print(text, soft_wrap=True)

    def step(self, ja: str, en: str, *, at: str) -> None:
        """A numbered step: what happens, in both languages, and what the clock shows."""
        self._step += 1
        self.line("")
        for number, row in enumerate(folded(f"{at}  {ja}", self._width - 4)):
            label = f"[bold cyan]{self._step:>2}.[/bold cyan]" if number == 0 else "   "
            self.line(f"{label} [bold]{escape(row)}[/bold]")
        for row in folded(en, self._width - 4):
            self.line(f"    [dim]{escape(row)}[/dim]")

    def box(self, title: str, rows: Sequence[str], colour: str) -> None:
        """Words from somewhere, behind a bar with the place's name; indented rows stay indented."""
        is_first = True
        for row in rows:
            words = row.lstrip(" ")
            indent = " " * (len(row) - len(words))
            for part in folded(words, self._width - _LABEL - len(indent)):
                label = title if is_first else ""
                is_first = False
                self.line(f" [{colour}]{label:>6} │[/{colour}] {indent}{escape(part)}".rstrip())
