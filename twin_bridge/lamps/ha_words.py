"""How Home Assistant words its discovery messages: long and short names, and one thing for a list of it."""

from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict


def either(name: str, short: str) -> Any:
    return AliasChoices(name, short)


def listed(value: Any) -> Any:
    """Home Assistant takes one thing for a list of it, and null for an empty one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


Texts = Annotated[list[str], BeforeValidator(listed)]


class Part(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, frozen=True, coerce_numbers_to_str=True)
