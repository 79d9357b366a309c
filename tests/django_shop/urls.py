"""The URLs of a project with that app."""

from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [
    path("tasks/", include("rotulus.django.urls")),
    path("empty", lambda _: HttpResponse()),
]
