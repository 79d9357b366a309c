"""URLs: `path("rotulus/", include("rotulus.django.urls"))`."""

from django.urls import path, re_path

from rotulus.django import views
from rotulus.django.service import service

app_name = "rotulus"
urlpatterns = [
    path("pubsub/", views.push, name="pubsub"),
    path("tick", views.tick, name="tick"),
    re_path(r"^(?P<path>(?:api|console)(?:/.*)?)$", service, name="service"),
]
