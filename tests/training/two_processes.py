"""What the processes of a training on two devices run in the tests."""

from npylabel.labeler import networks
from npylabel.training import devices

work = devices._work


def without_chance(*arguments: object) -> None:
    """Work without dropout, whose draws depend on which process has which photo."""
    networks.nn.Dropout = lambda _share: networks.nn.Identity()
    work(*arguments)


def dying(*arguments: object) -> None:
    """Die at once in the second process."""
    if arguments[4] == 1:
        raise SystemExit(3)
    work(*arguments)
