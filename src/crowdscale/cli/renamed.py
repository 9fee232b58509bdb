"""Names of the last release that still work: each prints one sentence with the new name."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import MappingProxyType

from crowdscale.errors import OptionError

__all__ = ["COMMANDS", "GONE_OPTIONS", "MOVED", "OPTIONS", "current_command", "current_options"]

COMMANDS: Mapping[str, str] = MappingProxyType({
    "acquaint": "models profile",
    "calibrate": "models calibrate",
    "export": "models export",
    "quantize": "models quantize",
    "tune": "models tune",
})  # fmt: skip
"""New name of each command that moved."""

MOVED: Mapping[str, str] = MappingProxyType({
    "narrow": "research.shrink.narrow",
    "distill": "research.shrink.distill",
    "average": "research.shrink.average",
    "compact": "research.shrink.compact",
    "reproduce": "research.reproduce",
    "data synthesize": "research.synthetic",
})  # fmt: skip
"""The module that a clone of the repository runs instead of each command that left the package."""

FIRST_PASS = {"--no-refine": "--no-second-pass"}
READ_SCALE = {"--base": "--read-scale"}
ZOOM = {"--factor": "--zoom"}

OPTIONS: Mapping[str, Mapping[str, str]] = MappingProxyType({
    "count": {**FIRST_PASS, **ZOOM, **READ_SCALE, "--engine": "--runner"},
    "watch": {**FIRST_PASS, **READ_SCALE},
    "evaluate": {**FIRST_PASS, **ZOOM, "--again": "--third-pass", "--list": "--only"},
    "train": {
        "--validation": "--hold-out",
        "--validation-share": "--hold-out-share",
        "--detach-bracket": "--no-bracket-gradient",
    },
    "models calibrate": {"--list": "--only"},
    "models profile": {"--held-out": "--hold-out"},
    "models quantize": {"--validation": "--hold-out"},
    "models tune": {"--list": "--only"},
})  # fmt: skip
"""New name of each option that was renamed, by command."""

AVERAGING = dict.fromkeys(
    ("--average-flip", "--average-scales"), "Run in a clone of the repository: python -m research.looks"
)

GONE_OPTIONS: Mapping[str, Mapping[str, str]] = MappingProxyType({
    "count": {
        "--again": "Use PredictOptions(third_pass=True) in Python, or `crowdscale evaluate --third-pass`",
        "--merge": "Use PredictOptions(merge=…) in Python, or `crowdscale evaluate --merge published`",
        **AVERAGING,
    },
    "evaluate": AVERAGING,
})  # fmt: skip
"""What to do without each option that is gone, by command."""


def current_command(group: str, args: list[str]) -> list[str]:
    """Return the arguments of the program with an old command name replaced by the new one.

    Args:
        group: The words before the arguments, such as ``crowdscale``.
        args: The arguments.

    Raises:
        OptionError: The command moved to research/.
    """
    if not args:
        return args
    former = " ".join([*group.split()[1:], args[0]])
    if former in MOVED:
        way = f"Run in a clone of the repository: python -m {MOVED[former]}"
        raise OptionError.plain(f"crowdscale {former} moved. {way}")
    if former not in COMMANDS:
        return args
    new = COMMANDS[former]
    _note(f"crowdscale {args[0]}", f"crowdscale {new}")
    return [*new.split(), *args[1:]]


def current_options(command: str, args: list[str]) -> list[str]:
    """Return the arguments of a command with old option names replaced by the new ones.

    Args:
        command: The words before the arguments, such as ``crowdscale count``.
        args: The arguments.

    Raises:
        OptionError: An option is gone.
    """
    name = command.partition(" ")[2]
    renamed, gone = OPTIONS.get(name, {}), GONE_OPTIONS.get(name, {})
    current: list[str] = []
    for index, word in enumerate(args):
        if word == "--":
            return [*current, *args[index:]]
        option, sign, value = word.partition("=")
        if option in gone:
            raise OptionError.plain(f"crowdscale {name} has no option {option} any more", gone[option])
        if option in renamed:
            _note(option, renamed[option])
            option = renamed[option]
        current.append(f"{option}{sign}{value}")
    return current


def _note(old: str, new: str) -> None:
    print(f"Note: {old} is now {new}; the old name works until the next release.", file=sys.stderr)
