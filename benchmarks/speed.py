"""Seconds a 1024×768 photo, end to end: ONNX Runtime against the same network in torch and against vgg16.

    python benchmarks/speed.py [--rounds 7] [--threads 0]

The engines take turns within one run; medians and their ratios are printed. vgg16 has random weights:
its time does not depend on them.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

import crowdscale
from crowdscale.images import read_image, resize_image
from crowdscale.learn.networks.backbones import VGG16
from crowdscale.learn.networks.fpn import CountingNetwork
from crowdscale.prediction import PredictOptions

PHOTO = Path(__file__).parents[1] / "examples" / "auditorium.jpg"


def contenders(threads: int) -> dict[str, Callable[[bytes], object]]:
    once = PredictOptions(refine=False)
    vgg = CountingNetwork(VGG16(), 11).eval()

    def run_vgg(data: bytes) -> object:
        pixels = read_image(data).pixels
        images = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
        with torch.inference_mode():
            return vgg(images.contiguous(memory_format=torch.channels_last)).fused.argmax(1)

    return {
        "lite, ONNX Runtime, both passes": crowdscale.load(threads=threads).predict,
        "lite, ONNX Runtime, first pass": crowdscale.load(threads=threads, options=once).predict,
        "lite, torch, both passes": crowdscale.load(backend="torch", threads=threads).predict,
        "lite, torch, first pass": crowdscale.load(backend="torch", threads=threads, options=once).predict,
        "vgg16, torch, first pass": run_vgg,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    pixels = resize_image(read_image(PHOTO).pixels, 1024, 768)
    data = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]))[1].tobytes()
    runs = contenders(options.threads)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for round_number in range(options.rounds + 1):
        for name, run in runs.items():
            started = time.perf_counter()
            run(data)
            if round_number:  # the first round warms up
                seconds[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    base = medians["lite, ONNX Runtime, first pass"]
    print(
        f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, median of {options.rounds}\n"
    )
    print("| 1024×768 photo, JPEG bytes to answer | seconds | × ONNX Runtime's first pass |\n|---|---|---|")
    for name, value in medians.items():
        print(f"| {name} | {value:.3f} | {value / base:.2f} |")


if __name__ == "__main__":
    main()
