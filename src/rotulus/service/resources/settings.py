"""`/api/v1/settings`: the settings of an app, and where each comes from."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from rotulus._tasks.masking import MASK
from rotulus.config import SECRETS, SETTINGS, Origin, Setting
from rotulus.service.guard import ResourceRouter
from rotulus.service.state import app_of


class SettingInfo(BaseModel):
    """A setting of the app."""

    name: str
    value: Any = Field(
        description="Null: there is none. A secret is `***`, and a URL has no password."
    )
    origin: Origin = Field(description="Who gave it.")
    place: str | None = Field(
        description="The name of the variable, or the path of the file and its table; else null."
    )
    help: str = Field(description="What it is for.")


class Settings(BaseModel):
    """The settings of the app, all that there are."""

    items: list[SettingInfo]


def make_settings_router(
    prefix: str = "/api/v1/settings", tags: Sequence[str] = ("System",)
) -> APIRouter:
    """Returns the route of settings.

    Args:
        prefix: its path.
        tags: the tags of the operation.
    """
    router = ResourceRouter("/api/v1/settings", prefix, tags)
    router.get("", operation_id="list_settings", summary="List settings")(list_settings)
    return router


async def list_settings(request: Request) -> Settings:
    """The settings of the app in this process, and where each comes from. Workers have their own.

    Secrets are shown to nobody, whatever the role.
    """
    found = app_of(request).settings
    return Settings(items=[_shown(name, setting) for name, setting in found.items()])


def _shown(name: str, setting: Setting) -> SettingInfo:
    is_secret = name in SECRETS and setting.value is not None
    return SettingInfo(
        name=name,
        value=MASK if is_secret else _plain(setting.value),
        origin=setting.kind,
        place=setting.place,
        help=SETTINGS[name].help,
    )


def _plain(value: Any) -> Any:
    """Returns a value as JSON has it: of others, such as networks, their text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return [str(one) for one in value]
