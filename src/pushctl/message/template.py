"""
Texts with placeholders: ``Hi {{ first_name | default("you") }}``.

The language is a small part of Jinja2, parsed by it and run in its sandbox: look-ups, filters
and tests that cannot fail to end, ``if``.  No calls, no loops, no products of texts: the work
and the length of what comes out grow only with the template and the attributes.

An attribute that is missing, null or blank fills no placeholder; only ``default`` and
``is defined`` may speak of it.  Jinja2 is imported by this module, so import this module only
for a text that has a placeholder.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinja2 import StrictUndefined, Undefined, nodes
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.exceptions import TemplateSyntaxError
from jinja2.filters import do_truncate
from jinja2.sandbox import SandboxedEnvironment
from jinja2.visitor import NodeTransformer

from pushctl.message.content import MissingAttribute, PayloadTooLarge, UnusableAttribute
from pushctl.outcome import JsonValue

Attributes = Mapping[str, JsonValue]

MAX_TEMPLATE_CHARACTERS = 65_536
MAX_JOINED_CHARACTERS = 65_536
MAX_DEPTH = 50
"""How deep a template may nest: Jinja2 and Python compile it by recursion."""
_NO_COMMENT = "\x00comment"  # A text may well hold "{#"; it is no comment here.

_ALLOWED_NODES: tuple[type[nodes.Node], ...] = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.CondExpr),
    *(nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.Filter, nodes.Test),
    *(nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Concat),
    *(nodes.Add, nodes.Sub, nodes.Neg, nodes.Keyword, nodes.List, nodes.Tuple),
)
_ALLOWED_TESTS = frozenset(
    {
        *("defined", "undefined", "string", "number", "even", "odd"),
        *("==", "eq", "!=", "ne", "<", "lt", "<=", "le", ">", "gt", ">=", "ge", "in"),
    }
)
_TEXT_FILTERS = ("upper", "lower", "capitalize", "title", "trim")
ALLOWED_FILTERS = frozenset(
    {
        *("default", "d", "truncate", *_TEXT_FILTERS),
        *("join", "first", "last", "length", "count", "round", "abs", "int", "float"),
    }
)
_RENAMED = {"self": "self__attribute"}
"""Attributes that Jinja2 would take for something of its own."""
_GIVEN_NAMES = {renamed: name for name, renamed in _RENAMED.items()}
_INSTEAD: Mapping[type[nodes.Node], str] = {
    nodes.For: "loops are not available; a list is shown with {{ names | join(', ') }}",
    nodes.Call: "calls are not available; filters are, such as {{ first_name | upper }}",
}


class BadTemplate(Exception):
    """A text is no template that can be filled; one sentence, with a hint where there is one."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


_TOO_LARGE = "a number in the placeholder is too large"
_TOO_DEEP = ("the placeholder is nested too deeply", "texts are joined flat with `~`")


class Template:
    """One text with placeholders, parsed and checked."""

    __slots__ = ("_expression", "_parts", "_run", "names", "optional")

    def __init__(self, text: str) -> None:
        """Parse *text*; raises :class:`BadTemplate`."""
        if len(text) > MAX_TEMPLATE_CHARACTERS:
            raise BadTemplate(f"a text has at most {MAX_TEMPLATE_CHARACTERS} characters")
        tree = _parse(text)
        used = {node.name for node in _descendants(tree) if isinstance(node, nodes.Name)}
        self.optional = frozenset(name for name in _names_with_fallback(tree))
        """Attributes that the text can do without."""
        self.names = frozenset(used) - self.optional
        """Attributes that the text needs."""
        parts = _plain_parts(tree)
        self._parts = parts
        tree = _Rewriting().visit(tree)
        single = _single_expression(tree)
        self._expression = None if single is None else _compile_expression(single)
        self._run = None if parts is not None else _ENVIRONMENT.from_string(tree)

    @property
    def is_single(self) -> bool:
        """Return whether the text is one placeholder and nothing else."""
        return self._expression is not None

    def text(self, attributes: Attributes) -> str:
        """
        Return the text filled for one recipient.

        Raises :class:`MissingAttribute`, or :class:`UnusableAttribute` for a list or object.
        """
        if self._parts is not None:
            return "".join(
                [
                    part if isinstance(part, str) else _plain(part.name, attributes)
                    for part in self._parts
                ]
            )
        run = self._run
        assert run is not None
        context = run.new_context(self._context(attributes))
        return str(self._guarded(lambda: "".join(run.root_render_func(context))))

    def value(self, attributes: Attributes) -> JsonValue:
        """
        Return what the only placeholder gives, with its own type.

        Only for a text that :attr:`is_single`.  Raises as :meth:`text` does.
        """
        expression = self._expression
        assert expression is not None
        value: JsonValue = self._guarded(
            lambda: _all_defined(expression(self._context(attributes)))
        )
        return value

    def _context(self, attributes: Attributes) -> dict[str, JsonValue]:
        names = (*self.names, *self.optional)
        return {
            _RENAMED.get(name, name): attributes[name]
            for name in names
            if not _is_blank(attributes.get(name))
        }

    def _guarded(self, run: Callable[[], Any]) -> Any:
        """Return what *run* returns; what attributes of an unfit type cause is theirs."""
        try:
            return run()
        except (JinjaError, ArithmeticError, TypeError, ValueError, LookupError) as error:
            names = ", ".join(sorted(self.names | self.optional))
            raise UnusableAttribute(names, _why(error)) from None


