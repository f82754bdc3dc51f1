"""The program with a lease that a dead holder keeps for seconds, so that a soak sees many takeovers: `python -m`."""

from connector.cli import main, serve
from connector.cli.invocation import Invocation
from connector.store.runs import heartbeat, lease

TIME_TO_LIVE = 8.0
_as_shipped = serve.execute_command


def execute_command(invocation: Invocation) -> list[str]:
    """Let `serve` execute its runs in such a hurry too."""
    return ["tests.soak.hurried" if word == "connector" else word for word in _as_shipped(invocation)]


if __name__ == "__main__":
    for module in (lease, heartbeat):
        setattr(module, "TIME_TO_LIVE", TIME_TO_LIVE)  # noqa: B010 - imported there by name
    serve.execute_command = execute_command
    main.run()
