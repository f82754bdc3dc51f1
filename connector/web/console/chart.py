"""A small chart of how a number went from generation to generation: an SVG made by the server, without any style in it.

Its text alternative says what the line shows: from what to what, the least and the most.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from connector.store.generations import Generation
from connector.web.console.text import show_count

WIDTH, HEIGHT, MARGIN = 320, 64, 6


@dataclass(frozen=True, slots=True)
class Chart:
    """A line to draw.

    Args:
        noun: what is counted, in the plural.
        line: the corners of the line, as SVG has them.
        end: the last corner.
        description: what the line shows, in words.
    """

    noun: str
    line: str
    end: tuple[float, float]
    description: str


def chart_of(noun: str, generations: Sequence[Generation], numbers: Sequence[int]) -> Chart | None:
    """Return the chart of some numbers; None for fewer than two, which make no line.

    Args:
        noun: what is counted, in the plural.
        generations: oldest first.
        numbers: one a generation.
    """
    if len(numbers) < 2:  # noqa: PLR2004 - two points make a line
        return None
    times = [generation.published_seconds for generation in generations]
    least, most = min(numbers), max(numbers)
    corners = [
        (_place(time, times[0], times[-1], WIDTH), HEIGHT - _place(number, least, most, HEIGHT))
        for time, number in zip(times, numbers, strict=True)
    ]
    description = (
        f"{noun.capitalize()} from generation {generations[0].number} to {generations[-1].number}:"
        f" from {show_count(numbers[0])} to {show_count(numbers[-1])},"
        f" at least {show_count(least)}, at most {show_count(most)}."
    )
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return Chart(noun, line, corners[-1], description)


def _place(value: float, low: float, high: float, room: int) -> float:
    """Return where a value stands in a room; in its middle where all are equal."""
    share = (value - low) / (high - low) if high > low else 0.5
    return MARGIN + share * (room - 2 * MARGIN)
