"""The backend ``torch``: runs an AutoScale model with the same interface as the exported graphs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from crowdscale.arrays import Maps
from crowdscale.backends import NetworkOutput
from crowdscale.backends.graphs import padded_input
from crowdscale.errors import ModelError, OptionError
from crowdscale.learn.export.graph import infer
from crowdscale.learn.model import AutoScale
from crowdscale.learn.store import WEIGHTS, build_model, load_weights
from crowdscale.models.description import ModelConfig

__all__ = ["TorchBackend"]


class TorchBackend:
    """A model folder's ``weights.safetensors`` (or a model in memory) run by PyTorch in float32."""

    def __init__(self, folder: Path, config: ModelConfig, device: str = "cpu", threads: int = 0) -> None:
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise OptionError("expected a CUDA device", "a machine without one", "Use the device cpu")
        if config.precision != "float32":
            raise ModelError(
                "expected a float32 model for the backend torch",
                f"one in {config.precision}",
                "Use the backend onnx",
            )
        if threads:
            torch.set_num_threads(threads)
        model = build_model(config)
        load_weights(model, folder / WEIGHTS)
        self._keep(model.to(device), config)

    @classmethod
    def from_model(cls, model: AutoScale, config: ModelConfig, bf16: bool = False) -> TorchBackend:
        """Return a backend for a model in memory, which is put in evaluation mode."""
        backend = cls.__new__(cls)
        backend._keep(model, config, bf16)
        return backend

    def _keep(self, model: AutoScale, config: ModelConfig, bf16: bool = False) -> None:
        self.model, self.config, self.bf16 = model.eval(), config, bf16
        self.device = next(model.parameters()).device

    def predict(self, pixels: NDArray[np.uint8]) -> NetworkOutput:
        """Run the counting network on (h, w, 3) RGB pixels."""
        return self.predict_batch([pixels])[0]

    @torch.inference_mode()
    def predict_batch(self, views: Sequence[NDArray[np.uint8]]) -> list[NetworkOutput]:
        """Run the counting network on views of one size together."""
        height, width = views[0].shape[:2]
        images = torch.from_numpy(padded_input(views, self.config)).to(self.device)
        images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            output, features, *blocks = infer(self.model.network, images)
        output = output[:, :, :height, :width].cpu().contiguous()
        tensors = [output, features.cpu(), *(blocks if self.config.codec.counts_blocks else [])]
        return [
            NetworkOutput(*arrays) for arrays in zip(*(each.cpu().numpy() for each in tensors), strict=True)
        ]

    @torch.inference_mode()
    def area_factor(self, pooled: Maps) -> float:
        """Run the scale net on (c, 14, 14) pooled features."""
        if not self.config.refines:
            raise ModelError(
                "expected a model with a scale net", f"{self.config.name} without", "Use refine=False"
            )
        return float(self.model.scale_net(torch.from_numpy(pooled)[None].to(self.device))[0])
