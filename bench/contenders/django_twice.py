"""The same site, asked for a view that commits twice, and does nothing else."""

import django_pushed

CONTENDER = django_pushed.Pushed("/twice")
