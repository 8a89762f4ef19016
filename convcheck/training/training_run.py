"""`train`: one run, from the pictures to the result."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from convcheck.core.errors import InputError, UsageError
from convcheck.core.finding import Finding
from convcheck.core.verdict import Verdict
from convcheck.models import LayerCall
from convcheck.runtime.atomic import write_atomic
from convcheck.runtime.lock import hold
from convcheck.training.checkpoint import (
    Position,
    clear_checkpoints,
    last_position,
    load_checkpoint,
)
from convcheck.training.data.image_set import ImageSet
from convcheck.training.data.load import load_data
from convcheck.training.data.shapes10 import DIFFICULTIES
from convcheck.training.evaluation import evaluate
from convcheck.training.first_batch import check_first_batch, check_layers
from convcheck.training.identity import (
    device_name,
    find_device,
    run_identity,
    versions,
    weights_digest,
)
from convcheck.training.learner import Learner, settings
from convcheck.training.loop import loss_curve, run, stopping_on_interrupt
from convcheck.training.pictures import filters, make_pictures
from convcheck.training.processes import Processes, joined
from convcheck.training.recipe import Recipe, with_fast_settings
from convcheck.training.recipes import find_recipe
from convcheck.training.result import TrainingResult
from convcheck.training.shared_norm import share_norms


def train(
    recipe: Recipe | str | None = None,
    data: ImageSet | str | Path = "shapes10",
    *,
    seed: int = 0,
    epochs: int | None = None,
    max_steps: int | None = None,
    fast: bool = False,
    out: str | Path | None = None,
    resume: bool = False,
    device: str = "auto",
    skip_broken: bool = False,
    download: bool = False,
    log: Callable[[str], None] = lambda line: None,
    progress: bool = False,
) -> TrainingResult:
    """Trains a network and returns what came of it.

    Every layer's size is validated before the first step, and the first batch's loss and gradient
    are compared with their exact values; a mismatch ends the run there. Under `torchrun` each
    process takes its share of every batch, and rank 0 alone writes.

    Args:
        recipe: A recipe or its name; by default `quick` on the drawn shapes, `notes` elsewhere.
        data: The pictures, or what `load_data` takes: a name or a directory.
        seed: Decides the first weights, the order, the flips and the shifts; 0 <= seed < 2**32.
        epochs: Passes over the training pictures, instead of the recipe's.
        max_steps: Stops after so many steps in all, as an interrupt would; `resume` goes on.
        fast: Whether to take settings that round otherwise and cost less per small step.
        out: Directory of the run; "runs/train-RECIPE-DATA-seedN" by default.
        resume: Goes on from the last checkpoint in `out`, or starts where there is none.
        device: "auto", "cpu" or "cuda".
        skip_broken: Leaves out pictures that cannot be decoded.
        download: Whether CIFAR-10 may be fetched where it is not found.
        log: Takes one line for people.
        progress: Whether rate and time left go to stderr.

    Returns:
        The result; its verdict is FAIL where a check failed or the loss left the finite numbers,
        UNKNOWN where the run was stopped before its end.

    Raises:
        InputError: The pictures, the checkpoint or the directory cannot be used.
        UsageError: A recipe or device that does not exist, or a number out of range.
    """
    if not 0 <= seed < 2**32:
        raise UsageError(f"seed {seed}", why="it must be at least 0 and below 2**32")
    if max_steps is not None and max_steps < 1:
        raise UsageError(f"max_steps {max_steps}", why="it must be at least 1")
    chosen = _recipe(recipe, data)
    if epochs is not None:
        chosen = replace(chosen, epochs=epochs)
    if fast:
        chosen = with_fast_settings(chosen)
    place = find_device(device)
    with joined(place) as processes, settings(chosen):
        say = log if processes.leads else lambda line: None
        images = _load(data, processes, skip_broken=skip_broken, download=download, log=say)
        if chosen.batch_size > len(images.train_labels):
            raise InputError(
                f"batch size {chosen.batch_size} is larger than the data",
                why=f"{images.label} has {len(images.train_labels)} training pictures",
                fix="give more pictures, or a recipe with a smaller batch",
            )
        if chosen.batch_size < processes.size:
            raise UsageError(
                f"{processes.size} processes share a batch of {chosen.batch_size}",
                why="each of them needs a picture at every step",
                fix=f"start at most {chosen.batch_size}",
            )
        directory = Path(out) if out else _default_directory(chosen, images, seed)
        say(f"{chosen.name}: {chosen.says}")
        say(f"data: {images.label}, {len(images.train_labels)} + {len(images.test_labels)}")
        with hold(directory) if processes.leads else nullcontext():
            return _train(
                chosen, images, directory, processes, seed=seed, max_steps=max_steps,
                resume=resume, device=place, log=say, progress=progress,
            )  # fmt: skip


def _train(
    recipe: Recipe,
    images: ImageSet,
    out: Path,
    processes: Processes,
    *,
    seed: int,
    max_steps: int | None,
    resume: bool,
    device: torch.device,
    log: Callable[[str], None],
    progress: bool,
) -> TrainingResult:
    learner = Learner(recipe, images, seed=seed, device=device, processes=processes)
    digest = images.sha256()
    identity = run_identity(recipe, images.label, digest, seed, device, processes)
    stored = _stored(out, identity, resume=resume)
    processes.wait()
    layers, findings = _check(learner, log)
    told = TrainingResult(
        recipe=recipe.name,
        settings=recipe.settings(),
        data=images.label,
        data_sha256=digest,
        classes=images.classes,
        seed=seed,
        device=device_name(device),
        versions=versions(),
        layers=layers,
        findings=findings,
        total_steps=learner.total_steps,
        out=out,
    )
    if any(finding.verdict is not Verdict.PASS for finding in findings):
        return told
    if processes.size > 1:
        share_norms(learner.network)
    before = filters(learner.network)
    start = Position(step=0, identity=identity)
    if stored is not None:
        start, tensors = stored
        try:
            learner.restore(tensors, start.step)
        except (RuntimeError, KeyError) as error:
            raise InputError(
                "the checkpoint is of another network",
                why=" ".join(str(error).split()),
                where=str(out),
                fix="go on with the network it was made with, or choose another --out",
            ) from None
        log(f"resumed at step {start.step} of {learner.total_steps}")
    elif processes.leads:
        clear_checkpoints(out)
    if learner.is_compiled:
        log("compiling, before the clock starts")
        learner.warm_up()
    until = min(learner.total_steps, max_steps or learner.total_steps)
    with stopping_on_interrupt(processes) as stop:
        end, faults = run(
            learner, images, start, until=until, out=out, stop=stop, log=log,
            shows_progress=progress,
        )  # fmt: skip
    told = replace(
        told,
        findings=(*findings, *faults),
        steps=learner.step,
        seconds=end.seconds,
        losses=learner.losses[: learner.step].cpu().numpy(),
        loss_curve=loss_curve(learner),
        evaluations=end.evaluations,
        weights_sha256=weights_digest(learner),
        network=learner.network,
        interrupted=not end.finished and not faults,
    )
    if end.finished and not faults:
        told = _finish(told, learner, images, before)
    if processes.leads:
        write_atomic(out / "result.json", json.dumps(told.to_json(), indent=1).encode())
        if told.pictures is not None:
            told.pictures.save(out / "pictures.npz")
    return told


def _check(
    learner: Learner, log: Callable[[str], None]
) -> tuple[tuple[LayerCall, ...], tuple[Finding, ...]]:
    """Returns the layers and what was found before the first step; prints both."""
    report, findings = check_layers(learner)
    for layer in report.layers:
        log(layer_line(layer))
    if report.passed:
        findings = (*findings, *check_first_batch(learner))
    for finding in findings:
        log(f"{finding.verdict} {finding.where}: {finding.what}")
    return report.layers, findings


def layer_line(layer: LayerCall) -> str:
    """Returns one line of the table of layers: sizes, the formula's size, parameters."""
    sizes = ["x".join(map(str, shape[1:])) for shape in (layer.input_shape, layer.output_shape)]
    formula = "x".join(map(str, layer.expected_shape[1:])) if layer.expected_shape else "-"
    name = layer.path or layer.op
    return (
        f"  {name:<18} {layer.op:<12} {sizes[0]:>10} -> {sizes[1]:<10} "
        f"formula {formula:<10} {layer.parameters:>8} parameters"
    )


