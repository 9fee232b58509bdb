"""Speed of training on a processor: the precision, and the layers that its library does not do well in bfloat16."""

from __future__ import annotations

import torch
from torch import nn

from crowdscale.learn.networks.folding import SamePadConv

__all__ = ["choose_precision", "keep_depthwise_exact"]


def choose_precision(precision: str, device: str) -> str:
    """Return a precision as given; for ``auto`` bf16-mixed where the device computes in bfloat16, else 32-true.

    A processor without AVX-512 emulates bfloat16. There a convolution with its gradient takes 2.3 (3×3) to 6.5 (1×1)
    times as long as in float32, measured on an AMD EPYC (Zen 3).
    """
    if precision != "auto":
        return precision
    on_gpu = device in ("cuda", "gpu") or (device == "auto" and torch.cuda.is_available())
    able = torch.cuda.is_bf16_supported() if on_gpu else _processor_has_bf16()
    return "bf16-mixed" if able else "32-true"


def _processor_has_bf16() -> bool:
    """Return whether oneDNN computes in bfloat16 here; True where this version of torch cannot say."""
    asked = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return True if asked is None else bool(asked())


def keep_depthwise_exact(model: nn.Module) -> None:
    """Have a processor compute strided and 5×5 depthwise convolutions in float32, all else in bfloat16 where asked.

    oneDNN takes two to six times as long for their gradients in bfloat16 as in float32, while full convolutions
    are more than twice as fast in bfloat16.
    """
    for layer in model.modules():
        if isinstance(layer, SamePadConv) and layer.groups > 1:
            layer.exact = layer.kernel_size[0] > 3 or layer.stride[0] > 1
