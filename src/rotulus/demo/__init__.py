"""A small shop, for a first look at Rotulus: its tasks, two weeks of its past, and its customers.

`rotulus demo` is the only user of this package: nothing that runs jobs imports it.
"""
