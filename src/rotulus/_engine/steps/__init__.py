"""Steps of workflows: their input, whether they run, their result, their handle."""

from rotulus._engine.steps.handle import TaskHandle
from rotulus._engine.steps.inputs import StepInputs
from rotulus._engine.steps.step import EarlyOutcome, Steps

__all__ = ["StepInputs", "EarlyOutcome", "Steps", "TaskHandle"]
