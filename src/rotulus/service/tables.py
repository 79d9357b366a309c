"""The tables of a service, as classes of SQLAlchemy."""

from datetime import UTC, datetime

from sqlalchemy import DateTime, ForeignKey, LargeBinary, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class Base(DeclarativeBase):
    """The base of the tables that `Database.init` makes: those of a service, and your own."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment with its zone, which SQLite does not keep: UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Returns the value to store."""
        del dialect  # the same on each
        return value if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Returns the value that was read."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ArtifactRow(Base):
    """A row of an artifact: `data` is a JSON text, or `content` is bytes.

    SQLAlchemy reserves the name `metadata`, so the attribute has another name.
    """

    __tablename__ = "rotulus_artifacts"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    parent_id: Mapped[str | None] = mapped_column(
        ForeignKey("rotulus_artifacts.id", ondelete="SET NULL"), index=True
    )
    level: Mapped[int]
    media_type: Mapped[str] = mapped_column(Text)
    data: Mapped[str | None] = mapped_column(Text, deferred=True)
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    metadata_text: Mapped[str] = mapped_column("metadata", Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
