"""Steps of workflows: what they are given, whether they run, what they hand on, and their handle."""

from rotulus._engine.steps.handle import TaskHandle
from rotulus._engine.steps.parts import Parts
from rotulus._engine.steps.step import EarlyOutcome, Steps

__all__ = ["EarlyOutcome", "Parts", "Steps", "TaskHandle"]
