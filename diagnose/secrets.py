"""What secrets look like in a line of text, by their shape or by the name in front, and what only looks like one."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import re2

PLACEHOLDER = "[redacted:"
"""How every placeholder begins. What holds one was redacted before and stays."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that was found, by its place in the text."""

    start: int
    end: int
    kind: str
    value: bytes
    """What makes it the same secret: of one in several pieces, all of them."""
    counts: bool = True
    """False for the further pieces of one secret."""

    def moved(self, by: int) -> Secret:
        """The same, in a text of which this one begins at ``by``."""
        return Secret(self.start + by, self.end + by, self.kind, self.value, self.counts)


@dataclass(frozen=True, slots=True)
class Shape:
    """A secret known by its own shape, or by fixed words around it: group ``secret`` of the expression."""

    kind: str
    expression: str
    ignore_case: bool = False
    judge: Callable[[str], bool] | None = None
    """Says of a value whether it is a secret after all; None where the expression leaves no doubt."""
    cue: str = ""
    """Finds the lines, where the beginning of the expression is not enough for that."""


@dataclass(frozen=True, slots=True)
class Name:
    """The end of a name whose value is a secret: ``AZURE_CLIENT_SECRET`` ends with ``client_secret``."""

    kind: str
    expression: str
    sure: bool = True
    """Any value is a secret. Otherwise only what looks random: ``secret: scoring-keys`` is the name of an object."""


@dataclass(frozen=True, slots=True)
class Form:
    """A way to write a name and its value, as groups ``name`` and ``secret`` of the expression."""

    expression: str
    has: bytes
    """No line without this is written so."""
    prose: bool = False
    """A sentence may be written so, too."""
    variable: bool = False
    """The name is that of an environment variable, in capitals, and the value is all that was captured."""


# --- Is it a secret, or does it only stand where one could? ---

_NOTHING = re.compile(r"[\s,:;.{}\[\]()|>*=-]*|(.)\1*|[\s,].*|[0-9]+ bytes", re.DOTALL)
"""Empty, masked, or the text between one quoted string and the next."""
_TEMPLATE = re.compile(
    r"<[A-Za-z][\w .:/-]*>?"  # <your password>, <set to the key 'a' in secret 'b'>
    r"|\$[{(].*|\{\{.*|\$[A-Z_][A-Z0-9_]*|%\(\w+\)[sr].*|%[a-z]"
    r"|\{(?:[0-9]*|[\w.]{0,60}(?:passw|pwd|secret|token|key)[\w.]{0,60}(?:![rsa])?)\}"
    r"|\*{3,}.*|\[[A-Za-z ]*\]|@Microsoft\.KeyVault\(.*",
    re.DOTALL,
)
_CODE = re.compile(
    r"(?:[A-Za-z_]+|[A-Za-z_]\w*(?:\.\w+)+)[(\[].*"  # token = get_token(), password=os.environ["A"]
    r"|(?:self|cls|os|args|config|settings|cfg|conf|env|options|params|kwargs|request|credentials?|user|parsed|url|auth)"
    r"\.[\w.]+",
    re.DOTALL,
)
_WORD = re.compile(
    "none|null|nil|n/a|true|false|yes|no|on|off|undefined|unset|empty|default|optional|required|missing|invalid|incorrect"
    "|wrong|expired|mismatch|failed|failure|denied|error|unauthorized|rejected|unknown|disabled|enabled|provided|changed"
    "|reset|value|string|str|int|bytes|bool|float|any|text|object|type|hidden|masked|redacted|removed|omitted|filtered"
    "|must|not|is|are|was|were|has|have|cannot|can|could|should|may|might|will|would|the|a|an|or|and|for|from|to|in|of"
    "|with|without|if|when|does|do|did|be|been|at|by|as|this|that|it|its|you|your|please|too|command|prompt|options?|flags?"
    "|argument|instead|using|via|file|password|passwd|pwd|secret|token|key|credentials?",
    re.IGNORECASE,
)
"""What people and programs write behind a name without telling its value."""
_NAME_LENGTH = 250
"""Nothing longer is a path or the name of an object."""
_NUMBER = re.compile(r"[+-]?[0-9.,]+(?:[eE][+-]?[0-9]+)?")
_PATH = re.compile(r"(?:~?/|\.{1,2}/|[A-Za-z]:\\)[\w.@\\-]*(?:/[\w.@-]+)*/?")
_OBJECT_NAME = re.compile(r"[a-z0-9]+(?:[-._/:][a-z0-9]+)+")
_NAME_PART = re.compile(r"(?:^|[-._/:])[a-z]*[g-z][a-z]*(?=[-._/:]|$)")
"""Letters that are no hexadecimal number: what a name has and a UUID has not."""
_LONG_MIX = re.compile(r"(?=.*[a-z])(?=.*[A-Z])[A-Za-z+/=]{20,}")
_CAMEL_CASE = re.compile(r"[a-z]*(?:[A-Z]{1,4}[a-z]{2,})+")
_CONSTANT = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_NO_TOKEN = re.compile(r"AADSTS[0-9]|sha[0-9]+[:-]|[a-z][a-z0-9+.-]*://|[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ORDINARY_NAME = re.compile(
    r"(?:^|[^a-z])(?:eos|bos|pad|unk|mask|sep|cls|special|num|max|min|next|skip|continue|continuation|stop)[_-]?token$"
    r"|(?:pull|tls|image)[_-]?secret$|gpg_key$|token_credentials$|public[_-]?key$",
    re.IGNORECASE,
)
"""Special tokens of language models, cursors of lists, names of Kubernetes objects, fingerprints."""


