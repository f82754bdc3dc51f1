"""`client`: importers and operators, the callers of `serve`."""

import click

from connector.bootstrap.account import account
from connector.bootstrap.runs import clients_of, name_configuration, name_store
from connector.cli.invocation import Invocation, json_option, pass_invocation, print_json, print_table, say, say_aside
from connector.config.values import duration, seconds
from connector.store.clients import Client, ClientCredentials, ClientRole, Grant


@click.group()
def client() -> None:
    """Let importers and operators in, and shut them out."""


def _read_lifetime(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    """Read a length of time, written as in the configuration."""
    if value is None:
        return None
    try:
        return seconds(duration(value))
    except ValueError as fault:
        raise click.BadParameter(f"{value!r} {fault}.") from None


@client.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([role.value for role in ClientRole]),
    default=ClientRole.IMPORTER.value,
    show_default=True,
    help="What the client may do: an importer reads the directory, an operator starts and looks at runs.",
)
@click.option(
    "--grant",
    type=click.Choice([grant.value for grant in Grant]),
    default=Grant.BEARER.value,
    show_default=True,
    help="How the client signs in: with a token; with an id and secret in each request; or with those, and for"
    " password a user name and password too, for access tokens of /oauth2/token.",
)
@click.option(
    "--expires",
    "lifetime",
    metavar="TIME",
    callback=_read_lifetime,
    help="How long the client is let in, such as 90d or 12h.  [default: until it is revoked]",
)
@json_option
@pass_invocation
def create(invocation: Invocation, name: str, role: str, grant: str, lifetime: float | None) -> None:
    """Make a client called NAME and print what it signs in with, which is shown this once."""
    settings = invocation.settings(reads_pool=False)
    with clients_of(settings) as clients:
        made = clients.create(name, role=ClientRole(role), grant=Grant(grant), lifetime=lifetime, by=account())
    if invocation.json:
        print_json({"name": name, "role": role, "grant": grant, **made.parts()})
    else:
        say_aside(f"Configuration: {name_configuration(settings)}\nStore: {name_store(settings)}")
        _show(name, role, made)


def _show(name: str, role: str, made: ClientCredentials) -> None:
    purpose = "for one importer: a second one needs a client of its own" if role == ClientRole.IMPORTER else f"({role})"
    if made.token:
        say(f"Made the client {name!r} {purpose}. Its bearer token, which cannot be shown again:")
        click.echo(made.token)
        return
    say(f"Made the client {name!r} {purpose}. What it signs in with, which cannot be shown again:")
    for part, value in made.parts().items():
        click.echo(f"{part:<14} {value}")


@client.command("list")
@json_option
@pass_invocation
def list_clients(invocation: Invocation) -> None:
    """List the clients, revoked ones too."""
    with clients_of(invocation.settings(reads_pool=False)) as clients:
        known = clients.list()
    if invocation.json:
        print_json({"clients": [_describe(entry) for entry in known]})
    elif not known:
        say("There is no client yet; make one with: cognito-scim client create NAME")
    else:
        print_table(
            ("name", "role", "grant", "client id", "created", "last used", "expires", "revoked"),
            [
                (entry.name, entry.role, entry.grant, entry.client_id or "", entry.created_at, *_later(entry))
                for entry in known
            ],
        )


@client.command()
@click.argument("name")
@json_option
@pass_invocation
def revoke(invocation: Invocation, name: str) -> None:
    """Shut the client NAME out, with the access tokens it holds, from its next request on."""
    with clients_of(invocation.settings(reads_pool=False)) as clients:
        clients.revoke(name, by=account())
    if invocation.json:
        print_json({"name": name, "revoked": True})
    else:
        say(f"Revoked the client {name!r}; its next request is answered with 401.")


def _describe(entry: Client) -> dict[str, str | None]:
    return {
        "name": entry.name,
        "role": entry.role,
        "grant": entry.grant,
        "client_id": entry.client_id,
        "created_at": entry.created_at,
        "last_used_at": entry.last_used_at,
        "expires_at": entry.expires_at,
        "revoked_at": entry.revoked_at,
    }


def _later(entry: Client) -> tuple[str, str, str]:
    return entry.last_used_at or "never", entry.expires_at or "never", entry.revoked_at or ""
