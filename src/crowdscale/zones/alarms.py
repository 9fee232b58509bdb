"""Alarms of zones: raised when a count stays above a limit, cleared when it stays below another, and delivered."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from time import time as wall_clock
from typing import Literal, Protocol
from urllib.parse import urlparse

from crowdscale.errors import DataError
from crowdscale.zones.delivery import Receiver, check_key

__all__ = ["Alarm", "AlarmEvent", "AlarmRule", "Alarms"]

BELOW_SHARE = 0.9
"""An alarm without a lower limit is cleared below this share of the upper one."""
MOST = 1e12
"""People or seconds beyond which a number is a mistake; NaN and infinity are, too."""
UNSENDABLE = re.compile(r"[\s\x00-\x1f\x7f]")
"""Characters that no address holds."""


@dataclass(frozen=True)
class AlarmRule:
    """Limits of an alarm and its receivers."""

    above: float
    """People above which it is raised."""
    below: float | None = None
    """People below which it is cleared (hysteresis); 0.9 times ``above`` by default."""
    hold: float = 0.0
    """Seconds that the count must stay beyond a limit."""
    webhook: str | None = None
    """An http or https address that receives the event as JSON."""
    secret_env: str | None = None
    """Environment variable with the key that signs the body of a webhook; the key itself is in no file."""
    command: tuple[str, ...] = ()
    """A program and its arguments, run without a shell, with the event as JSON on its input."""

    def __post_init__(self) -> None:
        limits = [limit for limit in (self.above, self.below, self.hold) if limit is not None]
        if not (
            all(abs(limit) <= MOST for limit in limits) and 0 <= self.low <= self.above and self.hold >= 0
        ):
            raise DataError(
                "expected an alarm with 0 <= below <= above and hold >= 0",
                f"{self.below}, {self.above}, {self.hold}",
            )
        self._check_receivers()

    def _check_receivers(self) -> None:
        if self.webhook is not None:
            _check_webhook(self.webhook)
        if not all(isinstance(word, str) for word in self.command) or self.command[:1] in (("",), (" ",)):
            raise DataError(
                "expected an alarm's command as a list of texts: a program and its arguments",
                repr(list(self.command))[:80],
            )
        if self.secret_env is not None and not (isinstance(self.secret_env, str) and self.secret_env):
            raise DataError(
                "expected secret_env as the name of an environment variable", repr(self.secret_env)
            )

    @property
    def low(self) -> float:
        """People below which the alarm is cleared."""
        return BELOW_SHARE * self.above if self.below is None else self.below


def _check_webhook(webhook: object) -> None:
    """Refuse an address that no request can reach. Raises DataError."""
    try:
        address = urlparse(str(webhook))
        sound = address.scheme in ("http", "https") and bool(address.hostname) and (address.port or 1) > 0
    except ValueError:  # brackets, or a port that is no number
        sound = False
    if not sound or not isinstance(webhook, str) or UNSENDABLE.search(webhook):
        raise DataError("expected a webhook's http or https address", repr(webhook)[:80])


@dataclass(frozen=True)
class AlarmEvent:
    """An alarm that was raised or cleared."""

    zone: str
    kind: Literal["raised", "cleared"]
    people: float
    time: float
    """Seconds of the video."""
    above: float
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    """The same in every attempt to deliver it, so that a receiver detects a repetition."""
    sent: float = field(default_factory=wall_clock)
    """Wall clock, seconds since 1970."""


@dataclass
class Alarm:
    """One zone's alarm: a state and since when the count is beyond the limit that would change it."""

    rule: AlarmRule
    raised: bool = False
    _since: float | None = None

    def _is_beyond(self, people: float) -> bool:
        """Whether a count is beyond the limit that would change the state."""
        return people < self.rule.low if self.raised else people > self.rule.above

    def look_back(self, counts: Sequence[tuple[float, float]]) -> None:
        """Find since when the last (seconds, people) of an earlier watch are beyond the limit."""
        self._since = None
        for seconds, people in reversed(counts):
            if not self._is_beyond(people):
                return
            self._since = seconds

    def update(self, seconds: float, people: float) -> Literal["raised", "cleared"] | None:
        """Take in a count; return the change of state, or None."""
        if not self._is_beyond(people):
            self._since = None
            return None
        if self._since is None:
            self._since = seconds
        if seconds - self._since < self.rule.hold:
            return None
        self.raised, self._since = not self.raised, None
        return "raised" if self.raised else "cleared"


class Counted(Protocol):
    """A zone's name and people."""

    @property
    def name(self) -> str:
        """The zone."""
        ...

    @property
    def people(self) -> float:
        """In the zone."""
        ...


class Alarms:
    """The alarms of some zones and their delivery; each receiver has its own queue and thread.

    Args:
        rules: By the zone's name.
        on_problem: Called at once with a sentence for each event that cannot be delivered.

    Raises:
        DataError: A rule names an environment variable that is not set.
    """

    def __init__(
        self, rules: Mapping[str, AlarmRule], on_problem: Callable[[str], object] | None = None
    ) -> None:
        for name, rule in rules.items():
            check_key(name, rule.secret_env)
        self.alarms = {name: Alarm(rule) for name, rule in rules.items()}
        self.problems: list[str] = []
        """A sentence for each event that could not be delivered."""
        self.on_problem = on_problem
        self._receivers: dict[tuple[object, ...], Receiver] = {}

    @property
    def raised(self) -> set[str]:
        """Names of the zones with a raised alarm."""
        return {name for name, alarm in self.alarms.items() if alarm.raised}

    def restore(self, raised: Collection[str]) -> None:
        """Begin with the alarms of these zones raised, as an earlier watch left them; nothing is sent."""
        for name, alarm in self.alarms.items():
            alarm.raised = name in raised

    def update(self, seconds: float, counts: Sequence[Counted]) -> list[AlarmEvent]:
        """Take in the counts of a moment; return and send the events. It never waits."""
        events = []
        for each in counts:
            alarm = self.alarms.get(each.name)
            kind = alarm.update(seconds, each.people) if alarm else None
            if alarm and kind:
                events.append(AlarmEvent(each.name, kind, round(each.people, 2), seconds, alarm.rule.above))
        for event in events:
            for receiver in self._receivers_of(self.alarms[event.zone].rule):
                receiver.send(event)
        return events

    def close(self, timeout: float = 30.0) -> None:
        """Deliver the waiting events, for at most ``timeout`` seconds in all."""
        until = monotonic() + timeout
        for receiver in self._receivers.values():
            receiver.finish()
        for receiver in self._receivers.values():
            receiver.join(max(0.0, until - monotonic()))

    def _receivers_of(self, rule: AlarmRule) -> list[Receiver]:
        """Return the threads that deliver a rule's events: zones of one receiver share its thread."""
        receivers = []
        keys = [
            ("webhook", rule.webhook, rule.secret_env) if rule.webhook else None,
            ("command", *rule.command) if rule.command else None,
        ]
        for key in keys:
            if key is not None:
                if key not in self._receivers:
                    webhook = rule.webhook if key[0] == "webhook" else None
                    command = rule.command if key[0] == "command" else ()
                    self._receivers[key] = Receiver(webhook, rule.secret_env, command, self._problem)
                receivers.append(self._receivers[key])
        return receivers

    def _problem(self, sentence: str) -> None:
        self.problems.append(sentence)
        if self.on_problem is not None:
            self.on_problem(sentence)
