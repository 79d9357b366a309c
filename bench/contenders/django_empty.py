"""The same site, asked for a view that does nothing."""

import django_pushed

CONTENDER = django_pushed.Pushed("/empty")
