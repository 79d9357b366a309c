"""The page: a form to subscribe, and what became of it."""

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from letters.models import Letter, Subscriber
from letters.tasks import send_welcome
from rotulus.django.models import TaskExecution


class SubscribeForm(forms.ModelForm):
    """An address."""

    class Meta:
        """Of a subscriber."""

        model = Subscriber
        fields = ("address",)


def index(request: HttpRequest) -> HttpResponse:
    """Subscribe somebody: the row and the task are stored together, or neither."""
    form = SubscribeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            subscriber = form.save()
            send_welcome.enqueue(subscriber.pk)
        return redirect("index")
    shown = {
        "form": form,
        "letters": Letter.objects.select_related("subscriber").order_by("-pk")[:10],
        "executions": TaskExecution.objects.order_by("-id")[:10],
    }
    return render(request, "letters/index.html", shown)
