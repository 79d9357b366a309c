"""How many jobs a worker claims at once."""

from rotulus._engine.prefetch import Prefetch


def prefetch(slots, seconds):
    """The prefetch of a worker whose jobs take so long."""
    made = Prefetch(slots)
    made.note_ended(seconds)
    return made


def test_long_jobs_are_claimed_along_only_for_slots_that_nobody_claims_for():
    """So that none waits here while another worker has nothing to do."""
    assert 1 == prefetch(4, 1.0).to_claim_on_settle(0, 3, 1)
    assert 0 == prefetch(4, 1.0).to_claim_on_settle(0, 4, 1)
    assert 0 == prefetch(4, 1.0).to_claim_on_settle(4, 0, 2)


def test_short_jobs_are_claimed_along_in_the_place_of_those_that_ended():
    """Though others have been asked for: they take no time."""
    assert 2 == prefetch(4, 0.0001).to_claim_on_settle(0, 504, 2)


def test_the_number_of_slots_may_change():
    """What is claimed next heeds it."""
    made = Prefetch(1)
    made.slots = 3

    assert 3 == made.to_claim(0)
    assert 0 == made.to_claim(3)


def test_nothing_is_claimed_along_while_there_is_enough_to_run():
    """A larger batch costs less."""
    assert 0 == prefetch(4, 0.0001).to_claim_on_settle(4, 0, 4)
