"""The URLs of the site: where tasks are pushed to, and views to compare that with."""

from django.db import connection
from django.http import HttpResponse
from django.urls import include, path
from django.utils import timezone


def twice(_request):
    """Change a row in a transaction, and again in another: what a claim and its outcome do."""
    for _ in range(2):
        with connection.cursor() as cursor:
            now = str(timezone.now())  # another one each time: SQLite does not write the same
            cursor.execute("UPDATE django_migrations SET applied = %s WHERE id = 1", [now])
    return HttpResponse("OK")


urlpatterns = [
    path("tasks/", include("rotulus.django.urls")),
    path("empty", lambda _: HttpResponse("OK")),
    path("twice", twice),
]
