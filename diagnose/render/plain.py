"""Text from outside made safe to show: no escape sequence, no control character, nothing that reorders it."""

from __future__ import annotations

import re

_LINE_ENDS = re.compile("\r\n|[\u2028\u2029\x85]")

# Payloads stop at the next control character: an unterminated sequence must not swallow the text that follows it, and
# a long run of introducers must not cost quadratic time.
_ESCAPES = re.compile(
    r"""
      (?:\x1b\[ | \x9b) [0-?]* [\ -/]* [@-~]                                                # CSI: colours, cursor
    | (?:\x1b[\]PX^_] | [\x90\x98\x9d-\x9f]) [^\x00-\x1f\x7f-\x9f]* (?:\x07 | \x1b\\ | \x9c)  # OSC, DCS, SOS, PM, APC
    | \x1b [\ -/]* [0-~]                                                                    # all others
    """,
    re.VERBOSE,
)

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


def plain(text: str) -> str:
    """``text`` as a person may see it: newlines stay, tabs become spaces, lone surrogates U+FFFD; the rest goes."""
    lines = _ESCAPES.sub("", _LINE_ENDS.sub("\n", text))
    visible = _CONTROLS.sub("", lines.replace("\r", " ").expandtabs(4))
    return _SURROGATES.sub("\ufffd", visible)


def plain_line(text: str) -> str:
    """Likewise, in one line: newlines become spaces."""
    return plain(text).replace("\n", " ").strip()
