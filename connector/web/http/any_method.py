"""Routes for every method: Flask's own rules know only the methods that they list."""

from collections.abc import Callable

from flask import Response
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import Rule


def any_method(rule: str, endpoint: str, view: Callable[..., Response]) -> Callable[[BlueprintSetupState], None]:
    """Route what no earlier rule took to a view, whatever its method; for `Blueprint.record`.

    Args:
        rule: the path, with the prefix of the blueprint.
        endpoint: the whole name, with that of the blueprint.
        view: answers.
    """

    def add(state: BlueprintSetupState) -> None:
        state.app.url_map.add(Rule(rule, endpoint=endpoint))
        state.app.view_functions[endpoint] = view

    return add
