"""The tables of jobs, and the model of the jobs table."""

from django.db import migrations, models

from rotulus.django.fields import JobIdField, MicrosecondsField
from rotulus.django.store_migrations import ApplyMigration

_STATES = (
    "blocked",
    "delayed",
    "queued",
    "running",
    "succeeded",
    "failed",
    "dead",
    "cancelled",
    "skipped",
)


class Migration(migrations.Migration):
    """Applies migration 0001 of the store."""

    initial = True
    dependencies = ()
    operations = (
        ApplyMigration(1),
        migrations.CreateModel(
            name="TaskExecution",
            fields=[
                ("id", JobIdField(editable=False, primary_key=True, serialize=False)),
                ("task_name", models.TextField(db_column="task")),
                ("queue_name", models.TextField(db_column="queue")),
                ("priority", models.IntegerField()),
                ("state", models.TextField(choices=[(state, state) for state in _STATES])),
                ("reason", models.TextField(null=True)),
                ("attempt", models.IntegerField()),
                ("failures", models.IntegerField()),
                ("worker", models.TextField(null=True)),
                ("key", models.TextField(null=True)),
                ("schedule", models.TextField(null=True)),
                ("enqueued_at", MicrosecondsField(db_column="created_at")),
                ("run_at", MicrosecondsField()),
                ("started_at", MicrosecondsField(null=True)),
                ("finished_at", MicrosecondsField(db_column="ended_at", null=True)),
                ("arguments", models.TextField()),
                ("progress", models.TextField(null=True)),
                ("result", models.TextField(null=True)),
                ("error", models.TextField(null=True)),
            ],
            options={
                "verbose_name": "task execution",
                "db_table": "rotulus_jobs",
                "ordering": ("-id",),
                "managed": False,
                "default_permissions": ("view", "change", "delete"),
            },
        ),
    )
