"""The supervisor: brings a stack up tier by tier, keeps it up, and takes it down in reverse order."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from platform_cli.errors import StackError
from platform_cli.services import SERVICES, Service
from platform_cli.stack.plan import Plan, check_ports_of
from platform_cli.stack.process_spec import ProcessSpec
from platform_cli.stack.status import Phase, ProcessStatus, StackStatus, UsedStatus
from platform_cli.stack.supervised_process import State, SupervisedProcess

OnEvent = Callable[[str, str, list[str]], None]
"""Called with the name of a process, what happened to it, and perhaps the last lines of its log."""


class Supervisor:
    """Runs the processes of one plan. It lives in one event loop, in the main thread (see `bound`)."""

    def __init__(self, plan: Plan, *, on_event: OnEvent, on_change: Callable[[StackStatus], None]) -> None:
        self.phase = Phase.STARTING
        self._plan = plan
        self._on_event = on_event
        self._on_change = on_change
        self._tiers: list[list[SupervisedProcess]] = []
        self._workers: dict[str, list[SupervisedProcess]] = {service.name: [] for service in SERVICES}
        self._workers_tier: list[SupervisedProcess] = []
        self._scaling = asyncio.Lock()

    async def start(self) -> None:
        """Start everything and wait until it is ready.

        Raises:
            StackError: something did not become ready; what was started still runs, see `stop`.
        """
        for specs in self._plan.backend_tiers:
            await self._start_tier([self._supervised(spec) for spec in specs])
        await self._prepare()
        for service in SERVICES:
            for instance in range(self._plan.workers[service.name]):
                self._workers[service.name].append(self._supervised(self._plan.worker(service, instance + 1)))
        await self._start_tier(
            [worker for workers in self._workers.values() for worker in workers], tier=self._workers_tier
        )
        await self._start_tier([self._supervised(self._plan.gateway())])
        self.phase = Phase.UP
        self._changed()

    async def stop(self) -> None:
        """Stop everything, last started first."""
        self.phase = Phase.STOPPING
        self._changed()
        for tier in reversed(self._tiers):
            await asyncio.gather(*(process.stop() for process in tier))
        self.phase = Phase.DOWN
        self._changed()

    async def kill(self) -> None:
        """End everything at once, without asking."""
        await asyncio.gather(*(process.stop(kill=True) for tier in self._tiers for process in tier))

    async def scale(self, service: Service, instances: int) -> None:
        """Have that many workers of a service, and wait until they are ready; those that gave up are started again.

        Raises:
            StackError: the stack is not up, a port is taken, or a worker did not become ready.
        """
        async with self._scaling:
            if self.phase is not Phase.UP:
                raise StackError(f"the stack is {self.phase}: scale it once it is up")
            workers = self._workers[service.name]
            failed = [worker for worker in workers[:instances] if worker.state is State.FAILED]
            dropped = workers[instances:] + failed
            await asyncio.gather(*(worker.stop() for worker in dropped))
            for worker in dropped:
                workers.remove(worker)
                self._workers_tier.remove(worker)
            await self._add_workers(service, instances)
            self._changed()

    async def _add_workers(self, service: Service, instances: int) -> None:
        running = {worker.spec.name for worker in self._workers[service.name]}
        specs = [self._plan.worker(service, instance + 1) for instance in range(instances)]
        missing = [spec for spec in specs if spec.name not in running]
        for spec in missing:
            check_ports_of(spec)
        added = [self._supervised(spec) for spec in missing]
        self._workers[service.name].extend(added)
        self._workers_tier.extend(added)
        await _all(worker.start() for worker in added)

    async def status(self) -> StackStatus:
        """Return how everything is, asking each process whether it is ready at this moment."""
        status = self.snapshot()
        ready = [process for tier in self._tiers for process in tier if process.state is State.READY]
        problems = await asyncio.gather(*(_problem(process.spec) for process in ready))
        by_name = {process.spec.name: problem for process, problem in zip(ready, problems, strict=True)}
        for process in status.processes:
            process.problem = by_name.get(process.name)
        return status

    def snapshot(self, *, error: str | None = None) -> StackStatus:
        """Return how everything is, as far as it is known without asking."""
        return StackStatus(
            phase=self.phase,
            supervisor_pid=os.getpid(),
            processes=[
                ProcessStatus(
                    name=process.spec.name,
                    state=process.state,
                    pid=process.pid,
                    started_at=process.started_at,
                    restarts=process.restarts,
                    where=process.spec.where,
                    log=str(process.spec.log),
                )
                for tier in self._tiers
                for process in tier
            ],
            used=[
                UsedStatus(name=backend.name, where=backend.where)
                for backend in self._plan.backends
                if backend.process is None
            ],
            urls=self._plan.urls(),
            error=error,
        )

    async def _start_tier(
        self, processes: list[SupervisedProcess], *, tier: list[SupervisedProcess] | None = None
    ) -> None:
        tier = [] if tier is None else tier
        tier.extend(processes)
        self._tiers.append(tier)
        await _all(process.start() for process in processes)

    async def _prepare(self) -> None:
        """Run what each service and the gateway do once per deployment; these are gone when the workers start."""
        specs = [*(self._plan.prepare(service) for service in SERVICES), self._plan.prepare_gateway()]
        tier = [self._supervised(spec) for spec in specs]
        self._tiers.append(tier)
        await _all(process.run_once() for process in tier)
        self._tiers.remove(tier)
        self._on_event("prepare", "databases and schedules are ready", [])

    def _supervised(self, spec: ProcessSpec) -> SupervisedProcess:
        def on_event(text: str, lines: list[str]) -> None:
            self._on_event(spec.name, text, lines)
            self._changed()

        return SupervisedProcess(spec, on_event=on_event)

    def _changed(self) -> None:
        self._on_change(self.snapshot())


async def _all(starts: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Await all of them; when some fail, raise the first failure once none is under way any more."""
    outcomes = await asyncio.gather(*starts, return_exceptions=True)
    for outcome in outcomes:
        if outcome is not None:
            raise outcome


async def _problem(spec: ProcessSpec) -> str | None:
    return None if spec.ready is None else await spec.ready()
