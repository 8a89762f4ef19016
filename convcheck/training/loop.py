"""The loop: steps, printed losses, evaluations, checkpoints, and the ways in which a run stops."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convcheck.core.finding import Finding
from convcheck.core.verdict import Verdict
from convcheck.training.checkpoint import Position, save_checkpoint
from convcheck.training.data.image_set import ImageSet
from convcheck.training.evaluation import evaluate
from convcheck.training.learner import DivergedError, Learner
from convcheck.training.metrics import Metrics
from convcheck.training.processes import Processes
from convcheck.training.progress import progress


@dataclass(slots=True)
class Stop:
    """Whether the person has asked to stop; the loop looks at it between steps."""

    asked: bool = False


@contextmanager
def stopping_on_interrupt(processes: Processes) -> Iterator[Stop]:
    """Yields a `Stop` that the first SIGINT or SIGTERM sets; a second one interrupts at once.

    Several processes would stop at different steps and wait for each other; there a signal ends
    them as it always does, and the last checkpoint stands.
    """
    stop = Stop()
    if processes.size > 1 or threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def ask(number: int, _frame: object) -> None:
        stop.asked = True
        signal.signal(number, signal.default_int_handler)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(
    learner: Learner,
    images: ImageSet,
    start: Position,
    *,
    until: int,
    out: Path,
    stop: Stop,
    log: Callable[[str], None],
    shows_progress: bool,
) -> tuple[Position, tuple[Finding, ...]]:
    """Takes steps until `until`, a stop, or a loss that is not finite.

    Args:
        learner: What learns; at `start.step`.
        images: The pictures.
        start: Where the run stands.
        until: Step at which to stop, at most `learner.total_steps`.
        out: Directory of checkpoints and metrics.
        stop: Looked at between steps.
        log: Takes one line for people.
        shows_progress: Whether progress goes to stderr.

    Returns:
        Where the run stands now, and a finding where it diverged.
    """
    recipe, leads = learner.recipe, learner.processes.leads
    evaluations = list(start.evaluations)
    begun = time.monotonic() - start.seconds
    metrics = Metrics(out / "metrics.jsonl", start.step) if leads else None

    def position() -> Position:
        return Position(
            step=learner.step,
            identity=start.identity,
            seconds=time.monotonic() - begun,
            evaluations=tuple(evaluations),
            finished=learner.step == learner.total_steps,
        )

    def note(**values: Any) -> None:
        assert metrics is not None
        seconds = round(time.monotonic() - begun, 3)
        metrics.add(step=learner.step, epoch=learner.step / learner.steps_per_epoch,
                    seconds=seconds, data=images.label, **values)  # fmt: skip

    def save() -> None:
        learner.check_losses()
        if leads:
            save_checkpoint(out, position(), learner.tensors())

    saved = start.step
    with progress(
        learner.step, learner.total_steps, recipe.batch_size, shown=shows_progress and leads
    ) as advance:
        try:
            while learner.step < until and not stop.asked:
                learner.take_step()
                advance(learner.step)
                if printed_window(learner, learner.step) and leads:
                    loss = mean_loss(learner, learner.step)
                    rate = recipe.rate(learner.step - 1, learner.total_steps)
                    note(loss=loss, learning_rate=rate)
                    log(loss_line(learner, loss))
                if learner.step % learner.steps_per_epoch == 0 and leads:
                    found = evaluate(
                        recipe, learner.network, images.test_images, images.test_labels
                    )  # fmt: skip
                    evaluations.append((learner.step, found.accuracy))
                    note(accuracy=found.accuracy)
                    epoch = learner.step // learner.steps_per_epoch
                    log(f"epoch {epoch}: test accuracy {100 * found.accuracy:.2f} %")
                if learner.step % recipe.checkpoint_every == 0:
                    save()
                    saved = learner.step
            if saved != learner.step:
                save()
        except DivergedError as error:
            return position(), (_diverged(learner, error.step, saved),)
    return position(), ()


def printed_window(learner: Learner, step: int) -> int:
    """Returns how many steps the loss printed after `step` is the mean of; 0 where none is.

    As in the tutorial the count starts anew in each epoch; unlike there, the steps at an epoch's
    end that fill no window are told too.
    """
    every, within = learner.recipe.log_every, (step - 1) % learner.steps_per_epoch + 1
    if within % every and within != learner.steps_per_epoch:
        return 0
    return within % every or every


def mean_loss(learner: Learner, step: int) -> float:
    """Returns the mean loss that is printed after `step`, summed as the tutorial does."""
    window = printed_window(learner, step)
    return sum(learner.losses[step - window : step].tolist()) / window


def loss_curve(learner: Learner) -> tuple[tuple[int, float], ...]:
    """Returns every printed loss so far, with its step."""
    steps = range(1, learner.step + 1)
    return tuple((n, mean_loss(learner, n)) for n in steps if printed_window(learner, n))


def loss_line(learner: Learner, loss: float) -> str:
    """Returns the line that the tutorial prints: epoch, step in the epoch, mean loss."""
    epoch, within = divmod(learner.step - 1, learner.steps_per_epoch)
    return f"[{epoch + 1}, {within + 1:5d}] loss: {loss:.3f}"


def _diverged(learner: Learner, step: int, saved: int) -> Finding:
    indices = learner.indices(step).tolist()
    shown = ", ".join(map(str, indices[:16])) + (", ..." if len(indices) > 16 else "")
    return Finding(
        verdict=Verdict.FAIL,
        where=f"step {step + 1}",
        what=f"the loss is {learner.losses[step].item()}",
        why=f"on the training pictures {shown}",
        fix=f"look at these pictures, or lower the learning rate; step {saved} is the last saved",
        details={"step": step + 1, "indices": indices},
    )
