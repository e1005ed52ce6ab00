"""The base of every message that crosses a boundary."""

from pydantic import BaseModel, ConfigDict


class ContractModel(BaseModel):
    """A frozen message that ignores fields it does not know.

    Senders and receivers are deployed apart, so a message grows by optional fields only; a breaking change is a new
    type with a new name (docs/how-to/add-a-workflow.md).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
