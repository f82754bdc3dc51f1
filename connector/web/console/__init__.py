"""`/console`: the operator's console, pages made by the server, whose every action works without JavaScript."""
