"""URLs that do not lead to the view."""

urlpatterns = []
