"""What a running stack tells about itself, over its control socket and in its state file."""

from enum import StrEnum

from pydantic import BaseModel

from platform_cli.stack.supervised_process import State


class Phase(StrEnum):
    """Where a stack stands as a whole."""

    STARTING = "starting"
    UP = "up"
    STOPPING = "stopping"
    DOWN = "down"


class ProcessStatus(BaseModel):
    """One process that the supervisor started."""

    name: str
    state: State
    pid: int | None
    started_at: float | None
    """Seconds since the epoch."""
    restarts: int
    where: str
    log: str
    problem: str | None = None
    """Why it is not ready at this moment, though it runs."""


class UsedStatus(BaseModel):
    """Something that was there already and is used."""

    name: str
    where: str


class StackStatus(BaseModel):
    """A whole stack."""

    phase: Phase
    supervisor_pid: int
    processes: list[ProcessStatus]
    used: list[UsedStatus]
    urls: dict[str, str]
    """What a person can open: gateway, api, temporal, traces, mail; those that exist."""
    error: str | None = None
    """Why the stack did not come up."""

    @property
    def is_ready(self) -> bool:
        """Whether everything works."""
        return self.phase is Phase.UP and all(
            process.state is State.READY and process.problem is None for process in self.processes
        )
