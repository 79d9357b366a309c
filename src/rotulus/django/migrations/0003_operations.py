"""Statistics, and the fingerprints of failures."""

from django.db import migrations

from rotulus.django.store_migrations import ApplyMigration


class Migration(migrations.Migration):
    """Applies migration 0003 of the store."""

    dependencies = (("rotulus", "0002_outbox"),)
    operations = (ApplyMigration(3),)
