"""The tasks, and how Pub/Sub delivers them."""

from django.core.mail import send_mail
from django.utils import timezone

from letters.models import Letter, Subscriber
from rotulus.django import TaskRoute, kill_switch, task


@task(retries=3, timeout=30)
def send_welcome(subscriber_id: int) -> str:
    """Send the first letter."""
    return send(Subscriber.objects.get(pk=subscriber_id), "Welcome")


@task()
@kill_switch("ENABLE_DIGEST")
def send_digest() -> int:
    """Send the letter of the hour to everybody; how many there are."""
    subject = f"News of {timezone.now():%d %B, %H:00}"
    return len([send(one, subject) for one in Subscriber.objects.all()])


def send(subscriber: Subscriber, subject: str) -> str:
    """Send a letter, unless it was sent before; its subject."""
    _, is_new = Letter.objects.get_or_create(subscriber=subscriber, subject=subject)
    if is_new:
        send_mail(subject, "Good day!", "letters@example.org", [subscriber.address])
    return subject


tasks = [
    TaskRoute(send_welcome, ack_deadline=60),
    TaskRoute(send_digest, schedule="0 * * * *", schedule_timezone="Europe/London"),
]
