"""URLs: `path("tasks/", include("rotulus.django.urls"))`."""

from django.urls import path

from rotulus.django import views

app_name = "rotulus"
urlpatterns = [
    path("pubsub/", views.push, name="pubsub"),
    path("tick", views.tick, name="tick"),
]
