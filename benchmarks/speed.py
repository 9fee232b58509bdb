"""Seconds from the bytes of a 1024×768 JPEG to its people: our engines against CSRNet and MCNN in torch.

    python benchmarks/speed.py [--model lite] [--also nano] [--int8 lite-int8] [--rounds 7] [--threads 2]

The contenders take turns within one run, each in a process of its own, as a user has one of them. Medians, the fastest runs and ratios to CSRNet are printed. Ours look
twice (with refinement) unless it says otherwise. Processor seconds are those of all threads: with one thread
they compare engines on a machine that is busy with other things, too (with more, ONNX Runtime's waiting counts). CSRNet and MCNN have random weights: their time does not
depend on them, and nothing of their output but its sum is used. ``--int8`` is a model in 8 bits (``crowdscale models quantize``);
empty for none. OpenVINO's rows need the extra [openvino]. "2 at a time" are as many photos as there are threads, each
counted by one thread, as ``crowdscale count FOLDER --workers 2 --threads 1`` does: seconds are per photo.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

import crowdscale
from crowdscale.counting.predictor import PredictOptions
from crowdscale.files.images import read_image, resize_image

PHOTO = Path(__file__).parents[1] / "examples" / "auditorium.jpg"

Run = Callable[[bytes], object]


def csrnet() -> nn.Module:
    """CSRNet (Li, Zhang, Chen 2018), configuration B: VGG16 to conv4_3, then dilation 2; 16.3 M parameters."""
    layers: list[nn.Module] = []
    inputs = 3
    for width in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512):
        layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU(True)] if width else [nn.MaxPool2d(2)]
        inputs = width or inputs
    for width in (512, 512, 512, 256, 128, 64):
        layers += [nn.Conv2d(inputs, width, 3, padding=2, dilation=2), nn.ReLU(True)]
        inputs = width
    return nn.Sequential(*layers, nn.Conv2d(inputs, 1, 1))


class MCNN(nn.Module):
    """MCNN (Zhang et al. 2016): three columns with large, middle and small kernels; 0.13 M parameters."""

    columns = ((9, 7, 16, 32, 16, 8), (7, 5, 20, 40, 20, 10), (5, 3, 24, 48, 24, 12))

    def __init__(self) -> None:
        super().__init__()
        built = []
        for first, kernel, *widths in self.columns:
            layers: list[nn.Module] = []
            inputs = 3
            for index, width in enumerate(widths):
                side = first if index == 0 else kernel
                layers += [nn.Conv2d(inputs, width, side, padding=side // 2), nn.ReLU(True)]
                layers += [nn.MaxPool2d(2)] if index < 2 else []
                inputs = width
            built.append(nn.Sequential(*layers))
        self.built = nn.ModuleList(built)
        self.mix = nn.Conv2d(30, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.mix(torch.cat([column(x) for column in self.built], 1))


RIVALS: dict[str, tuple[str, Callable[[], nn.Module]]] = {
    "csrnet": ("CSRNet", csrnet),
    "mcnn": ("MCNN", MCNN),
}


def in_torch(network: nn.Module) -> Run:
    """Decode, normalise, run and sum up, with the memory layout in which torch is fastest on a CPU."""
    network = network.eval().to(memory_format=torch.channels_last)

    def run(data: bytes) -> object:
        images = torch.from_numpy(read_image(data).pixels).permute(2, 0, 1)[None].float() / 255
        with torch.inference_mode():
            return float(network(images.contiguous(memory_format=torch.channels_last)).sum())

    return run


@dataclass(frozen=True)
class Contender:
    """One way to count: a rival's network, or a model of ours by an engine."""

    model: str
    """``csrnet``, ``mcnn``, or a model's name or folder."""
    backend: str
    threads: int
    refine: bool = True
    photos: int = 1
    """How many are counted at once, each by a thread of its own."""

    def build(self) -> Run:
        """Return what counts the bytes of a photo."""
        torch.set_num_threads(self.threads)
        cv2.setNumThreads(self.threads)
        if self.model in RIVALS:
            return in_torch(RIVALS[self.model][1]())
        options = PredictOptions(refine=self.refine)
        threads = self.threads if self.photos == 1 else 1
        run = crowdscale.load(self.model, backend=self.backend, threads=threads, options=options).predict
        if self.photos == 1:
            return run
        pool = ThreadPoolExecutor(self.photos)
        return lambda data: list(pool.map(run, [data] * self.photos))


