"""
Secrets that are made for a test, and the search for them in whatever a command leaves behind.

A secret is looked for as it is and in every form that a log, a dump or an encoder would give it:
the base64 of its PEM in pieces of 16 characters, its DER in hexadecimal and base64, the number
behind a key, JSON and URL escapes, the header of basic authentication.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PIECE = 16
"""Characters of base64 that must not be seen together."""
STEP = 4
"""So far lie the pieces apart that are looked for: whoever sees 19 characters sees one."""
JWT = re.compile(rb"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}")
PEM_MARK = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY")


def forms_of_word(word: str) -> set[str]:
    """Return *word* as it is and as encoders write it."""
    data = word.encode()
    encoded = {base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()}
    return {
        word,
        json.dumps(word)[1:-1],
        repr(word)[1:-1],
        quote(word, safe=""),
        quote_plus(word),
        data.hex(),
        *(text.rstrip("=") for text in encoded),
    }


def forms_of_login(user: str, password: str) -> set[str]:
    """Return the forms of *password*, and of what basic authentication makes of both."""
    login = base64.b64encode(f"{user}:{password}".encode()).decode().rstrip("=")
    return forms_of_word(password) | {login}


def forms_of_key(pem: str) -> set[str]:
    """Return the private key in *pem* in pieces of base64, of hexadecimal and of its numbers."""
    key = load_pem_private_key(pem.encode(), None)
    assert isinstance(key, Key)
    numbers = key.private_numbers()
    if isinstance(numbers, ec.EllipticCurvePrivateNumbers):
        secrets = [numbers.private_value]
        other: Key = ec.generate_private_key(key.curve)
    else:
        secrets = [numbers.d, numbers.p, numbers.q]
        other = _another_rsa_key()
    shared = encodings_of(other)
    decimals = {piece for number in secrets for piece in pieces(str(number))}
    return (encodings_of(key) - shared) | decimals


def encodings_of(key: Key) -> set[str]:
    """Return pieces of all that PEM, base64 and hexadecimal make of *key*."""
    found: set[str] = set()
    for style in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        der = key.private_bytes(Encoding.DER, style, NoEncryption())
        found |= {*pieces(base64.b64encode(der).decode()), *pieces(der.hex())}
    return found


@functools.cache
def _another_rsa_key() -> rsa.RSAPrivateKey:
    """Return a key to compare with: what two keys have in common is no secret."""
    return rsa.generate_private_key(65537, 2048)


def forms_of_token(token: str) -> set[str]:
    """Return a bearer token, and pieces of each of its parts."""
    return {token, *(piece for part in token.split(".") for piece in pieces(part))}


def pieces(text: str, length: int = PIECE, step: int = STEP) -> Iterator[str]:
    """Yield parts of *text*, *length* characters each, *step* apart."""
    for start in range(0, max(len(text) - length, 0) + 1, step):
        if len(part := text[start : start + length]) == length:
            yield part


@dataclasses.dataclass(slots=True)
class Search:
    """Looks for secrets, and counts what it looked at."""

    words: dict[bytes, str] = dataclasses.field(default_factory=dict)
    """What is looked for anywhere, and which secret it is of."""
    pieces: dict[bytes, str] = dataclasses.field(default_factory=dict)
    """The same of :data:`PIECE` characters, in which there is no punctuation."""
    bytes_searched: int = 0
    texts_searched: int = 0
    _clean: dict[Path, tuple[int, int]] = dataclasses.field(default_factory=dict)
    """The files that were found clean: when they changed, and their size."""

    def add(self, name: str, forms: Iterable[str]) -> None:
        """Look for *forms* of the secret *name* from now on."""
        for form in forms:
            data = form.encode()
            is_piece = len(data) == PIECE and _RUN.fullmatch(data)
            (self.pieces if is_piece else self.words)[data] = name
        self._clean.clear()

    def hits(self, text: str | bytes) -> list[str]:
        """Return the names of the secrets in *text*, and of what looks like one."""
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
        self.bytes_searched += len(data)
        self.texts_searched += 1
        found = {name for word, name in self.words.items() if word in data}
        for run in set(_RUN.findall(data)):
            parts = (run[at : at + PIECE] for at in range(len(run) - PIECE + 1))
            found |= {self.pieces[part] for part in parts if part in self.pieces}
        found |= {"a JWT" for _ in JWT.finditer(data)} | {"PEM" for _ in PEM_MARK.finditer(data)}
        return sorted(found)

    def hits_in_files(self, folder: Path, but: Iterable[Path] = ()) -> list[str]:
        """Return the secrets in the files below *folder*, but for those in *but*."""
        return [
            f"{path.relative_to(folder)}: {name}"
            for path in sorted({*folder.rglob("*")} - {*but})
            if path.is_file() and not path.is_symlink()
            for name in self._hits_in_file(path)
        ]

    def _hits_in_file(self, path: Path) -> list[str]:
        status = path.stat()
        state = status.st_mtime_ns, status.st_size
        if self._clean.get(path) == state:
            return []
        found = self.hits(path.read_bytes())
        if not found:
            self._clean[path] = state
        return found


_RUN = re.compile(rb"[A-Za-z0-9+/=_-]{16,}")
