"""Fields for the columns of the jobs table: ids, and moments as whole microseconds."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from rotulus._jobs.record import micros, moment
from rotulus._text.ids import is_id

if TYPE_CHECKING:
    _Field = models.Field[Any, Any]
    _DateTimeField = models.DateTimeField[Any, Any]
else:  # only their stubs are generic
    _Field = models.Field
    _DateTimeField = models.DateTimeField


class JobIdField(_Field):
    """The id of a job: a UUID as text, for any type of column."""

    description = "The id of a job"

    def get_internal_type(self) -> str:
        """Returns the name of a text field."""
        return "CharField"

    def db_type(self, connection: Any) -> str:
        """Returns the type of the column."""
        return "uuid" if connection.vendor == "postgresql" else "text"

    def from_db_value(self, value: Any, *_: Any) -> str | None:
        """A text."""
        return None if value is None else str(value)

    def to_python(self, value: Any) -> str | None:
        """Returns a text. Raises `ValidationError` if it is no id."""
        if value is None:
            return None
        if not is_id(str(value)):
            raise ValidationError(f"{value!r} is not the id of a job: give a UUID")
        return str(value)

    def get_prep_value(self, value: Any) -> str | None:
        """Returns a text, as `to_python` does."""
        return self.to_python(super().get_prep_value(value))


class MicrosecondsField(_DateTimeField):
    """A moment in a column of whole microseconds since 1970.

    Moments can be compared and ordered. Parts, such as `__date`, are not available: the column is a
    number.
    """

    description = "A moment"

    def get_internal_type(self) -> str:
        """Returns the name of a number field."""
        return "BigIntegerField"

    def from_db_value(self, value: int | None, *_: Any) -> datetime | None:
        """Returns the moment in Django's form: with its zone, unless `USE_TZ` is false."""
        if value is None:
            return None
        found = moment(value)
        return found if settings.USE_TZ else timezone.make_naive(found)

    def get_prep_value(self, value: Any) -> int | None:
        """Returns the number of microseconds."""
        if value is None or isinstance(value, int):
            return value
        moment = self.to_python(value)
        if moment is None:
            return None
        return micros(moment if timezone.is_aware(moment) else timezone.make_aware(moment))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:  # noqa: ARG002 - Django's own
        """The same."""
        return value if prepared else self.get_prep_value(value)

    def get_lookup(self, lookup_name: str) -> Any:
        """Returns None for lookups of a part of a moment."""
        return models.Field.class_lookups.get(lookup_name)

    def get_transform(self, lookup_name: str) -> Any:  # noqa: ARG002 - there are none
        """Returns None: there are no parts."""
        return
