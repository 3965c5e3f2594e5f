"""Lines of text for a terminal: wrapped, indented, safe to show, coloured or not. Costs the import of rich."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.console import Console
from rich.text import Text

from diagnose.render.plain import plain, plain_line

_OF_A_FILE = ('"', "{", "[")
"""With these begins what is put into a file."""
_NARROWEST = 30
_PROSE = 100
"""Columns a sentence may take: longer lines are hard to read."""


class Screen:
    """A page that grows downwards. Everything written on it passes through ``plain`` and is never read as markup."""

    def __init__(self, width: int) -> None:
        self.width = max(width, _NARROWEST)
        self._lines: list[Text] = []
        self._console = _console(self.width, colour=False)

    def blank(self) -> None:
        """An empty line; never two of them, nor one at the top."""
        if self._lines and self._lines[-1].plain:
            self._lines.append(Text())

    def write(self, *parts: tuple[str, str], indent: int = 0, hang: int = 0) -> None:
        """One paragraph of (text, style) pairs, if any; its further lines are indented ``hang`` columns more."""
        text = Text.assemble(*((plain(words).replace("\n", " "), style) for words, style in parts))
        if not text.plain.strip():
            return
        room = min(self.width, _PROSE) - indent - hang
        for number, line in enumerate(self._wrapped(text, room)):
            self._add(line, indent + (hang if number else 0))

    def paragraphs(self, text: str, *, indent: int = 0) -> None:
        """Plain sentences; each line of ``text`` is a paragraph of its own."""
        for line in plain(text).strip().split("\n"):
            self.write((line, ""), indent=indent)

    def command(self, command: str) -> None:
        """A command to copy, or a piece of a template: never wrapped, nothing after it."""
        first, *rest = plain(command).strip("\n").split("\n")
        typed = not first.startswith(_OF_A_FILE)
        self._add(Text(f"$ {first}" if typed else first, "bold"), 2 if typed else 4)
        for line in rest:
            self._add(Text(line, "bold"), 4)

    def address(self, address: str, *, indent: int) -> None:
        """An address to follow: never wrapped."""
        self._add(Text(plain_line(address), "underline"), indent)

    def quote(self, mark: str, text: str, style: str, *, indent: int, most: int | None) -> None:
        """A line of evidence behind ``mark``; of one that fills more than ``most`` lines only its ends are shown."""
        room = max(self.width - indent - len(mark) - 1, _NARROWEST // 2)
        for number, line in enumerate(self._quoted(plain(text).replace("\n", " ").rstrip(), room, most)):
            lead = mark if number == 0 else " " * len(mark)
            self._add(Text.assemble(lead, " ", (line, style)), indent)

    def flow(self, words: Iterable[tuple[str, str]], *, indent: int) -> None:
        """(text, style) pairs side by side, as many to a line as there is room for."""
        room = self.width - indent
        line = Text()
        for word, style in words:
            piece = Text(plain_line(word), style)
            if line.plain and line.cell_len + 2 + piece.cell_len > room:
                self._fold(line, room, indent)
                line = Text()
            line.append("  " if line.plain else "").append_text(piece)
        self._fold(line, room, indent)

    def text(self, *, colour: bool) -> str:
        """The page; with ``colour`` it holds escape sequences of 16 colours, else no control character at all."""
        console = _console(self.width, colour=colour)
        with console.capture() as captured:
            for line in self._lines:
                console.print(line, soft_wrap=True)
        return captured.get().rstrip("\n") + "\n"

    def _fold(self, line: Text, room: int, indent: int) -> None:
        for part in self._wrapped(line, room):
            self._add(part, indent)

    def _quoted(self, text: str, room: int, most: int | None) -> Sequence[str]:
        if most is not None and len(text) > room * most:
            return _ends(text, room, most)
        lines = [line.plain for line in self._wrapped(Text(text), room)]
        return lines if most is None or len(lines) <= most else _ends(text, room, most)

    def _wrapped(self, text: Text, room: int) -> Sequence[Text]:
        return list(text.wrap(self._console, max(room, _NARROWEST // 2), overflow="fold"))

    def _add(self, line: Text, indent: int) -> None:
        whole = Text.assemble(" " * indent, line)
        whole.rstrip()
        self._lines.append(whole)


def _console(width: int, *, colour: bool) -> Console:
    """All is said here, so that neither the terminal nor NO_COLOR, COLUMNS or TERM have a say."""
    return Console(
        file=StringIO(),
        width=width,
        height=1_000,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
    )


def _ends(text: str, room: int, most: int) -> list[str]:
    """``text`` in ``most`` lines: how it begins, and in the last of them how much is left out and how it ends."""
    first = chop_cells(text[: room * most], room)[: most - 1]
    rest = text[sum(len(line) for line in first) :]
    if most == 1:
        return [set_cell_size(rest, room - 3) + "..."]
    note = f"... {len(rest):,} characters left out ... "
    tail = rest[-room:]
    while tail and cell_len(note) + cell_len(tail) > room:
        tail = tail[1:]
    return [*first, note.replace(f"{len(rest):,}", f"{len(rest) - len(tail):,}") + tail]
