"""Steps: what they are given, whether they run, what they hand on, and the handle they get."""

from rotulus._engine.steps.handle import TaskHandle
from rotulus._engine.steps.inputs import StepInputs
from rotulus._engine.steps.step import EarlyOutcome, Steps

__all__ = ["StepInputs", "EarlyOutcome", "Steps", "TaskHandle"]
