"""Who may be rotated."""

import pytest

from connector.errors import NotAllowed
from connector.rotation.model.allowed import EVERYONE, Allowed


def groups_of(*names):
    """Return a reader of groups."""
    return lambda: names


@pytest.mark.parametrize(
    ("allowed", "called", "groups"),
    [
        (Allowed.only(["ann"]), ["ann"], []),
        (Allowed.only(["ann"]), ["ann@example.com", "ann"], []),
        (Allowed.only(["robots"]), ["ann"], ["staff", "robots"]),
        (EVERYONE, ["ann"], []),
    ],
)
def test_who_is_on_the_list_or_in_a_group_of_it_may_be_rotated(allowed, called, groups):
    """P26: the list names users or groups."""
    allowed.check("user ann", called=called, groups=groups_of(*groups))


@pytest.mark.parametrize("allowed", [Allowed(), Allowed.only([]), Allowed.only(["bo", "robots"])])
def test_nobody_else_may(allowed):
    """P26: an empty list is nobody, not everybody."""
    with pytest.raises(NotAllowed, match=r"rotation\.allow"):
        allowed.check("user ann", called=["ann"], groups=groups_of("staff"))


def test_groups_are_not_read_in_vain():
    """P26: the right to list groups is needed only where the list names groups."""

    def read_groups():
        raise AssertionError("groups were read")

    Allowed.only(["ann"]).check("user ann", called=["ann"], groups=read_groups)
    with pytest.raises(NotAllowed):
        Allowed().check("user ann", called=["ann"], groups=read_groups)


def test_a_name_that_is_a_groups_stands_for_its_members_only():
    """P26: who signs up under the name of an allowed group is not in it."""
    allowed = Allowed.only(["robots", "bo"])

    def is_group(name):
        return name == "robots"

    with pytest.raises(NotAllowed):
        allowed.check("user robots", called=["robots"], groups=groups_of("staff"), is_group=is_group)
    allowed.check("user robots", called=["robots"], groups=groups_of("robots"), is_group=is_group)
    allowed.check("user bo", called=["robots", "bo"], groups=groups_of(), is_group=is_group)