class _Slot:
    """A plain ``{{ name }}`` between literal texts."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class _Missing(StrictUndefined):
    """Complains in our words, with the attribute's name, whatever is done with it."""

    def __init__(self, hint: str | None = None, obj: Any = None, name: Any = None, _: Any = None):
        def complain(_: str | None) -> Exception:
            # Without a name it is what `first` and `last` say of an empty list.
            if name is None:
                return ValueError(hint)
            return MissingAttribute(_GIVEN_NAMES.get(name, str(name)))

        super().__init__(hint, obj, name, exc=complain)  # type: ignore[arg-type]


class _Rewriting(NodeTransformer):
    """Says what pushctl means by a template in words that mean the same to Jinja2."""

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        node = super().generic_visit(node, *args, **kwargs)
        if isinstance(node, nodes.Name):
            node.name = _RENAMED.get(node.name, node.name)
        if isinstance(node, nodes.Concat):
            # `~` writes lists, objects and booleans as Python does; our filter does not.
            items = nodes.List(node.nodes, lineno=node.lineno)
            joined = nodes.Filter(items, "join", [], [], None, None, lineno=node.lineno)
            return joined.set_environment(_ENVIRONMENT)
        return node


class _Environment(SandboxedEnvironment):
    """Looks names up in objects and lists, and nowhere else."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        value: Any = None
        if isinstance(obj, Undefined):
            return obj
        if isinstance(obj, Mapping):
            value = obj.get(argument)
        elif isinstance(obj, list | tuple) and isinstance(argument, int):
            value = obj[argument] if -len(obj) <= argument < len(obj) else None
        return self.undefined(obj=obj, name=argument) if _is_blank(value) else value


def as_text(value: Any) -> str:
    """
    Return how a scalar stands in a text: as JSON would write it, texts without quotes.

    Raises :class:`TypeError` for a list, an object and null.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    raise TypeError("a list or object is no text")


def _finalize(value: Any) -> Any:
    if isinstance(value, Undefined):
        return str(value)  # raises MissingAttribute
    return as_text(value)


def _number(cast: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a filter that fails where Jinja's own would answer 0."""

    def convert(value: Any) -> Any:
        return cast(_defined(value))

    return convert


def _of_text(change: Callable[..., str]) -> Callable[..., str]:
    """Return *change*, a filter of Jinja2 that would take a list or object in Python's spelling."""

    def convert(value: Any, *arguments: Any, **named: Any) -> str:
        return change(as_text(_defined(value)), *arguments, **named)

    return convert


def _join(value: Any, separator: str = "") -> str:
    items = [as_text(_defined(item)) for item in _defined(value)]
    length = sum(map(len, items)) + len(items) * len(separator)
    if length > MAX_JOINED_CHARACTERS:
        raise PayloadTooLarge(length, MAX_JOINED_CHARACTERS, "joined list")
    return separator.join(items)


def _truncate(
    value: Any,
    length: int = 255,
    killwords: bool = False,
    end: str = "...",
    leeway: int | None = None,
) -> str:
    """Cut as Jinja2 does, but with only so much of *end* as there is room for."""
    if length < 0 or (leeway is not None and leeway < 0):
        raise ValueError("a length is not negative")
    return do_truncate(_ENVIRONMENT, _defined(value), length, killwords, end[:length], leeway)


def _round(value: Any, digits: int = 0) -> int | float:
    """Round half to even; without *digits* to a whole number."""
    number: float = _defined(value)
    return round(number, min(digits, 15)) if digits else round(number)


def _defined(value: Any) -> Any:
    if isinstance(value, Undefined):
        str(value)  # raises MissingAttribute
    return value


def _all_defined(value: Any) -> Any:
    """Return *value*; raise if it, or an item of a list that the template made, is missing."""
    if isinstance(value, list | tuple):
        for item in value:
            _all_defined(item)
    return _defined(value)


def _make_environment() -> _Environment:
    environment = _Environment(
        undefined=_Missing,
        autoescape=False,
        keep_trailing_newline=True,
        finalize=_finalize,
        comment_start_string=_NO_COMMENT,
        comment_end_string=_NO_COMMENT,
        # What is constant is worked out with the rest: while it compiles, Jinja2 lets out whatever
        # a constant that cannot be worked out raises.
        optimized=False,
    )
    environment.globals.clear()
    environment.filters = {
        name: environment.filters[name] for name in environment.filters if name in ALLOWED_FILTERS
    }
    for name in _TEXT_FILTERS:
        environment.filters[name] = _of_text(environment.filters[name])
    environment.filters |= {"int": _number(int), "float": _number(float)}
    environment.filters |= {"join": _join, "round": _round, "truncate": _truncate}
    environment.tests = {
        name: environment.tests[name] for name in environment.tests if name in _ALLOWED_TESTS
    }
    return environment


_ENVIRONMENT = _make_environment()


def _parse(text: str) -> nodes.Template:
    try:
        tree = _ENVIRONMENT.parse(text)
    except TemplateSyntaxError as error:
        raise BadTemplate(f"the placeholder cannot be read: {error.message}", _hint(text)) from None
    except RecursionError:
        raise BadTemplate(*_TOO_DEEP) from None
    except ValueError:  # Python reads no number of more than 4,300 digits
        raise BadTemplate(_TOO_LARGE) from None
    _check_depth(tree)
    for node in _descendants(tree):
        if not isinstance(node, _ALLOWED_NODES):
            word = type(node).__name__.lower()
            instead = _INSTEAD.get(type(node))
            raise BadTemplate(f"`{word}` is not available in a placeholder", instead)
        if isinstance(node, nodes.Filter | nodes.Test):
            _check_name(node)
        if isinstance(node, nodes.Const) and node.value in (math.inf, -math.inf):
            raise BadTemplate(_TOO_LARGE)
    return tree


def _check_depth(tree: nodes.Node) -> None:
    level, depth = [tree], 0
    while level:
        level = [child for node in level for child in node.iter_child_nodes()]
        depth += 1
    if depth > MAX_DEPTH:
        raise BadTemplate(*_TOO_DEEP)


def _check_name(node: nodes.Filter | nodes.Test) -> None:
    is_filter = isinstance(node, nodes.Filter)
    allowed = ALLOWED_FILTERS if is_filter else _ALLOWED_TESTS
    if node.name not in allowed:
        kind = "filter" if is_filter else "test"
        words = ", ".join(sorted(word for word in allowed if word.isalpha()))
        raise BadTemplate(f"there is no {kind} `{node.name}` here", f"there are {words}")


def _hint(text: str) -> str:
    if text.count("{{") != text.count("}}") or text.count("{%") != text.count("%}"):
        return "a placeholder is closed as it is opened: {{ name }}, {% if name %}…{% endif %}"
    return "a placeholder names an attribute: {{ first_name }}"


def _descendants(node: nodes.Node) -> Iterator[nodes.Node]:
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.iter_child_nodes())


