"""The readers of the newsletter, and the letters that were sent."""

from django.db import models


class Subscriber(models.Model):
    """A reader, who gets the letters."""

    address = models.EmailField(unique=True)
    since = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.address


class Letter(models.Model):
    """A letter that was sent."""

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="letters")
    subject = models.CharField(max_length=100)
    sent_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """A letter is sent once, however often its task is run."""

        constraints = (
            models.UniqueConstraint(fields=["subscriber", "subject"], name="a_letter_goes_once"),
        )

    def __str__(self) -> str:
        return f"{self.subject} to {self.subscriber}"
