"""Tokens of a service, the audit of what was done, and webhooks."""

from django.db import migrations

from rotulus.django.store_migrations import ApplyMigration


class Migration(migrations.Migration):
    """Applies migration 0004 of the store."""

    dependencies = (("rotulus", "0003_operations"),)
    operations = (ApplyMigration(4),)
