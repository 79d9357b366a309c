"""The paths of parts: their places in a run."""


def join_path(within: str, name: str) -> str:
    """Returns the path of a part; without a name, what the paths of all parts there begin with."""
    return f"{within}/{name}" if within else name


def split_path(path: str | None) -> tuple[str, str]:
    """Returns the path that a part is within, and its own name there."""
    within, _, name = (path or "").rpartition("/")
    return within, name


def is_branch(path: str | None) -> bool:
    """Returns whether a path is that of a branch: a number. No id of a step is one."""
    return split_path(path)[1].isdigit()
