"""The queue: bounded, one at a time, cancelled work never begins or stops, accepted work is finished."""

from __future__ import annotations

import asyncio
import threading

import pytest

from crowdscale.serve.line import BusyError, CancelledWorkError, Line


def test_more_than_its_places_is_refused_and_a_place_comes_free():
    async def scenario() -> None:
        line, gate, seen = Line(1), threading.Event(), list[int]()

        def work(number: int):
            return lambda _: (gate.wait(60), seen.append(number))[1]

        first, second = (asyncio.create_task(line.run(work(n))) for n in (1, 2))
        await asyncio.sleep(0.05)
        with pytest.raises(BusyError) as error:
            await line.run(work(3))
        assert error.value.seconds >= 1
        gate.set()
        await asyncio.gather(first, second)
        await asyncio.sleep(0)
        assert seen == [1, 2]
        assert line.accepted == 0
        await line.run(lambda _: seen.append(4))
        assert seen == [1, 2, 4]
        line.close()

    asyncio.run(scenario())


def test_cancelled_work_is_stopped_or_never_begun():
    async def scenario() -> None:
        line, begun, told = Line(3), threading.Event(), list[str]()

        def running(stop: threading.Event) -> None:
            begun.set()
            told.append("stopped" if stop.wait(60) else "went on")
            raise CancelledWorkError

        first = asyncio.create_task(line.run(running))
        second = asyncio.create_task(line.run(lambda _: told.append("second ran")))
        await asyncio.to_thread(begun.wait, 60)
        second.cancel()
        first.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        line.close()
        await asyncio.sleep(0.01)
        assert told == ["stopped"]
        assert line.accepted == 0

    asyncio.run(scenario())


def test_close_finishes_what_was_accepted():
    async def scenario() -> list[int]:
        line, done = Line(5), list[int]()
        tasks = [asyncio.create_task(line.run(lambda _, n=n: done.append(n))) for n in range(4)]
        await asyncio.sleep(0)
        await asyncio.to_thread(line.close)
        await asyncio.gather(*tasks)
        return done

    assert asyncio.run(scenario()) == [0, 1, 2, 3]
