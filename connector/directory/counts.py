"""How a number of things is said to people."""


def count_of(number: int, noun: str, many: str = "") -> str:
    """Return a number with its noun in the right form.

    Args:
        number: of the things.
        noun: what one of them is called.
        many: what several are called; `noun` with an s when left out.
    """
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"
