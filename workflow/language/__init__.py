"""Amazon States Language in JSONPath mode: definitions, their validation, and data flow."""

from workflow.language.definition import Machine
from workflow.language.rules import Problem
from workflow.language.validation import InvalidDefinitionError, parse, validate

__all__ = ["InvalidDefinitionError", "Machine", "Problem", "parse", "validate"]
