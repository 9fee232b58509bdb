"""Depthwise convolutions in float32 within bfloat16: the same values, only nearer to float32."""

import pytest
import torch

from crowdscale.learn.networks.backbones import Lite
from crowdscale.learn.networks.folding import SamePadConv
from crowdscale.learn.training.speed import choose_precision, keep_depthwise_exact


@pytest.mark.parametrize(("able", "precision"), [(True, "bf16-mixed"), (False, "32-true")])
def test_a_processor_without_bfloat16_trains_in_float32(able, precision, monkeypatch):
    monkeypatch.setattr("crowdscale.learn.training.speed._processor_has_bf16", lambda: able)
    assert choose_precision("auto", "cpu") == precision
    assert choose_precision("bf16-mixed", "cpu") == "bf16-mixed"
    assert choose_precision("32-true", "cpu") == "32-true"


def test_strided_and_wide_depthwise_layers_alone_are_kept_exact():
    model = Lite()
    keep_depthwise_exact(model)
    layers = [layer for layer in model.modules() if isinstance(layer, SamePadConv)]
    exact = {layer for layer in layers if layer.exact}
    assert exact == {x for x in layers if x.groups > 1 and (x.kernel_size[0] == 5 or x.stride[0] == 2)}
    assert 0 < len(exact) < len(layers)


def test_an_exact_layer_computes_in_float32_and_gives_the_kind_that_it_was_given():
    layer = SamePadConv(8, 8, 5, 2, groups=8)
    values = torch.rand(1, 8, 12, 12).bfloat16()
    plain = layer(values.float())
    layer.exact = True
    with torch.autocast("cpu", torch.bfloat16):
        exact = layer(values)
    assert exact.dtype == torch.bfloat16
    torch.testing.assert_close(exact, plain.bfloat16(), rtol=0, atol=0)
