"""How many jobs there are, as far as they are counted."""

from typing import Self

MOST_COUNTED = 10_000
"""A count is exact up to here."""


class JobCount(int):
    """How many jobs there are: more than 10,000 are not counted, and it reads `10,000+`.

    Attributes:
        exact: whether there are no more than that.
    """

    exact: bool

    def __new__(cls, jobs: int, *, exact: bool = True) -> Self:
        """A number of jobs, and whether it is all of them."""
        made = super().__new__(cls, min(jobs, MOST_COUNTED))
        made.exact = exact and jobs <= MOST_COUNTED
        return made

    def __str__(self) -> str:
        return f"{int(self):,}" + "+" * (not self.exact)
