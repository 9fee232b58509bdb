"""Options of a command that dataclasses declare: name, type, default and attribute docstring become an option."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from operator import getitem
from typing import Annotated, Any

from crowdscale.cli.options import option

__all__ = ["Declared", "add_options", "declared_options"]

TYPES: dict[str, type] = {"int": int, "float": float, "bool": bool}
"""Type of an option by its annotation; any other annotation is text."""

METAVARS: dict[type, str | None] = {int: "N", float: "X", str: "TEXT", bool: None}


@dataclass(frozen=True)
class Declared:
    """A field of a dataclass, as its source declares it."""

    name: str
    kind: type
    default: Any
    help: str

    def parameter(self, panel: str) -> inspect.Parameter:
        """Return the parameter of a command; without the option its value is None."""
        flag = f"--{self.name.replace('_', '-')}"
        if self.kind is bool:
            flag += f"/--no-{flag[2:]}"
        shown = option(flag, panel=panel, help=self.help + self._shown_default(), metavar=METAVARS[self.kind])
        annotation = getitem(Annotated, (self.kind | None, shown))
        return inspect.Parameter(
            self.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation
        )

    def _shown_default(self) -> str:
        if self.default is None:
            return ""
        if self.kind is bool:
            return f" [default: {'yes' if self.default else 'no'}]"
        return f" [default: {self.default}]"


def declared_options(module: str, name: str) -> Iterator[Declared]:
    """Yield the fields of a dataclass that can be options.

    The source is parsed and not imported: the classes stand beside code that needs torch, and ``--help`` does not.

    Args:
        module: Its module below the package, such as ``learn.scaling``.
        name: The class.
    """
    path = files("crowdscale").joinpath(f"{module.replace('.', '/')}.py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    for field, below in pairwise(body):
        if isinstance(field, ast.AnnAssign) and field.value is not None and not _is_nested(field.value):
            kind = TYPES.get(ast.unparse(field.annotation).removesuffix(" | None"), str)
            yield Declared(ast.unparse(field.target), kind, _value(field.value), _docstring(below))


def _is_nested(default: ast.expr) -> bool:
    """Return whether a default is ``field(default_factory=…)``: options of another class."""
    return isinstance(default, ast.Call) and ast.unparse(default.func) == "field"


def _value(node: ast.expr) -> Any:
    """Return a default: a literal, or a number as ``float("inf")``."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "float":
        return float(ast.literal_eval(node.args[0]))
    return ast.literal_eval(node)


def _docstring(node: ast.stmt) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return " ".join(str(node.value.value).replace("``", "").split())
    return ""


def add_options(
    parameters: Iterable[inspect.Parameter], first: Iterable[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that gives a command more options, in place of its ``**`` parameter.

    Args:
        parameters: The options; of two with one name the first counts.
        first: Names that stand first in ``--help``, in this order.
    """
    order = {name: place for place, name in enumerate(first)}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command, eval_str=True).parameters.values()
        named = [
            each.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for each in own
            if each.kind is not each.VAR_KEYWORD
        ]
        unique: dict[str, inspect.Parameter] = {}
        for each in (*named, *parameters):
            unique.setdefault(each.name, each)
        chosen = sorted(unique.values(), key=lambda each: order.get(each.name, len(order)))
        command.__signature__ = inspect.Signature(chosen)  # type: ignore[attr-defined]
        command.__annotations__ = {each.name: each.annotation for each in chosen}
        return command

    return decorate
