"""Small files that unfold to large ones, and values without end: an error, in little memory."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Callable

import pytest

from cli.kit import Project, Result, ios, run_cli

MOST_BYTES = 128 * 2**20
"""What Python may take at its peak while it refuses a bomb."""
HELLO = ("--title", "Hello")


def alias_bomb() -> str:
    """Return a billion laughs: nine levels of nine aliases."""
    lines = ["a0: &a0 lol"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    return "\n".join(lines) + "\n"


BOMBS: dict[str, Callable[[], str]] = {
    "aliases": alias_bomb,
    "aliases-of-maps": lambda: alias_bomb().replace("[*", "{x: [*").replace("]", "]}"),
    "deep-lists": lambda: "[" * 200_000,
    "deep-maps": lambda: '{"a":' * 200_000,
    "deep-blocks": lambda: "\n".join(" " * n + "a:" for n in range(2_000)),
    "a-huge-number": lambda: f"a: {'9' * 1_000_000}\n",
    "a-huge-number-in-json": lambda: '{"a": ' + "9" * 1_000_000 + "}",
    "a-huge-exponent": lambda: "a: 1e999999999\n",
    "a-megabyte-key": lambda: f"? {'k' * 900_000}\n: 1\n",
    "many-keys": lambda: "".join(f"k{n}: 1\n" for n in range(2_000)),
    "many-anchors": lambda: "".join(f"k{n}: &a{n} 1\n" for n in range(2_000)),
    "nul": lambda: "a: \0",
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("kind", ["config", "message", "payload", "profiles"])
def test_documents_that_explode(project: Project, bomb: str, kind: str) -> None:
    """A config, message, payload or profile file is refused with its place, in bounded memory."""
    text = BOMBS[bomb]()
    suffix = "json" if text.startswith(("[", "{")) else "yaml"
    project.write(f"bomb.{suffix}", text)
    arguments = (f"--{kind}", f"bomb.{suffix}")
    who = () if kind == "profiles" else ("--token", ios())

    result = bounded(lambda: project.send(*who, *(() if kind == "payload" else HELLO), *arguments))

    assert 3 == result.exit_code
    assert result.errors
    assert result.errors[0].startswith(f"bomb.{suffix}:")
    assert [] == project.served.pushes


def bounded(work: Callable[[], Result]) -> Result:
    """Return what *work* returns; fail if it took more memory than a refusal may."""
    tracemalloc.start(1)
    try:
        result = work()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_BYTES, f"{peak:,} bytes"
    return result


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000, '{"reason": ' + "9" * 100_000])
def test_answers_that_explode(project: Project, text: str) -> None:
    """An answer of 200,000 brackets is an answer that cannot be read, to send and to explain."""
    from pushctl.simulator import Rule, Say, Script

    say = Say(status=400, body=text.encode())
    project.served.simulator.play(Script(rules=(Rule(pattern="*", service="apns", answer=say),)))

    sent = project.send("--token", ios(), *HELLO)
    explained = run_cli("explain", "-", cwd=project.folder, stdin=text.encode())

    assert 1 == sent.exit_code
    assert explained.exit_code in (1, 3)


LINES: dict[str, bytes] = {
    "deep": b"[" * 60_000,
    "deep-object": b'{"token":' * 7_000,
    "a-huge-number": b'{"token": "ab", "n": ' + b"9" * 60_000 + b"}",
    "not-utf-8": b'{"token": "\xff\xfe"}',
    "nul": b'{"token": "ab\0"}',
    "a-lone-surrogate": b'{"token": "\\ud800"}',
}


@pytest.mark.parametrize("line", LINES)
def test_lines_that_explode(project: Project, line: str) -> None:
    """A line of a list or of a bounce log that cannot be read is told with its number."""
    good = f'{{"token": "{ios(1)}"}}\n'.encode()
    project.write("list.jsonl", good + LINES[line] + b"\n" + good)
    listed = run_cli("tokens", "check", "list.jsonl", cwd=project.folder)
    logged = [
        run_cli("bounces", name, "list.jsonl", cwd=project.folder) for name in ("report", "list")
    ]

    assert listed.exit_code in (1, 3)
    assert "list.jsonl:2" in listed.stdout + listed.stderr
    assert {0} == {each.exit_code for each in logged}


@pytest.mark.parametrize("ending", ["csv", "txt", "jsonl", "tsv"])
def test_a_line_of_a_hundred_megabytes(project: Project, ending: str) -> None:
    """One line without an end is refused after 64 KiB of it, not read into memory."""
    path = project.folder / f"list.{ending}"
    with path.open("wb") as file:
        file.write(b"token,name\n" if ending == "csv" else b"")
        file.truncate(100 * 2**20)  # zeros that take no room on the disk
    result = bounded(lambda: project.send("--tokens", path.name, *HELLO))

    assert 3 == result.exit_code
    assert 1 == len(result.errors)


@pytest.mark.parametrize("packing", ["gz", "zst"])
@pytest.mark.parametrize("ending", ["csv", "txt", "jsonl"])
def test_packed_bombs(project: Project, packing: str, ending: str) -> None:
    """A list that unfolds to more than fifty times its size is refused, from a file and a pipe."""
    name = f"list.{ending}.{packing}"
    head = b"token\n" if ending == "csv" else b""
    project.write(name, packed(head + (b"0" * 999 + b"\n") * 8_000, packing))

    from_file = bounded(lambda: project.send("--tokens", name, *HELLO))
    data = (project.folder / name).read_bytes()
    options = ("--tokens", "-", "--format", f"{ending}.{packing}")
    from_pipe = bounded(lambda: project.send(*options, *HELLO, stdin=data))

    for result in (from_file, from_pipe):
        assert 3 == result.exit_code
        assert "unfolds to more than 50 times its size" in result.errors[0]


def packed(data: bytes, packing: str) -> bytes:
    """Return *data* packed."""
    if packing == "gz":
        return gzip.compress(data, 1)
    zstd = pytest.importorskip("backports.zstd")
    found: bytes = zstd.compress(data)
    return found


@pytest.mark.parametrize("command", ["report", "list", "tokens"])
def test_a_packed_bomb_for_a_bounce_log(project: Project, command: str) -> None:
    """A bounce log may unfold far, for its lines are alike: it is read as it streams by."""
    project.write("bounces.jsonl.gz", packed((b"{}" + b" " * 997 + b"\n") * 8_000, "gz"))

    result = bounded(lambda: run_cli("bounces", command, "bounces.jsonl.gz", cwd=project.folder))

    assert 0 == result.exit_code


def test_a_profile_of_many_tokens(project: Project) -> None:
    """A profile may hold thousands of tokens; each of them is judged, none is lost."""
    tokens = [{"platform": "ios", "token": ios(number)} for number in range(3_000)]
    profile = {"id": "anna", "consent": True, "tokens": tokens}
    project.write("profiles.json", json.dumps({"profiles": [profile]}))

    result = run_cli("tokens", "check", "profiles.json", "-o", "json", cwd=project.folder)

    assert (0, 3_000) == (result.exit_code, result.document["rows"])
