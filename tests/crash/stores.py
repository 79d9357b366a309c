"""The stores that crash tests run on: a file, and where it tells more than that a database."""

import pytest

postgres = pytest.param("postgres", marks=pytest.mark.anywhere)

on_both = pytest.mark.parametrize("factory", ["sqlite", postgres], indirect=True)
"""For tests that say the same of every store."""

also_on_postgres = pytest.mark.parametrize(
    "factory",
    ["sqlite", pytest.param("postgres", marks=(pytest.mark.anywhere, pytest.mark.long))],
    indirect=True,
)
"""For slow ones, of which a file tells enough as a rule."""
