"""
``--where``: one SQL expression over the attributes, and nothing but that.

DuckDB parses the expression.  Its syntax tree may hold comparisons, logic, casts and a list of
functions that look at nothing but their arguments; whatever else SQL can say (queries, files,
settings, several statements) is refused by name.  The tree is then changed in one respect: an
attribute, which is a text or whatever the file made it, is read as what it is compared with, and
where it cannot be read so the row is not in the segment.
"""

# ruff: noqa: S608 -- whatever comes from outside went through literal() or identifier()

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeAlias

from pushctl.audience.engine import Engine, literal
from pushctl.audience.row import KNOWN_COLUMNS, did_you_mean
from pushctl.errors import InvalidInput, Place
from pushctl.rules.text import printable

MAX_CHARACTERS = 10_000
MAX_DEPTH = 64

_Node: TypeAlias = dict[str, Any]

_OPENING = "SELECT ("
_CLOSING = "\n)"  # on a line of its own, so that a comment at the end does not swallow it
_SHOWN_FILE = "--where"
_LONG_WORD = re.compile(r"(\w{15})\w+")
"""What DuckDB quotes may be a piece of what was pasted here by mistake."""
_NOBODY = "(SELECT unnest(['{}']) AS attributes)"
"""One row, whose column DuckDB takes for no constant: then constants beside it are worked out."""

_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "//"})
_OF_NUMBERS = frozenset({"abs", "ceil", "ceiling", "floor", "round", "sign"})
_OF_TIMES = frozenset(
    (
        *("age", "date_add", "date_diff", "date_part", "date_trunc", "datediff", "day", "dayname"),
        *("dayofmonth", "dayofweek", "dayofyear", "epoch", "hour", "isodow", "last_day", "minute"),
        *("month", "monthname", "quarter", "second", "strftime", "week", "weekday", "weekofyear"),
        *("year",),
    )
)
_FUNCTIONS = frozenset(
    (
        *_ARITHMETIC,
        *_OF_NUMBERS,
        *_OF_TIMES,
        *("~~", "!~~", "~~*", "!~~*", "~~~", "~", "||", "->", "->>"),
        *("like_escape", "not_like_escape", "ilike_escape", "not_ilike_escape"),
        *("lower", "upper", "lcase", "ucase", "trim", "ltrim", "rtrim", "replace", "reverse"),
        *("length", "len", "strlen", "left", "right", "substring", "substr", "split_part"),
        *("concat", "concat_ws", "contains", "starts_with", "prefix", "ends_with", "suffix"),
        *("strpos", "instr", "position", "strip_accents", "nullif", "greatest", "least"),
        *("regexp_matches", "regexp_full_match", "regexp_extract", "regexp_replace"),
        *("now", "today", "current_date", "current_timestamp", "get_current_timestamp"),
        *("make_date", "make_timestamp", "strptime", "try_strptime", "to_timestamp"),
        *("to_years", "to_quarters", "to_months", "to_weeks", "to_days", "to_hours"),
        *("to_minutes", "to_seconds", "trunc", "hash", "md5"),
        *("json_array_length", "json_contains", "json_exists", "json_extract_string"),
        *("json_keys", "json_type"),
    )
)
_OPERATORS = frozenset(
    (
        *("OPERATOR_NOT", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "OPERATOR_COALESCE"),
        *("COMPARE_IN", "COMPARE_NOT_IN"),
    )
)
_EQUALITIES = frozenset(
    ("COMPARE_EQUAL", "COMPARE_NOTEQUAL", "COMPARE_DISTINCT_FROM", "COMPARE_NOT_DISTINCT_FROM")
)
_NUMBERS = (
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER"),
    *("UBIGINT", "UHUGEINT", "DECIMAL", "FLOAT", "DOUBLE", "BIGNUM", "INTEGER_LITERAL"),
)
_REFUSED: Mapping[str, str] = {
    "SUBQUERY": "a query inside the expression",
    "STAR": "* or COLUMNS()",
    "WINDOW": "a window function",
    "PARAMETER": "a parameter",
    "LAMBDA": "a lambda",
    "DEFAULT": "DEFAULT",
    "POSITIONAL_REFERENCE": "a column by its number",
    "COLLATE": "COLLATE",
}


