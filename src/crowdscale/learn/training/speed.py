"""Speed of training on a processor: the layers that its library does not do well in bfloat16."""

from __future__ import annotations

from torch import nn

from crowdscale.learn.networks.folding import SamePadConv

__all__ = ["keep_depthwise_exact"]


def keep_depthwise_exact(model: nn.Module) -> None:
    """Have a processor compute strided and 5×5 depthwise convolutions in float32, all else in bfloat16 where asked.

    oneDNN takes two to six times as long for their gradients in bfloat16 as in float32, while full convolutions
    are more than twice as fast in bfloat16.
    """
    for layer in model.modules():
        if isinstance(layer, SamePadConv) and layer.groups > 1:
            layer.exact = layer.kernel_size[0] > 3 or layer.stride[0] > 1
