"""What every section of the configuration is, and the kinds of value that several have."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from connector.config import values

Duration = Annotated[
    str, BeforeValidator(values.with_unit, json_schema_input_type=str), AfterValidator(values.duration)
]
Whole = Annotated[int, BeforeValidator(values.number)]
Limit = Annotated[str, BeforeValidator(values.limit, json_schema_input_type=int | str)]
Path = Annotated[str, AfterValidator(values.path)]
Template = Annotated[str, AfterValidator(values.template)]
NeededTemplate = Annotated[str, Field(min_length=1), AfterValidator(values.template)]


class Section(BaseModel):
    """A group of keys."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )
