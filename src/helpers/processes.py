"""Processes that must not outlive the one that started them."""

import os
import threading
import time


def watch_parent(parent: int | None = None, interval: float = 0.2) -> None:
    """End this process when the one that started it is gone, however that one was killed.

    The kernel watches this process in the same way, so nothing of a killed run keeps computing.

    Parameters
    ----------
    parent : int, optional
        Who started this process, if that one may be gone already; by default its parent now.
    interval : float
        Seconds between looks.
    """
    parent = parent or os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(interval)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
