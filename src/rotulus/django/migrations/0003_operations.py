"""Statistics, labels, and the fingerprints of failures."""

from django.db import migrations, models

from rotulus.django.store_migrations import ApplyMigration, FinishMigrations


class Migration(migrations.Migration):
    """Applies migration 0003 of the store in a transaction, and builds its indexes after that."""

    atomic = False
    dependencies = (("rotulus", "0002_outbox"),)
    operations = (
        ApplyMigration(3),
        migrations.AddField(
            model_name="taskexecution",
            name="labels_json",
            field=models.TextField(db_column="labels", null=True),
        ),
        FinishMigrations(),
    )
