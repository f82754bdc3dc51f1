"""Wait until IAM knows everywhere what was changed.

It says of itself that this takes a while (IAM User Guide, "Changes that I make are not always immediately visible").
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Report = Callable[[str], None]
"""Says to a person what is being done."""


@dataclass(frozen=True, slots=True)
class Consistency:
    """How long IAM is waited for.

    Args:
        seconds: at most.
        pause: seconds between one attempt and the next.
        report: is told at each pause, with what is waited for.
        sleep: waits.
    """

    report: Report
    seconds: float = 90
    pause: float = 3
    sleep: Callable[[float], None] = time.sleep

    def attempts(self, until: str) -> Iterator[bool]:
        """Yield at each attempt whether it is the last, pausing between them.

        Args:
            until: what is waited for, such as `IAM knows user x`.
        """
        count = int(self.seconds / self.pause)
        for number in range(count):
            yield False
            self.report(f"Waiting until {until} ({(number + 1) * self.pause:.0f} s) …")
            self.sleep(self.pause)
        yield True
