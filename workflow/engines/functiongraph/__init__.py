"""The engine on FunctionGraph: a run travels in the events of one function, which calls one function a step."""

from workflow.engines.functiongraph.hop import Platform
from workflow.engines.functiongraph.limits import refuse_long_waits
from workflow.engines.functiongraph.run import Engine, LostRunError, Passed, Run

__all__ = ["Engine", "LostRunError", "Passed", "Platform", "Run", "refuse_long_waits"]