def is_said(value: str) -> bool:
    """True when ``value`` is something, not an empty word, a mask or a template."""
    if PLACEHOLDER in value:
        return False
    return not (_NOTHING.fullmatch(value) or _WORD.fullmatch(value.strip("()")) or _TEMPLATE.fullmatch(value))


def is_random(value: str, least: int = 16) -> bool:
    """True when ``value`` looks like a generated key and not like a word, a number, a path or the name of an object."""
    if len(value) < least or not value.isascii() or re.search(r"\s", value) or not is_said(value) or _is_name(value):
        return False
    if re.search("[0-9]", value):
        return not value.isdigit() and bool(re.search("[A-Za-z]", value))
    return bool(_LONG_MIX.fullmatch(value)) and not _CAMEL_CASE.fullmatch(value)


def _is_name(value: str) -> bool:
    if len(value) > _NAME_LENGTH:
        return False
    if any(ordinary.fullmatch(value) for ordinary in (_NUMBER, _PATH, _CONSTANT)) or _NO_TOKEN.match(value):
        return True
    return bool(_OBJECT_NAME.fullmatch(value) and _NAME_PART.search(value))


def is_login(value: str) -> bool:
    """True for the base64 of ``user:password``, also when its end is cut off."""
    whole = value.rstrip("=")
    try:
        login = base64.b64decode(whole[: len(whole) // 4 * 4]).decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    return ":" in login and login.isprintable()


def is_secret(label: str, value: str, *, quoted: bool, assigned: bool) -> bool:
    """Judges a value by its name. A ``quoted`` one is no code; neither a quoted nor an ``assigned`` one is prose."""
    name = named(label)
    if name is None or not is_said(value) or _plain(value) == _plain(label.rpartition(".")[2]):
        return False
    variable = label.isupper() and (assigned or quoted or "_" in label)
    if not quoted and not variable and _CODE.fullmatch(value):
        return False
    if label.lower().endswith("pwd") and _PATH.fullmatch(value):
        return False
    if name.sure:
        return True
    if variable:
        return len(value) >= 4 and not _is_name(value) and not re.search(r"\s", value)
    return is_random(value, 8 if quoted or assigned else 12)


def _plain(word: str) -> str:
    return word.lower().lstrip("-$").replace("-", "_")


# --- Shapes ---

START = r"(?:^|[^A-Za-z0-9]|%[0-9A-Fa-f]{2})"
"""Not in the middle of a word, but also behind the escaped ``=`` of a URL."""
_QUOTE = r"""(?:\\*["']|&quot;|&#3[49];|%22)"""
_TO = rf"{_QUOTE}?[ \t]*[:=,][ \t]*b?{_QUOTE}?"
"""From a header's name to its value: in a dump, in JSON, in a dict, in a list of pairs."""
_TEXT = r"""[^\s"'\\,;]+"""
_AUTHORIZATION = r"authorization[\w-]*(?:[\"'\\&%]|[ \t]*[:=,])"
_SCHEMES = r"(?:token|sharedkey(?:lite)?|digest|negotiate|ntlm|apikey|aws4-hmac-sha256)"

SHAPES = (
    Shape("jwt", r"(?P<secret>eyJ[A-Za-z0-9_-]{8,}(?:\.+[A-Za-z0-9_-]+)+)", cue=r"eyJ[A-Za-z0-9_-]{8,}\."),
    # a JWT in base64, as the data of a Kubernetes Secret hold it
    Shape("jwt", START + r"(?P<secret>ZXlK[A-Za-z0-9+/]{40,}={0,2})"),
    Shape("github-token", START + r"(?P<secret>(?:gh[opsur]_|github_pat_)[A-Za-z0-9_]{20,})"),
    Shape("gitlab-token", START + r"(?P<secret>glpat-[A-Za-z0-9_-]{20,})"),
    Shape("aws-key", START + r"(?P<secret>A[KS]IA[A-Z0-9]{16})(?:[^A-Za-z0-9+]|$)", cue="A[KS]IA[A-Z0-9]"),
    Shape("slack-token", START + r"(?P<secret>(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,})"),
    Shape("slack-token", r"hooks\.slack\.com/services/(?P<secret>[A-Za-z0-9/]{20,})"),
    Shape("huggingface-token", START + r"(?P<secret>hf_[A-Za-z0-9]{30,})"),
    # dashes only behind the prefixes in use: sk-model-7d5d7c99cb-zsv4t is a pod
    Shape(
        "openai-key",
        START + r"(?P<secret>sk-(?:(?:proj|svcacct|admin|ant)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{20,}))",
        cue=r"\bsk-[A-Za-z0-9]",
    ),
    Shape("databricks-token", START + r"(?P<secret>dapi[0-9a-f]{28,}(?:-[0-9])?)", cue="dapi[0-9a-f]"),
    Shape("google-key", START + r"(?P<secret>AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,})", cue=r"AIza|ya29\."),
    # newer keys and secrets of Azure carry a mark, so they are known without a name in front
    Shape("client-secret", r"(?P<secret>[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34})", cue="[0-9]Q~"),
    Shape(
        "account-key",
        r"(?P<secret>[A-Za-z0-9+/]{76}\+ASt[A-Za-z0-9+/]{5}[AQgw]==)",
        cue=r"\+ASt[A-Za-z0-9+/]{5}[AQgw]==",
    ),
    Shape("endpoint-key", r"(?P<secret>[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26})", cue="JQQJ99"),
    # 64 bytes as the value of something: the list of a storage account's keys
    Shape("account-key", rf"value{_TO}(?P<secret>[A-Za-z0-9+/]{{86}}==)", ignore_case=True, cue="[a-z0-9+/]{4}=="),
    # ends at & however it is written: %26, too
    Shape(
        "sas-signature",
        r"(?:^|[^A-Za-z]|u0026)sig(?:=|%3D|%253D)"
        r"(?P<secret>(?:[A-Za-z0-9+/=_-]|%(?:[013-9A-F][0-9A-F]|2[0-57-9A-F])){16,})",
        ignore_case=True,
        cue="sig(?:=|%3D|%253D)[^&]",
    ),
    Shape("url-key", r"[?&;6]code=(?P<secret>[A-Za-z0-9_/=%-]{30,})", ignore_case=True),
    # up to the last @ before a slash; a password that has a slash itself must not look like a port
    Shape(
        "url-password",
        r"""[a-z]:(?:\\?/){2}[^\s/:@\[\]"'<>]*:"""
        r"""(?P<secret>[^\s/"'<>;]+|[0-9]*[^\s/@"'<>;0-9][^\s"'<>;]*)@""",
        ignore_case=True,
        judge=is_said,
    ),
    Shape("url-password", r"https?://(?P<secret>[A-Za-z0-9]{30,})@", ignore_case=True, cue="https?://[a-z0-9]+@"),
    Shape(
        "bearer-token",
        rf"authorization[\w-]*{_TO}bearer[ \t]+(?P<secret>{_TEXT})",
        ignore_case=True,
        judge=is_said,
        cue=_AUTHORIZATION,
    ),
    Shape(
        "bearer-token", r"bearer(?:[ \t+]|%20)+(?P<secret>[A-Za-z0-9._~+/=-]{16,})", ignore_case=True, judge=is_random
    ),
    Shape(
        "basic-auth",
        rf"authorization{_TO}basic[ \t]+(?P<secret>{_TEXT})",
        ignore_case=True,
        judge=is_said,
        cue=_AUTHORIZATION,
    ),
    Shape("basic-auth", r"basic[ \t]+(?P<secret>[A-Za-z0-9+/]{8,}={0,2})", ignore_case=True, judge=is_login),
    Shape(
        "authorization",
        rf"authorization{_TO}{_SCHEMES}[ \t]+(?P<secret>{_TEXT})",
        ignore_case=True,
        judge=is_said,
        cue=_AUTHORIZATION,
    ),
    Shape(
        "docker-auth",
        r"""auth\\*["']?[ \t]*[:=][ \t]*\\*["']?(?P<secret>[A-Za-z0-9+/]{8,}={0,2})""",
        ignore_case=True,
        judge=is_login,
    ),
    # base64 of {"auths": or {"username": however it is indented
    Shape(
        "docker-auth",
        r"(?P<secret>(?:eyJ(?:hdXRocyI6|1c2VybmFtZSI6)|ewog(?:ICAgImF1dGhzI|ICJhdXRocyI)|ewoJImF1dGhzI)"
        r"[A-Za-z0-9+/_-]{8,}={0,2})",
    ),
    # base64 of a PEM block that begins with a private key; certificates stay
    Shape(
        "private-key",
        r"(?P<secret>LS0tLS1CRUdJTiB(?:QUklWQVRF|SU0EgUFJJVkFUR|FQyBQUklWQVRF|PUEVOU1NI|FTkNSWVBURUQg|EU0EgUFJJVkFUR)"
        r"[A-Za-z0-9+/]{8,}={0,2})",
    ),
    Shape("cookie", rf"""set-cookie2?{_TO}(?P<secret>[^\s=;:"'\\]+=[^"'\\\r]+)""", ignore_case=True),
    Shape(
        "cookie",
        rf"""(?:^|[^\w-])cookie(?:{_TO}|[ ])(?P<secret>[\w.-]+=[^\s;"'\\]+(?:;[ ]*[\w.-]+=[^\s;"'\\]*)*)""",
        ignore_case=True,
    ),
    Shape("password", r"machine[ ]+\S+[ ]+login[ ]+\S+[ ]+password[ ]+(?P<secret>\S+)"),
    # docker, podman, helm, az acr and az all take the password as -p behind login
    Shape("password", r"""login\b.*?[\s"']-p["',=\s]+(?P<secret>[^\s"',]+)""", judge=is_said),
    Shape("password", r"""sshpass[ ]+-p[ ]*["']?(?P<secret>[^\s"']+)""", judge=is_said),
    Shape("password", r"""curl\b.*?[ ](?:-u|--user)[ =]*["']?[^\s:"']+:(?P<secret>[^\s"']+)""", judge=is_said),
)


# --- Names ---

NAMES = (
    Name("password", r"passw(?:or)?d|passphrase|pwd"),
    Name("password", r"[_-]pass", sure=False),
    Name(
        "client-secret",
        r"client[ _.-]?secret|(?:app|application|consumer|webhook|session)[_-]?secret|principal[_-]?key",
    ),
    Name("client-assertion", r"client_assertion"),
    Name("shared-access-key", r"shared[_-]?access[_-]?key"),
    Name("account-key", r"(?:account|storage)[_-]?(?:access[_-]?)?key"),
    Name("instrumentation-key", r"(?:instrumentation|insights?)[ _-]?key|ikey"),
    Name("private-key", r"client-key-data|private[_-]?key", sure=False),
    Name("docker-auth", r"\.dockerconfigjson|\.dockercfg|docker_auth_config|identitytoken|registrytoken", sure=False),
    Name("aws-key", r"secret[_-]?access[_-]?key"),
    Name("api-key", r"api[_-]?key|subscription[_-]?key|functions?[_-]key|sas[_-]key"),
    Name("endpoint-key", r"(?:primary|secondary|endpoint|scoring)[_-]?key", sure=False),
    Name("access-token", r"(?:access|refresh)[_-]?token"),
    Name("access-token", r"(?:id|auth|sas|session|security|bearer)[_-]?token", sure=False),
    Name("authorization", r"authorization", sure=False),
    Name("token", r"token|(?:ext|devops|ado|github|gh|gitlab)[_-]pat|identity[_-]header", sure=False),
    Name(
        "secret",
        r"secret|(?:secret|signing|encryption|shared|access|auth|service|admin|query|master|host)[_-]?key",
        sure=False,
    ),
    Name("variable", r"(?-i:[A-Z0-9]_(?:KEY|CREDENTIALS?))", sure=False),
)

_ENDS = tuple((name, re.compile(f"(?:{name.expression})[0-9]?$", re.IGNORECASE)) for name in NAMES)
_LABEL_LENGTH = 80


@lru_cache(maxsize=4096)
def _named(label: str) -> Name | None:
    if _ORDINARY_NAME.search(label):
        return None
    return next((name for name, ends in _ENDS if ends.search(label)), None)


def named(label: str) -> Name | None:
    """The first of NAMES with which ``label`` ends; None when its value is no secret."""
    return _named(label[-_LABEL_LENGTH:])


# --- Forms ---

_STEM = (
    r"(?:passw(?:or)?d|passphrase|pwd|[_-]pass|secret|token|key|[_-]pat|client_assertion|authorization"
    r"|identity[_-]header|credentials?|dockerconfigjson|dockercfg|docker_auth_config)[0-9]?"
)
"""How all NAMES end: few words, quickly found."""
_NAME = rf"(?P<name>[\w.$-]*{_STEM}|(?:app(?:lication )?|instrumentation|insights?|client)[ ]{_STEM})"
_VARIABLE = rf"(?P<name>[A-Z0-9_]*{_STEM})"
_QUOTED = (
    r"""\\+"(?:[^"\\]|\\+[^"\\])*|\\+'(?:[^'\\]|\\+[^'\\])*"""  # quoted within a quoted text
    r"""|[bru]?"(?:[^"\\]|\\.)*|[bru]?'(?:[^'\\]|\\.)*"""
    r"""|\{[^{}\s"']+\}[^\s"'&;]*|[0-9]+ bytes"""  # ODBC quotes with braces; kubectl describe tells only the size
)
_VALUE = rf"(?P<secret>{_QUOTED}|[^\s\"'&;]+)"
_ARGUMENT = rf"(?P<secret>{_QUOTED}|[^\s\"'&;-][^\s\"'&;]*)"
"""The same, but never the next option."""
PAIR = Form(
    rf"(?:name|key){_QUOTE}?[ \t]*[:=][ \t]*{_QUOTE}?{_NAME}{_QUOTE}?(?:[\s,]|\\+[nrt])+(?:[0-9T:.-]+Z )?\s*{_QUOTE}?"
    rf"(?:secure)?value{_QUOTE}?[ \t]*[:=][ \t]*{_VALUE}",
    has=b"alue",
)
"""``{"name": "DB_PASSWORD", "value": "..."}``, which YAML and indented JSON write on two lines."""
PAIR_BEGINS = rf"{_STEM}[\"',\\]*[ \t\r]*$"
"""Finds the first of the two."""

FORMS = (
    # NAME=value on a line of its own, or as a string of its own: to the end, whatever the value holds
    Form(rf"^(?:\S+Z[ ])?[ \t]*(?:export[ ]|ENV[ ])?{_VARIABLE}=(?P<secret>[^\s\"']\S*)", b"=", variable=True),
    Form(rf"""["'](?:export[ ]|ENV[ ])?{_VARIABLE}=(?P<secret>[^"'\\]+)["'\\]""", b"=", variable=True),
    # name=value, name: value, "name": "value", 'name' => 'value', name%3Dvalue
    Form(rf"{_NAME}{_QUOTE}?\]?[ \t]*(?:=>|:=|==?|:|%3[AD])[ \t]*(?:&quot;|&#3[49];|%22)?{_VALUE}", b"", prose=True),
    # --name value, '--name', 'value'
    Form(rf"""(?:^|[\s"'(\[])--?{_NAME}(?:["'],?|,)?[ \t]+{_ARGUMENT}""", b"-"),
    PAIR,
    Form(rf"<(?:\w+:)?{_NAME}>(?P<secret>[^<]+)</", b"</"),
    # ('x-api-key', '...')
    Form(rf"""\(b?["']{_NAME}["'],[ ]*(?P<secret>b?"[^"\\]*|b?'[^'\\]*)["']\)""", b"("),
)
FORM_CUE = rf"{_STEM}(?:[\"'\\&%\]>,]|[ \t]*[:=])|--[\w-]*(?:pass|pwd|secret|token|key|pat)[a-z]*[ \t]"
"""Finds the lines that may have one of the forms."""


# --- The engine ---


@cache
def compiled(expression: str, *, ignore_case: bool = False) -> Any:
    """The expression for bytes, on an engine that takes linear time whatever it is."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.case_sensitive = not ignore_case
    return re2.compile(expression.encode(), options)


def group(match: Any, name: str) -> Span:
    """Where a group of a match begins and ends."""
    start, end = match.span(_position(match.re, name))
    return start, end


@cache
def _position(expression: Any, name: str) -> int:
    return int(expression.groupindex[name.encode()])
