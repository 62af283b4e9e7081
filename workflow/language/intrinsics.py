"""Intrinsic functions of the States Language (its Appendix B), and the expressions that call them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from inspect import signature
from random import Random

from workflow.language.evaluation import CompileError, Environment, EvaluationError, Evaluator, Json, constant
from workflow.language.functions import FUNCTIONS, RANDOM_FUNCTIONS, unescape
from workflow.language.paths import compile_path

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_NAME = re.compile(r"States\.(\w+)\(")
_SIGNATURES = {
    **{name: signature(function) for name, function in FUNCTIONS.items()},
    **{name: signature(partial(function, Random(0))) for name, function in RANDOM_FUNCTIONS.items()},  # noqa: S311  # only its shape
}
_LITERALS: dict[str, Json] = {"true": True, "false": False, "null": None}


def compile_intrinsic(text: str) -> Evaluator:
    """Compile an expression such as `States.Format('{}', $.name)`.

    Raises:
        CompileError: it is not one.
    """
    reader = _Reader(text)
    evaluator = reader.call()
    reader.end()
    return evaluator


class _Reader:
    """A recursive-descent reader of one expression."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def call(self) -> Evaluator:
        match = _NAME.match(self._text, self._at)
        if not match:
            raise self._fault("is neither a path nor an intrinsic function")
        name = match[1]
        if name not in FUNCTIONS and name not in RANDOM_FUNCTIONS:
            raise self._fault(f"calls an unknown function, States.{name}")
        self._at = match.end()
        arguments = self._arguments(name)
        try:
            _SIGNATURES[name].bind(*arguments)
        except TypeError as error:
            raise self._fault(f"has the wrong arguments: {error}") from None
        return _apply(name, arguments)

    def end(self) -> None:
        self._skip_space()
        if self._at != len(self._text):
            raise self._fault("goes on after its end")

    def _arguments(self, function: str) -> list[Evaluator]:
        arguments: list[Evaluator] = []
        while not self._takes(")"):
            if arguments and not self._takes(","):
                raise self._fault("lacks a comma or bracket")
            arguments.append(self._argument(is_template=function == "Format" and not arguments))
        return arguments

    def _argument(self, *, is_template: bool) -> Evaluator:
        self._skip_space()
        rest = self._text[self._at :]
        if rest.startswith("'"):
            text = self._string()
            # Format tells its place holders from escaped brackets itself.
            return constant(text if is_template else unescape(text))
        if rest.startswith("$"):
            return self._path()
        if rest.startswith("States."):
            return self.call()
        return constant(self._literal(rest))

    def _literal(self, rest: str) -> Json:
        for word, value in _LITERALS.items():
            if rest.startswith(word):
                self._at += len(word)
                return value
        number = _NUMBER.match(rest)
        if not number:
            raise self._fault("has an argument that cannot be read")
        self._at += number.end()
        return float(number[0]) if number[1] or number[2] else int(number[0])

    def _string(self) -> str:
        end = self._closing_quote(self._at)
        text = self._text[self._at + 1 : end]
        self._at = end + 1
        return text

    def _closing_quote(self, start: int) -> int:
        at = start + 1
        while at < len(self._text) and self._text[at] != "'":
            at += 2 if self._text[at] == "\\" else 1
        if at >= len(self._text):
            raise self._fault("has a string without an end")
        return at

    def _path(self) -> Evaluator:
        start, depth = self._at, 0
        while self._at < len(self._text):
            character = self._text[self._at]
            if depth == 0 and character in ",)":
                break
            if character == "'":
                self._at = self._closing_quote(self._at)
            depth += {"[": 1, "(": 1, "]": -1, ")": -1}.get(character, 0)
            self._at += 1
        return compile_path(self._text[start : self._at].strip())

    def _takes(self, mark: str) -> bool:
        self._skip_space()
        found = self._text.startswith(mark, self._at)
        self._at += found
        return found

    def _skip_space(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1

    def _fault(self, what: str) -> CompileError:
        return CompileError(("", f"'{self._text}' {what}"))


def _apply(name: str, arguments: list[Evaluator]) -> Evaluator:
    def evaluate(data: Json, environment: Environment) -> Json:
        function: Callable[..., Json] = FUNCTIONS.get(name) or _random(name, environment.randomness())
        values = [argument(data, environment) for argument in arguments]
        try:
            return function(*values)
        except (TypeError, ValueError, LookupError, OverflowError, RecursionError) as error:
            raise EvaluationError(f"States.{name} failed: {type(error).__name__}.") from None

    return evaluate


def _random(name: str, source: Random) -> Callable[..., Json]:
    return partial(RANDOM_FUNCTIONS[name], source)
