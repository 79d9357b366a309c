"""Subscribers and letters in the admin; the executions of tasks are there by themselves."""

from django.contrib import admin

from letters.models import Letter, Subscriber

admin.site.register([Letter, Subscriber])
