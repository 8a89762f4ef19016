"""`Crew`: one worker at a time, replaced when it dies, with a spare where starting one is slow.

A worker that was late is judged only after a second attempt, in a new worker and with three times
the time: a machine that was busy for a moment must not be reported as a function that hangs.
"""

from __future__ import annotations

from convcheck.runtime.frames import Message
from convcheck.runtime.worker import Answer, Death, Service, Worker

CONFIRMATION_FACTOR = 3
# A spare costs the memory of a second interpreter: it is kept where a start is slow, or where
# workers die so often that the next should start while the present one is busy.
_SLOW_START_S = 1.0
_OFTEN = 3


class RestartBudgetError(Exception):
    """More workers died than the caller allows."""


class Crew:
    """Keeps one worker of `service` ready, and counts how many had to be replaced."""

    def __init__(self, service: Service, *, restarts: int = 1000) -> None:
        self._service = service
        self._budget = restarts
        self._worker: Worker | None = None
        self._spare: Worker | None = None
        self.restarts = 0

    def ask(
        self, message: Message, deadline_s: float | None, *, confirm: bool = True
    ) -> Answer | Death:
        """Returns the worker's answer, or its death, after which the next one stands ready.

        Args:
            message: The question.
            deadline_s: Seconds for the answer; None means no limit.
            confirm: Whether a late worker gets a second attempt with three times the seconds; the
                outcome of that attempt, whatever it is, is what counts.

        Raises:
            RestartBudgetError: Too many workers died.
            StartError: A worker could not be started.
            HandlerError: The handler raised.
        """
        answer = self._ask_once(message, deadline_s)
        if confirm and deadline_s and isinstance(answer, Death) and answer.cause == "deadline":
            return self._ask_once(message, deadline_s * CONFIRMATION_FACTOR)
        return answer

    def worker(self) -> Worker:
        """Returns the present worker, ready; starts it if there is none."""
        if self._worker is None:
            self._worker, self._spare = self._spare or Worker(self._service), None
        self._worker.wait_ready()
        return self._worker

    def retire(self) -> None:
        """Kills the present worker, so that the next question meets a new one."""
        if self._worker is not None:
            self._worker.kill()
            self._worker = None

    def close(self) -> None:
        """Kills every worker."""
        self.retire()
        if self._spare is not None:
            self._spare.kill()
            self._spare = None

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask_once(self, message: Message, deadline_s: float | None) -> Answer | Death:
        worker = self.worker()
        answer = worker.ask(message, deadline_s)
        if isinstance(answer, Death):
            self._worker = None
            self._replace(worker)
        return answer

    def _replace(self, dead: Worker) -> None:
        self.restarts += 1
        if self.restarts > self._budget:
            raise RestartBudgetError(f"{self.restarts} workers died; {self._budget} were allowed")
        self._worker, self._spare = self._spare or Worker(self._service), None
        if dead.start_seconds > _SLOW_START_S or self.restarts >= _OFTEN:
            self._spare = Worker(self._service)
