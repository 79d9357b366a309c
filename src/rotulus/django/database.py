"""`DatabaseBackend`: Django's tasks in Django's own database, run by workers of Rotulus."""

from rotulus.django.backend import RotulusBackend


class DatabaseBackend(RotulusBackend):
    """Keeps Django's tasks in the tables of Rotulus, for `manage.py rotulus_worker`.

    `TASKS = {"default": {"BACKEND": "rotulus.django.DatabaseBackend"}}`. An enqueue in an `atomic`
    block belongs to the block.
    """

    supports_defer = True
    supports_async_task = True
    supports_priority = True
