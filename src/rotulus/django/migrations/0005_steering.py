"""Terms of limits that are set by operators, failures that are muted, what workers run."""

from django.db import migrations

from rotulus.django.store_migrations import ApplyMigration


class Migration(migrations.Migration):
    """Applies migration 0005 of the store."""

    dependencies = (("rotulus", "0004_access"),)
    operations = (ApplyMigration(5),)