def _names_with_fallback(tree: nodes.Template) -> Iterator[str]:
    """Yield the names whose absence the template itself provides for."""
    for node in _descendants(tree):
        guards = (isinstance(node, nodes.Filter) and node.name in ("default", "d")) or (
            isinstance(node, nodes.Test) and node.name in ("defined", "undefined")
        )
        if guards:
            inner = node.node  # type: ignore[attr-defined]
            while isinstance(inner, nodes.Getattr | nodes.Getitem):
                inner = inner.node
            if isinstance(inner, nodes.Name):
                yield inner.name


def _plain_parts(tree: nodes.Template) -> tuple[str | _Slot, ...] | None:
    """Return the literals and plain names of a template that has nothing else; else ``None``."""
    parts: list[str | _Slot] = []
    for statement in tree.body:
        if not isinstance(statement, nodes.Output):
            return None
        for node in statement.nodes:
            if isinstance(node, nodes.TemplateData):
                parts.append(node.data)
            elif isinstance(node, nodes.Name):
                parts.append(_Slot(node.name))
            else:
                return None
    return tuple(parts)


def _plain(name: str, attributes: Attributes) -> str:
    """Return the attribute *name* as text: the short way for what most messages are made of."""
    value = attributes.get(name)
    if isinstance(value, str) and value.strip():
        return value
    if _is_blank(value):
        raise MissingAttribute(name)
    try:
        return as_text(value)
    except TypeError as error:
        raise UnusableAttribute(name, str(error)) from None


def _single_expression(tree: nodes.Template) -> nodes.Expr | None:
    if len(tree.body) != 1 or not isinstance(tree.body[0], nodes.Output):
        return None
    parts = tree.body[0].nodes
    return None if len(parts) != 1 or isinstance(parts[0], nodes.TemplateData) else parts[0]


def _compile_expression(expression: nodes.Expr) -> Callable[[dict[str, Any]], Any]:
    """Return a function from a context to the value of *expression*, with its own type."""
    if isinstance(expression, nodes.Name):
        name = expression.name
        return lambda context: (
            context[name] if name in context else _ENVIRONMENT.undefined(name=name)
        )
    target = nodes.Name("result", "store")
    body: list[nodes.Node] = [nodes.Assign(target, expression, lineno=1)]
    tree = nodes.Template(body, lineno=1).set_environment(_ENVIRONMENT)
    template = _ENVIRONMENT.from_string(tree)  # type: ignore[arg-type]

    def evaluate(values: dict[str, Any]) -> Any:
        context = template.new_context(values)
        list(template.root_render_func(context))  # an assignment writes no text
        return context.vars["result"]

    return evaluate


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _why(error: Exception) -> str:
    if isinstance(error, TypeError):
        return "its type does not fit"
    return "its value does not fit"
