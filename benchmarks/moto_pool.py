"""A large pool on moto's server: `python -m benchmarks.moto_pool --users 10000 --groups 100 --memberships 30000`.

Says where it is, how to read it and how large its groups are as one line of JSON, and runs until it is terminated.
"""

import argparse
import json
import signal
from contextlib import suppress
from dataclasses import asdict

from connector.demo.embedded import embedded_pool
from connector.demo.sample_directory import Sample, sample_directory


def sample_of_size(pool_id: str, *, users: int, groups: int, memberships: int) -> Sample:
    """Return people of the sample directory in groups of many sizes."""
    people = sample_directory(users=users, groups=1, pool_id=pool_id).users
    named = sample_directory(users=0, groups=groups, pool_id=pool_id).groups
    usernames = [user.username for user in people]
    sizes = share_out(memberships, groups, most=users)
    members = {group.name: tuple(usernames[:size]) for group, size in zip(named, sizes, strict=True)}
    return Sample(people, named, members)


def share_out(memberships: int, groups: int, *, most: int) -> list[int]:
    """Return group sizes that grow like 1, 2, 3 and so on, and add up to the memberships as far as `most` allows."""
    sizes: list[int] = []
    for share in range(1, groups + 1):
        weight_left = sum(range(share, groups + 1))
        sizes.append(min(most, round((memberships - sum(sizes)) * share / weight_left)))
    return sizes


def main() -> None:
    """Run the pool until nobody needs it."""
    parser = argparse.ArgumentParser()
    for name in ("users", "groups", "memberships"):
        parser.add_argument(f"--{name}", type=int, required=True)
    size = parser.parse_args()
    with embedded_pool() as pool:
        sample = sample_of_size(pool.pool_id, **vars(size))
        pool.fill(sample)
        sizes = [len(members) for members in sample.members.values()]
        print(json.dumps({"pool": asdict(pool), "group_sizes": sizes}), flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
