"""
The small faults that :mod:`mutants` plants: all there are in a module, each as a whole source.

The changes are mutmut's (its operators on the syntax tree), with a few of our own.  mutmut's own
runner chooses the mutant while the program runs, and so leaves out every decorated function and
what stands at the top of a module.  Here the tables, the patterns and the cached look-ups matter
most, so each mutant is a module of its own.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

_WORDED = frozenset({"InvalidInput", "StorageError", "UsageError"})
"""What takes sentences for people: their words are free, whether they are given is not."""
_DECLARED = frozenset({"__all__", "__slots__"})
_NEVER_NONE = frozenset({"isinstance", "len", "range"})
"""Calls that fail with None for an argument, whatever the tests do."""
_REGEX_STEPS = (
    (re.compile(r"(?<!\\)\{(\d+),(\d+)\}"), lambda m: f"{{{int(m[1]) + 1},{m[2]}}}"),
    (re.compile(r"(?<!\\)\{(\d+),(\d+)\}"), lambda m: f"{{{m[1]},{int(m[2]) + 1}}}"),
    (re.compile(r"(?<!\\)\{(\d+)\}"), lambda m: f"{{{int(m[1]) + 1}}}"),
    (re.compile(r"(?<=[\])\w.])\*(?!\+)"), lambda m: "+"),
    (re.compile(r"(?<=[\])\w.])\+"), lambda m: "*"),
    (re.compile(r"(?<=[\])\w.])\?"), lambda m: ""),
)


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A module with one change."""

    first: int
    """The first line of the statement that was changed."""
    last: int
    """Its last line; of a compound one the last line of its head."""
    place: str
    """The function it is in, with its class; at the top of the module the name that is bound."""
    was: str
    now: str
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """Yield every mutant of *source* once, from top to bottom."""
    wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    finder = _Finder()
    wrapper.visit(finder)
    text = _Text(source, wrapper.module)
    seen = {source}
    for found in finder.found:
        mutated = text.with_change(found)
        if mutated in seen or not _parses(mutated):
            continue
        seen.add(mutated)
        was, now = text.difference(mutated)
        if now != was.replace("False", "None"):  # as false as before
            yield Mutant(found.first, found.last, found.place, was, now, mutated)


@dataclasses.dataclass(frozen=True)
class _Found:
    node: cst.CSTNode
    changed: cst.CSTNode
    span: CodeRange | None
    first: int
    last: int
    place: str


class _Text:
    """The text of a module; changing it in place is a hundred times faster than in the tree."""

    def __init__(self, source: str, module: cst.Module) -> None:
        self._source = source
        self._module = module
        self._lines = source.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def with_change(self, found: _Found) -> str:
        if found.span is None or isinstance(found.node, cst.Match):
            return self._module.deep_replace(found.node, found.changed).code  # type: ignore[arg-type]
        start, end = (
            self._starts[place.line - 1] + place.column
            for place in (found.span.start, found.span.end)
        )
        return self._source[:start] + self._module.code_for_node(found.changed) + self._source[end:]

    def difference(self, mutated: str) -> tuple[str, str]:
        """Return the lines that differ, as they were and as they are now, each on one line."""
        old, new = self._lines, mutated.splitlines(keepends=True)
        shorter = min(len(old), len(new))
        head = next((at for at in range(shorter) if old[at] != new[at]), shorter)
        tail = 0
        while tail < shorter - head and old[-1 - tail] == new[-1 - tail]:
            tail += 1
        was, now = old[head : len(old) - tail], new[head : len(new) - tail]
        return " ".join(map(str.strip, was)), " ".join(map(str.strip, now))


