"""Provisioning: creates and changes the topics, subscriptions and scheduler jobs of routes."""

from rotulus.pubsub.provision.applying import apply
from rotulus.pubsub.provision.plan import Action, Applied, Change, Difference, Plan, Problem
from rotulus.pubsub.provision.planning import plan

__all__ = ["Action", "Applied", "Change", "Difference", "Plan", "Problem", "apply", "plan"]
