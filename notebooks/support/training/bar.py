"""A training within a cell or a script, with a progress bar."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from tqdm.auto import tqdm

from .plan import TrainingPlan


def train_with_bar(plan: TrainingPlan, training: Callable[..., Iterator[Any]]) -> list:
    """The `EpochResult`s of `training(plan.model, plan, on_batch)`; a line each, and a note."""
    plan.begin_files()
    history, shown = [], {}

    def on_batch(batch, loss):
        bar.set_description(f"epoch {len(history) + 1}/{plan.epochs}", refresh=False)
        bar.set_postfix(loss=f"{loss:.3f}", **shown, refresh=False)
        bar.update()

    with (
        torch.random.fork_rng(),  # Dropout draws from the seed, and cells go on where they were
        tqdm(total=plan.epochs * plan.batches, unit="batch", leave=False) as bar,
    ):
        torch.manual_seed(plan.seed % 2**63)
        for result in training(plan.model, plan, on_batch):
            history.append(result)
            shown["accuracy"] = f"{result.accuracy:.2%}"
            bar.write(str(result))  # stays in a saved notebook, where a bar would stand at 0%
        if note := plan.guess_note(history[-1]):
            bar.write(note)
    return history