class _Finder(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[_Found] = []
        self._place: list[str] = []
        self._statements: list[cst.CSTNode] = []
        self._wording = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        if _is_skipped(node):
            return False
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._place.append(node.name.value)
        if isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            self._statements.append(node)
        if _is_worded(node):
            self._wording += 1
        if not (self._wording and isinstance(node, cst.BaseString)):
            for part, changed in _changes(node):
                first, last = self._lines(part)
                place = ".".join(self._place) or _bound(self._statements)
                span = self.get_metadata(PositionProvider, part, None)
                self.found.append(_Found(part, changed, span, first, last, place))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if _is_skipped(original_node):
            return
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self._place.pop()
        if self._statements and self._statements[-1] is original_node:
            self._statements.pop()
        if _is_worded(original_node):
            self._wording -= 1

    def _lines(self, node: cst.CSTNode) -> tuple[int, int]:
        statement = self._statements[-1] if self._statements else node
        own = self.get_metadata(PositionProvider, node, None)
        whole = self.get_metadata(PositionProvider, statement)
        if isinstance(statement, cst.SimpleStatementLine) or own is None:
            return whole.start.line, whole.end.line
        return own.start.line, own.start.line if node is statement else own.end.line


def _bound(statements: list[cst.CSTNode]) -> str:
    match statements:
        case [cst.SimpleStatementLine(body=[cst.Assign(targets=[cst.AssignTarget(target=bound)])])]:
            pass
        case [cst.SimpleStatementLine(body=[cst.AnnAssign(target=bound)])]:
            pass
        case _:
            return ""
    return bound.value if isinstance(bound, cst.Name) else ""


def _is_skipped(node: cst.CSTNode) -> bool:
    """Leave out what is no behaviour: annotations, documentation, declarations, the impossible."""
    match node:
        case cst.Annotation() | cst.Decorator() | cst.Import() | cst.ImportFrom():
            return True
        case cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString()):
            return True
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))]) if (
            name in _DECLARED
        ):
            return True
        case cst.AnnAssign(annotation=cst.Annotation(annotation=cst.Name(value="TypeAlias"))):
            return True
        case cst.Assign(value=cst.Subscript(value=cst.Name(value="Literal"))):
            return True
        case cst.Raise(exc=cst.Call(func=cst.Name(value="AssertionError"))):
            return True
    return False


def _is_worded(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Raise) or (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Name)
        and node.func.value in _WORDED
    )


def _changes(node: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
    """Yield what can be changed in *node*, with what it becomes."""
    for kind, operator in mutation_operators:
        if not isinstance(node, kind):
            continue
        changed = list(operator(node))
        if isinstance(node, cst.SimpleString) and "r" not in node.prefix:
            changed = changed[:1]  # the letters' case adds nothing to another word
        if isinstance(node, cst.Call):
            if _name(node) in _NEVER_NONE:
                continue
            changed = [each for each in changed if not _lacks_keyword(node, each)]
        yield from ((node, each) for each in changed)
    match node:
        case cst.If(test=test) | cst.While(test=test) | cst.CompIf(test=test):
            yield test, _negated(test)
        case cst.Return(value=cst.BaseExpression() as value) if not _is_none(value):
            yield value, cst.Name("None")
        case cst.Expr(value=cst.Call()):
            yield node, cst.Pass()
        case cst.SimpleString() if "r" in node.prefix:
            yield from ((node, each) for each in _patterns(node))


def _patterns(node: cst.SimpleString) -> Iterator[cst.SimpleString]:
    for step, become in _REGEX_STEPS:
        for match in step.finditer(node.value):
            value = node.value[: match.start()] + become(match) + node.value[match.end() :]
            yield node.with_changes(value=value)


def _lacks_keyword(call: cst.Call, changed: cst.CSTNode) -> bool:
    """Whether an argument with a name was left out: that it is None is tried already."""
    kept = changed.args if isinstance(changed, cst.Call) else call.args
    return len(kept) < len(call.args) and any(it.keyword and it not in kept for it in call.args)


def _name(call: cst.Call) -> str:
    return call.func.value if isinstance(call.func, cst.Name) else ""


def _is_none(node: cst.BaseExpression | None) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"


def _negated(test: cst.BaseExpression) -> cst.BaseExpression:
    inner = test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return cst.UnaryOperation(operator=cst.Not(), expression=inner)


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    return True
