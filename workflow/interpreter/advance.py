"""One step of a state machine: an execution and an outcome in, the next execution and commands out."""

from __future__ import annotations

from workflow.interpreter.model import Command, Execution, Json, Outcome, StartContext, Transition
from workflow.language import Machine


def start(machine: Machine, data: Json, context: StartContext) -> Transition:
    """Start an execution of a machine with its input, as of the context's start time."""
    raise NotImplementedError


def advance(machine: Machine, execution: Execution, outcome: Outcome) -> Transition:
    """Take an outcome and go on to the next command; Pass, Choice and the like ride along.

    Raises:
        DefinitionChangedError: the execution was started with another definition.
    """
    raise NotImplementedError


def pending(machine: Machine, execution: Execution) -> tuple[Command, ...]:
    """Say again what an execution is waiting for, so that it can be taken up from its JSON alone."""
    raise NotImplementedError
