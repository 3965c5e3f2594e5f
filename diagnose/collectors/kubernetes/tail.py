"""The end of a text that arrives in pieces, holding little more than that."""

from __future__ import annotations

import threading


class Tail:
    """The last bytes of a text, and how many bytes and lines came before them. Safe to read while it is fed."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept = bytearray()
        self._dropped = 0
        self._dropped_lines = 0

    def feed(self, piece: bytes) -> None:
        """Take the next piece."""
        with self._lock:
            self._kept += piece
            if len(self._kept) > 1.5 * self._most:
                self._shorten()

    def end(self) -> tuple[bytes, int, int]:
        """The end, and the bytes and the lines before it."""
        with self._lock:
            if len(self._kept) > self._most:
                self._shorten()
            return bytes(self._kept), self._dropped, self._dropped_lines

    def _shorten(self) -> None:
        """To what is allowed at most, beginning at the start of a line where there is one."""
        least = len(self._kept) - self._most
        newline = self._kept.find(b"\n", least - 1)
        cut = newline + 1 if 0 <= newline < len(self._kept) - 1 else least
        self._dropped_lines += self._kept.count(b"\n", 0, cut)
        self._dropped += cut
        del self._kept[:cut]