def _finish(
    told: TrainingResult, learner: Learner, images: ImageSet, before: Any
) -> TrainingResult:
    recipe, network = learner.recipe, learner.network
    test = (images.test_images, images.test_labels)
    found = evaluate(recipe, network, *test)
    confusion = found.confusion()
    shares = confusion.diagonal() / confusion.sum(axis=1).clip(min=1)
    return replace(
        told,
        accuracy=found.accuracy,
        mirrored_accuracy=(
            evaluate(recipe, network, *test, mirrored=True).accuracy if recipe.flip else None
        ),
        per_class=dict(zip(images.classes, map(float, shares), strict=True)),
        confusion=confusion,
        pictures=make_pictures(recipe, network, before, images, found),
    )


def _recipe(recipe: Recipe | str | None, data: ImageSet | str | Path) -> Recipe:
    if isinstance(recipe, Recipe):
        return recipe
    is_drawn = str(data) in {difficulty.name for difficulty in DIFFICULTIES}
    return find_recipe(recipe or ("quick" if is_drawn else "notes"))


def _load(
    data: ImageSet | str | Path,
    processes: Processes,
    *,
    log: Callable[[str], None],
    **options: bool,
) -> ImageSet:
    if isinstance(data, ImageSet):
        return data
    if not processes.leads:
        processes.wait()  # The first process fills the cache that the others read.
    images = load_data(data, log=log, **options)
    if processes.leads:
        processes.wait()
    return images


def _default_directory(recipe: Recipe, images: ImageSet, seed: int) -> Path:
    short = images.label.split(" (")[0].replace(",", "").replace(" ", "-").lower()
    return Path("runs") / f"train-{recipe.name}-{short}-seed{seed}"


def _stored(
    out: Path, identity: Mapping[str, Any], *, resume: bool
) -> tuple[Position, dict[str, torch.Tensor]] | None:
    if resume:
        return load_checkpoint(out, identity)
    position = last_position(out)
    if position is not None and not position.finished:
        raise InputError(
            f"{out} holds a run that stands at step {position.step}",
            why="starting over would overwrite it",
            fix="go on with --resume, choose another directory with --out, or remove it",
        )
    return None
