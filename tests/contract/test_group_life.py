"""The life of the head of a group, explored whole: it waits for itself until somebody closes it."""

import pytest

from contract.test_life_cycle import NOW, Explorer, Violation, explore, without
from rotulus._jobs.states import ENDED, MOVES
from rotulus.stores.sqlite.session import STATEMENTS

pytestmark = pytest.mark.anywhere

OPEN = 8
"""Where a row says whether the group is open; the last place says whether it is paused."""


class HeadExplorer(Explorer):
    """Whatever can happen to a job can happen to a head, and its group can be closed."""

    most_claims = 2

    def __init__(self, statements):
        super().__init__(statements)
        self.db.execute("UPDATE rotulus_jobs SET run = id, step = '', opened = 1")
        _, *rest = super().dump()
        self.load(("blocked", *rest[:-1], True, False))

    def load(self, row):
        """Make the row what it was; it waits for itself if the group is open."""
        super().load((*row[:OPEN], row[-1]))
        waits_for = row[OPEN] and row[0] not in ENDED
        self.db.execute("UPDATE rotulus_jobs SET waits_for = ?", (waits_for,))
        self.db.execute("DELETE FROM rotulus_needs")
        if row[OPEN]:
            self.db.execute("INSERT INTO rotulus_needs (need, job, part) VALUES (1, 1, 1)")

    def dump(self):
        """The row as it is now, with whether the group is open."""
        *row, paused = super().dump()
        [is_open] = self.db.execute("SELECT count(*) FROM rotulus_needs").fetchone()
        [waits_for] = self.db.execute("SELECT waits_for FROM rotulus_jobs").fetchone()
        if row[0] not in ENDED and waits_for != is_open:
            raise Violation(f"it waits for {waits_for}, and the group is open: {bool(is_open)}")
        if row[0] not in (*ENDED, "running") and bool(is_open or paused) != (row[0] == "blocked"):
            raise Violation(f"it is {row[0]}, and the group is open: {bool(is_open)}")
        return (*row, bool(is_open), paused)

    def close_group(self):
        """What the store does to close a group."""
        if not self.do("stop_waiting_for_itself", id="j")[0]:
            return False
        self.do("close_group", id="j", now=NOW)
        return True

    def steps(self, world):
        """Every world that can come next."""
        yield from super().steps(world)
        self.load(world.row)
        if self.close_group():
            yield self.after(world)


def test_a_head_is_due_when_its_group_is_closed_and_never_before():
    """In any order of events; whatever else holds of a job holds of it, and an end is near."""
    explorer, worlds, stuck = explore(STATEMENTS, HeadExplorer)
    moves = {(str(before), str(after)) for before, after in explorer.moves}
    legal = {(str(before), str(after)) for before, later in MOVES.items() for after in later}

    assert len(worlds) > 1_000
    assert set() == stuck
    assert moves <= legal | {("delayed", "running")}
    assert {("blocked", "queued"), ("blocked", "cancelled"), ("cancelled", "blocked")} <= moves


@pytest.mark.parametrize(
    ("piece", "told"),
    [(" AND NOT one.paused", "it is queued"), ("waits_for = job.waits_for - 1,", "it waits for 1")],
)
def test_a_group_that_is_not_closed_right_is_found(piece, told):
    """A paused head would be due; one that waits for itself would do so for ever."""
    with pytest.raises(Violation, match=told):
        explore(without("close_group", piece), HeadExplorer)
