"""The outbox: messages to be published for jobs that are carried to an endpoint outside."""

from django.db import migrations

from rotulus.django.steps import ApplyStep


class Migration(migrations.Migration):
    """Applies step 0002."""

    dependencies = (("rotulus", "0001_jobs"),)
    operations = (ApplyStep(2),)
