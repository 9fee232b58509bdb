"""``crowdscale models``: the list of its commands."""

from __future__ import annotations

import typer

from crowdscale.cli.panels import Entry, command_group

__all__ = ["models_app"]


def _list_without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        from crowdscale.cli.models.cards import list_models

        list_models()


models_app = command_group(
    "List, fetch, pack, export and tune models. Without a command: list.",
    Entry("list", "List the models on this machine.", "models.cards:list_models", "Use"),
    Entry("show", "Print a model's card: data, scores, limits, licence.", "models.cards:show", "Use"),
    Entry("fetch", "Fetch a model into the cache and verify it.", "models.files:fetch", "Use"),
    Entry("export", "Write the ONNX graphs of a trained model.", "models.export:export", "Make"),
    Entry("quantize", "Convert a model to 8 bits.", "models.quantize:quantize", "Make"),
    Entry("tune", "Choose zoom and thresholds on validation photos.", "models.tune:tune", "Make"),
    Entry("calibrate", "Measure the intervals of counts.", "models.calibrate:calibrate", "Make"),
    Entry("profile", "Learn which photos deserve a warning.", "models.profile:profile", "Make"),
    Entry("note", "Add scores, limits and pictures to a model's card.", "models.cards:note", "Publish"),
    Entry("card", "Write a model's card as Markdown.", "models.cards:card", "Publish"),
    Entry("pack", "Write a model as one file.", "models.files:pack", "Publish"),
    callback=_list_without_command,
    without_command=True,
)
