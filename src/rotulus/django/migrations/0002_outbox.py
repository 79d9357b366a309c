"""The outbox: messages to be published for jobs that are carried to an endpoint outside."""

from django.db import migrations

from rotulus.django.store_migrations import ApplyMigration


class Migration(migrations.Migration):
    """Applies migration 0002 of the store."""

    dependencies = (("rotulus", "0001_jobs"),)
    operations = (ApplyMigration(2),)