def serve(contender: Contender, data: bytes, pipe: Connection) -> None:
    """Count the photo each time one is told to; answer with its seconds and processor seconds."""
    run = contender.build()
    while pipe.recv():
        started, before = time.perf_counter(), time.process_time()
        run(data)
        taken = (time.perf_counter() - started, time.process_time() - before)
        pipe.send(tuple(value / contender.photos for value in taken))


def contenders(model: str, int8: str | None, also: list[str], threads: int) -> dict[str, Contender]:
    known = {f"{label}, torch": Contender(name, "torch", threads) for name, (label, _) in RIVALS.items()}
    known[f"{model}, torch"] = Contender(model, "torch", threads)
    for engine in ["onnx", *(["openvino", "openvino-bf16"] if find_spec("openvino") else [])]:
        ours = Contender(model, engine, threads)
        known[f"{model}, {engine}"] = ours
        known[f"{model}, {engine}, first look alone"] = replace(ours, refine=False)
        if int8:
            known[f"{int8}, {engine}"] = replace(ours, model=int8)
    for other in also:
        known[f"{other}, onnx"] = Contender(other, "onnx", threads)
    if threads > 1:
        for name in (f"{model}, onnx", f"{model}, openvino-bf16", f"{int8}, onnx"):
            if name in known:
                known[f"{name}, {threads} at a time"] = replace(known[name], photos=threads)
    return known


def processor() -> str:
    """What Linux says of the processor; family 25 with model 17 is Zen 4, family 26 Zen 5."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "unknown processor"
    known = dict(
        line.split("\t: ", 1) for line in (each.replace("\t\t", "\t") for each in lines) if "\t: " in line
    )
    return f"{known.get('model name')}, family {known.get('cpu family')}, model {known.get('model')}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="lite")
    parser.add_argument("--also", nargs="*", default=[], help="Further models, by ONNX Runtime.")
    parser.add_argument("--int8", default="lite-int8")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    pixels = resize_image(read_image(PHOTO).pixels, 1024, 768)
    data = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]))[1].tobytes()
    spawn = multiprocessing.get_context("spawn")
    pipes: dict[str, Connection] = {}
    for name, contender in contenders(options.model, options.int8, options.also, options.threads).items():
        pipes[name], theirs = spawn.Pipe()
        spawn.Process(target=serve, args=(contender, data, theirs), daemon=True).start()
        theirs.close()  # so that a contender that fails ends the run
    seconds: dict[str, list[float]] = {name: [] for name in pipes}
    used: dict[str, list[float]] = {name: [] for name in pipes}
    for number in range(options.rounds + 1):
        for name, pipe in pipes.items():
            pipe.send(True)
            taken, busy_for = pipe.recv()
            if number:  # the first round warms up
                seconds[name].append(taken)
                used[name].append(busy_for)
    for pipe in pipes.values():
        pipe.send(False)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print(f"{processor()}, {options.threads} threads, {options.rounds} rounds\n")
    busy = {name: statistics.median(values) for name, values in used.items()}
    print(
        "| 1024×768, bytes to answer | median s | fastest s | photos/s | × CSRNet | processor s | × CSRNet |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, value in medians.items():
        ratio, share = medians["CSRNet, torch"] / value, busy["CSRNet, torch"] / busy[name]
        cells = f"{value:.3f} | {min(seconds[name]):.3f} | {1 / value:.1f} | {ratio:.1f} | {busy[name]:.3f} | {share:.1f}"
        print(f"| {name} | {cells} |")


if __name__ == "__main__":
    main()
