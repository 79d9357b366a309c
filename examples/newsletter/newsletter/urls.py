"""The page, the admin, and where Pub/Sub pushes to."""

from django.contrib import admin
from django.urls import include, path
from letters import views

urlpatterns = [
    path("", views.index, name="index"),
    path("admin/", admin.site.urls),
    path("tasks/", include("rotulus.django.urls")),
]