def compile_segment(engine: Engine, expression: str, names: frozenset[str] | None) -> str:
    """
    Return the SQL that says of a row, by its column ``attributes``, whether it is in the segment.

    The result is never NULL and evaluating it never fails.  *names* are the attributes there are;
    ``None`` where they are too many to know.

    Raises :class:`~pushctl.errors.InvalidInput` with the column of the fault where *expression*
    is not one expression, uses what is not allowed, names an attribute that nobody has, compares
    what cannot be compared, or is no condition.
    """
    return _Segment(engine, expression, names).compiled()


class _Segment:
    def __init__(self, engine: Engine, expression: str, names: frozenset[str] | None) -> None:
        self._engine = engine
        self._expression = expression
        self._names = names

    def compiled(self) -> str:
        if len(self._expression) > MAX_CHARACTERS:
            self._refuse(f"the expression has more than {MAX_CHARACTERS:,} characters")
        if not self._expression.strip():
            self._refuse("the expression is empty", hint="write one like: orders > 5")
        tree = self._read(self._parsed(), depth=0)
        condition = self._as_condition(tree)
        type_name = self._type(condition)
        if type_name not in ("BOOLEAN", '"NULL"', "NULL"):
            self._refuse(
                f"this is no condition: it gives {type_name}, not true or false",
                hint="compare it with something, as in: orders > 5",
            )
        sql = f"CAST({self._sql(condition)} AS BOOLEAN)"
        self._ask(f"SELECT {sql} FROM {_NOBODY}", tree)  # constants may be wrong among themselves
        sql = f"coalesce(TRY({sql}), false)"
        self._ask(f"SELECT {sql} FROM {_NOBODY}", tree)  # TRY does not take everything
        return sql

    # -- from text to a tree ------------------------------------------------------------------

    def _parsed(self) -> _Node:
        """Return the tree of the expression; refuse anything but one expression."""
        text = f"{_OPENING}{self._expression}{_CLOSING}"
        (answer,) = self._engine.one("SELECT json_serialize_sql(?::VARCHAR)", [text])
        if not answer:  # DuckDB's complaint quotes half a character, and so cannot be told
            self._refuse("not an SQL expression: a literal in it holds what it may not")
        found = json.loads(answer)
        if found["error"]:
            complaint = _LONG_WORD.sub(r"\1…", printable(str(found["error_message"]), 200))
            position = found.get("position")
            start = None if position is None else int(position)
            if start is not None and start >= len(text.encode()) - 1:
                complaint = "it ends too soon"
            self._refuse(f"not an SQL expression: {complaint}", start)
        only = "give one expression that is true or false, as in: orders > 5 AND city = 'Bonn'"
        if len(found["statements"]) != 1:
            self._refuse("this is more than one statement", hint=only)
        node = found["statements"][0]["node"]
        plain = (
            node["type"] == "SELECT_NODE"
            and len(node["select_list"]) == 1
            and node["from_table"]["type"] == "EMPTY"
            and not node["where_clause"]
            and not any(
                node[name]
                for name in ("modifiers", "group_expressions", "having", "sample", "qualify")
            )
            and not node["cte_map"]["map"]
        )
        if not plain:
            self._refuse("this is a query, not an expression", hint=only)
        tree: _Node = node["select_list"][0]
        if tree["class"] == "FUNCTION" and not tree["arguments"] and tree["function_name"] == "row":
            self._refuse("the expression is empty", hint=only)  # nothing but a comment
        return tree

    # -- the tree, checked and changed --------------------------------------------------------

    def _read(self, node: _Node, depth: int) -> _Node:
        """Return *node* with attributes in place of columns, each read as its context asks."""
        if depth > MAX_DEPTH:
            self._refuse("the expression is nested too deep", node=node)
        kind = node["class"]
        readers: Mapping[str, Callable[[_Node, int], _Node]] = {
            "CONSTANT": lambda node, _: node,
            "COLUMN_REF": lambda node, _: self._attribute(node),
            "COMPARISON": self._read_comparison,
            "BETWEEN": self._read_between,
            "CONJUNCTION": self._read_conjunction,
            "OPERATOR": self._read_operator,
            "FUNCTION": self._read_function,
            "CAST": self._read_cast,
            "CASE": self._read_case,
        }
        reader = readers.get(kind)
        if reader is None:
            what = _REFUSED.get(kind, f"{kind.lower()} expressions")
            self._refuse(f"{what} cannot be used here", node=node)
        return reader(node, depth + 1)

    def _attribute(self, node: _Node) -> _Node:
        names = [str(name) for name in node["column_names"]]
        first = names[0]
        if self._names is not None and first not in self._names:
            hint = did_you_mean(first, self._names)
            if hint is None and first in KNOWN_COLUMNS:
                hint = "only attributes can be used here"
            message = f"no recipient has the attribute `{printable(first, 60)}`"
            self._refuse(message, node=node, hint=hint or self._all_names())
        path = "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)
        return {**self._template(f"json_extract_string(attributes, {literal(path)})"), _IS: True}

    def _all_names(self) -> str:
        names = sorted(self._names or ())
        if not names:
            return "the audience has no attributes"
        shown = ", ".join(printable(name, 40) for name in names[:10])
        return f"there are: {shown}" + (" and others" if len(names) > 10 else "")

    def _read_comparison(self, node: _Node, depth: int) -> _Node:
        sides = [self._read(node[side], depth) for side in ("left", "right")]
        ordered = node["type"] not in _EQUALITIES
        left, right = self._alike(sides, node, ordered=ordered)
        return {**node, "left": left, "right": right}

    def _read_between(self, node: _Node, depth: int) -> _Node:
        sides = [self._read(node[side], depth) for side in ("input", "lower", "upper")]
        value, lower, upper = self._alike(sides, node, ordered=True)
        return {**node, "input": value, "lower": lower, "upper": upper}

    def _read_conjunction(self, node: _Node, depth: int) -> _Node:
        children = [self._as_condition(self._read(child, depth)) for child in node["children"]]
        return {**node, "children": children}

    def _read_operator(self, node: _Node, depth: int) -> _Node:
        kind = node["type"]
        if kind not in _OPERATORS:
            what = kind.removeprefix("OPERATOR_").replace("_", " ").lower()
            self._refuse(f"{what} cannot be used here", node=node)
        children = [self._read(child, depth) for child in node["children"]]
        if kind == "OPERATOR_NOT":
            children = [self._as_condition(child) for child in children]
        elif kind in ("COMPARE_IN", "COMPARE_NOT_IN", "OPERATOR_COALESCE"):
            children = self._alike(children, node, ordered=False)
        return {**node, "children": children}

    def _read_function(self, node: _Node, depth: int) -> _Node:
        name = str(node["function_name"]).lower()
        if name not in _FUNCTIONS or node["schema"] or node["catalog"] or node["filter"]:
            near = did_you_mean(name, [known for known in _FUNCTIONS if known.isidentifier()])
            self._refuse(f"{printable(name, 60)}() cannot be used here", node=node, hint=near)
        values = [self._read(argument["expression"], depth) for argument in node["arguments"]]
        if name in _ARITHMETIC:
            values = self._alike(values, node, ordered=True, otherwise="DOUBLE")
        elif name in _OF_NUMBERS:
            values = [self._as(value, "DOUBLE") for value in values]
        elif name in _OF_TIMES:
            values = [self._as(value, "TIMESTAMP") for value in values]
        arguments = [
            {**argument, "expression": value}
            for argument, value in zip(node["arguments"], values, strict=True)
        ]
        return {**node, "arguments": arguments}

    def _read_cast(self, node: _Node, depth: int) -> _Node:
        return {**node, "child": self._read(node["child"], depth), "try_cast": True}

    def _read_case(self, node: _Node, depth: int) -> _Node:
        checks = node["case_checks"]
        results = [*(check["then_expr"] for check in checks), node["else_expr"]]
        *then, otherwise = self._alike(
            [self._read(result, depth) for result in results], node, ordered=False
        )
        return {
            **node,
            "case_checks": [
                {
                    **check,
                    "when_expr": self._as_condition(self._read(check["when_expr"], depth)),
                    "then_expr": result,
                }
                for check, result in zip(checks, then, strict=True)
            ],
            "else_expr": otherwise,
        }

    # -- what attributes are read as ----------------------------------------------------------

    def _alike(
        self, nodes: list[_Node], parent: _Node, *, ordered: bool, otherwise: str | None = None
    ) -> list[_Node]:
        """
        Return *nodes*, which are compared with each other, with attributes read as the others are.

        Where all are attributes they are read as *otherwise*, or as texts; but which of two texts
        is greater is nobody's question, so that is refused.
        """
        if not any(_IS in node for node in nodes):
            return nodes
        types = [self._type(node) for node in nodes if _IS not in node]
        known = [name for name in types if name not in ("NULL", '"NULL"')]
        if not known:
            if ordered and otherwise is None:
                self._refuse(
                    "which of two attributes is greater depends on what they are",
                    node=parent,
                    hint="say it with a cast, as in: spent::DOUBLE > quota::DOUBLE",
                )
            return [self._as(node, otherwise) for node in nodes]
        wanted: str | None = known[0]
        numbers = [name.split("(")[0] in _NUMBERS for name in known]
        if any(numbers):
            if "VARCHAR" in known:
                self._refuse("numbers and texts are compared with each other", node=parent)
            wanted = "DOUBLE"
        elif wanted == "VARCHAR" or (wanted == "INTERVAL" and otherwise is not None):
            wanted = None if wanted == "VARCHAR" else "TIMESTAMP"
        return [self._as(node, wanted) for node in nodes]

    def _as_condition(self, node: _Node) -> _Node:
        return self._as(node, "BOOLEAN")

    def _as(self, node: _Node, type_name: str | None) -> _Node:
        """Return *node* read as *type_name* if it is an attribute, else as it is."""
        if _IS not in node:
            return node
        bare = {name: value for name, value in node.items() if name != _IS}
        if type_name is None:
            return bare
        return {**self._template(f"TRY_CAST(x AS {type_name})"), "child": bare}

    def _template(self, sql: str) -> _Node:
        (answer,) = self._engine.one("SELECT json_serialize_sql(?::VARCHAR)", [f"SELECT {sql}"])
        node: _Node = json.loads(answer)["statements"][0]["node"]["select_list"][0]
        return node

    # -- asking DuckDB ------------------------------------------------------------------------

    def _sql(self, node: _Node) -> str:
        """Return *node* as SQL."""
        statement = json.loads(self._engine.one("SELECT json_serialize_sql('SELECT 1')")[0])
        statement["statements"][0]["node"]["select_list"] = [_without_marks(node)]
        (sql,) = self._engine.one("SELECT json_deserialize_sql(?::JSON)", [json.dumps(statement)])
        return str(sql).removeprefix("SELECT ")

    def _type(self, node: _Node) -> str:
        """Return the type of *node*; refuse what DuckDB cannot give a type to."""
        return str(self._ask(f"SELECT typeof({self._sql(node)}) FROM {_NOBODY}", node))

    def _ask(self, sql: str, node: _Node) -> object:
        """Return the one value of the result of *sql*; refuse *node* where DuckDB does."""
        import duckdb

        try:
            (value,) = self._engine.one(sql)
        except duckdb.Error as error:
            complaint = str(error).split("\n", 1)[0].split(": ", 1)[-1]
            self._refuse(
                printable(complaint, 200),
                node=node,
                hint="an attribute is a text until a cast says otherwise: orders::INTEGER",
            )
        return value

    def _refuse(
        self,
        message: str,
        position: int | None = None,
        *,
        node: _Node | None = None,
        hint: str | None = None,
    ) -> NoReturn:
        """Raise the error for what stands at *position*, bytes into the statement, or at *node*."""
        if node is not None:
            position = node.get("query_location")
        place, line = Place(_SHOWN_FILE), None
        length = len(self._expression.encode())
        start = None if position is None else position - len(_OPENING)
        if start is not None and 0 <= start <= length + len(_CLOSING):
            before = self._expression.encode()[:start].decode(errors="ignore")
            number = before.count("\n") + 1
            column = len(before) - (before.rfind("\n") + 1) + 1
            lines = self._expression.split("\n")
            place, line = Place(_SHOWN_FILE, number, column), lines[number - 1]
        raise InvalidInput(message, place=place, hint=hint, source_line=line)


_IS = "pushctl: an attribute"
"""Marks the node of an attribute that is not yet read as anything."""


def _without_marks(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_marks(item) for name, item in value.items() if name != _IS}
    return [_without_marks(item) for item in value] if isinstance(value, list) else value


__all__ = ["compile_segment"]
