"""Read-only views: what a service answers on its internal port."""

from dataclasses import dataclass
from typing import Annotated, Final, Generic, TypeVar

from pydantic import Field

from platform_contracts.message import ContractModel

TENANT_HEADER: Final = "X-Tenant"
"""The account a view is read for; a view never shows another one's rows."""

PageSize = Annotated[int, Field(ge=1, le=200)]
"""How many rows one page may have."""

QueryT = TypeVar("QueryT", bound=ContractModel)
AnswerT = TypeVar("AnswerT", bound=ContractModel)


@dataclass(frozen=True)
class View(Generic[QueryT, AnswerT]):
    """One view: where it is, what it is asked by (as query parameters) and what it answers (as JSON)."""

    path: str
    query_type: type[QueryT]
    answer_type: type[AnswerT]
