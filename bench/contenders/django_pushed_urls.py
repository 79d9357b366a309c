"""The URLs of the site: where tasks are pushed to, and a view that does nothing."""

from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [
    path("tasks/", include("rotulus.django.urls")),
    path("empty", lambda _: HttpResponse("OK")),
]
