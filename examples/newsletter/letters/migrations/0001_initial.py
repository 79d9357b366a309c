"""Subscribers and letters."""

from django.db import migrations, models

_ID = (
    "id",
    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
)


class Migration(migrations.Migration):
    """The tables as they are first."""

    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            "Subscriber",
            fields=[
                _ID,
                ("address", models.EmailField(unique=True)),
                ("since", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            "Letter",
            fields=[
                _ID,
                ("subject", models.CharField(max_length=100)),
                ("sent_at", models.DateTimeField(auto_now_add=True)),
                (
                    "subscriber",
                    models.ForeignKey("letters.Subscriber", models.CASCADE, related_name="letters"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["subscriber", "subject"], name="a_letter_goes_once"
                    )
                ]
            },
        ),
    )
