"""Child processes that can be interrupted, also where the tests themselves run in the background."""

import signal


def interruptible() -> None:
    """Listen to Ctrl-C again: a shell's background jobs, and so their children, begin with it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
