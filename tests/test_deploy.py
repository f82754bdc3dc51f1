"""`deploy/` is what the product knows: its variables, its commands, no rights and no secrets."""

import configparser
import http.server
import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import click
import pytest
import yaml

from connector.cli.main import cli
from connector.config.keys import key_names, secret_keys, variable

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
FILES = sorted(file for file in DEPLOY.iterdir() if file.is_file())
KNOWN = {variable(key) for key in key_names()}
SECRETS = {variable(key) for key in secret_keys()}
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
KUBERNETES = {document["kind"]: document for document in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())}
POD = KUBERNETES["Deployment"]["spec"]["template"]["spec"]
REPLICAS = ("scim-1", "scim-2")


def instructions(name):
    """Return the arguments of a Dockerfile's instruction in the last stage, continued lines joined."""
    last_stage = DOCKERFILE.replace("\\\n", " ").rpartition("\nFROM ")[2]
    return re.findall(rf"^{name} +(.*)$", last_stage, re.MULTILINE)


def find_command(words):
    """Return the name of the command that a command line runs; every option on the way is one that there is."""
    command, names, rest = cli, [], list(words)
    while isinstance(command, click.Group):
        context = click.Context(command)
        _, rest, _ = command.make_parser(context).parse_args(rest)
        name, command, rest = command.resolve_command(context, rest)
        names.append(name)
    assert rest == []
    return " ".join(names)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_variable_is_a_key_of_the_configuration(file):
    """An unknown variable would end every command with 78."""
    assert set(re.findall(r"COGNITO_SCIM_\w+", file.read_text())) <= KNOWN


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_secret_is_in_a_file(file):
    """P27: secrets are named, by files of their own; the one address of a store without a password is SQLite's."""
    text = file.read_text()
    given = dict(re.findall(r"(COGNITO_SCIM_\w+)[=:] *(\S+)", text))

    assert {name: value for name, value in given.items() if name in SECRETS} in (
        {},
        {"COGNITO_SCIM_STORE__URL": "sqlite:////data/cognito-scim.db"},
    )
    assert re.findall(r"cc[sakp]_\w{8,}|AKIA(?!IOSFODNN7EXAMPLE)\w{16}|://\w+:\w+@|BEGIN [A-Z ]*KEY", text) == []
    assert "PASSWORD:" not in text.replace("PASSWORD_FILE:", "")


@pytest.mark.parametrize(
    "words",
    [
        [*json.loads(instructions("ENTRYPOINT")[0])[1:], *json.loads(instructions("CMD")[0])],
        *[COMPOSE["services"][name]["command"] for name in ("migrate", *REPLICAS)],
        *[container["args"] for container in POD["initContainers"] + POD["containers"]],
    ],
    ids=" ".join,
)
def test_every_command_line_exists(words):
    """What is started is a command of this version, with options that it has."""
    assert find_command(words) in {"serve", "db migrate"}


def test_the_unit_runs_serve_and_knows_its_ways():
    """The unit is one systemd can read, as nobody in particular; a wrong configuration is not tried again and again."""
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(DEPLOY / "cognito-scim.service")
    service = unit["Service"]
    program, *words = service["ExecStart"].split()

    assert (Path(program).name, find_command(words)) == ("cognito-scim", "serve")
    assert (service["DynamicUser"], service["NoNewPrivileges"], service["KillMode"]) == ("yes", "yes", "mixed")
    assert service["RestartPreventExitStatus"].split() == ["2", "78"]
    assert int(service["TimeoutStopSec"]) > 10


def test_the_image_runs_without_rights_and_without_tools():
    """A numeric user, so that a cluster can see that it is not root; the last stage neither builds nor installs."""
    commands = instructions("RUN")

    assert instructions("USER") == ["10001:10001"]
    assert [command.split()[0] for command in commands] == ["install"]
    assert "pip" not in " ".join(commands)
    assert instructions("VOLUME") == ["/data"]
    assert instructions("WORKDIR") == ["/data"]
    assert DOCKERFILE.count("FROM python:3.13-slim") == DOCKERFILE.count("\nFROM ") == 2


def test_the_builder_gets_the_source_and_nothing_else():
    """P27: what lies about in the folder of a checkout never gets near an image."""
    lines = [line for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] != "#"]
    let_in = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        source
        for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
        for source in sources.split()
    }

    assert lines[0] == "*"
    assert let_in == copied
    assert all((ROOT / source).exists() for source in copied)


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_of_the_image_asks_livez(status, healthy):
    """The check is Python, which the image has, and fails where the server does."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (check,) = re.findall(r"CMD (\[.*\])$", instructions("HEALTHCHECK")[0])
        python, option, code = json.loads(check)
        done = subprocess.run(
            [sys.executable, option, code.replace(":8080", f":{server.server_port}")],
            capture_output=True,
            check=False,
            timeout=60,
        )
        server.shutdown()

    assert (python, asked, done.returncode == 0) == ("python", ["/livez"], healthy)


def test_compose_starts_two_replicas_on_one_store_after_its_migration():
    """P20: what replicas share is in PostgreSQL, migrated once before any of them serves."""
    services = COMPOSE["services"]
    one, other = (services[name] for name in REPLICAS)

    assert one == other
    assert one["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert "store_url" in one["secrets"]
    assert (one["read_only"], one["cap_drop"], "ports" in one) == (True, ["ALL"], False)
    assert {name for service in services.values() for name in service.get("secrets", [])} == COMPOSE["secrets"].keys()


def test_the_proxy_of_compose_reaches_every_replica():
    """Where the proxy is counted (`server.trusted_proxies`), it is there."""
    caddyfile = (DEPLOY / "Caddyfile").read_text()

    assert [name for name in REPLICAS if f"{name}:8080" in caddyfile] == [*REPLICAS]
    assert "health_uri /livez" in caddyfile
    assert "./Caddyfile:/etc/caddy/Caddyfile:ro" in COMPOSE["services"]["proxy"]["volumes"]


def test_kubernetes_runs_two_replicas_without_rights():
    """The restricted pod security standard, secrets by reference, and probes that one old directory does not fail."""
    (serve,) = POD["containers"]
    confined = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }

    assert KUBERNETES["Deployment"]["spec"]["replicas"] == 2
    assert (POD["securityContext"]["runAsNonRoot"], POD["securityContext"]["runAsUser"]) == (True, 10001)
    assert [container["securityContext"] for container in POD["initContainers"] + POD["containers"]] == [confined] * 2
    assert [serve[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")] == ["/livez"] * 3
    assert [volume["secret"]["secretName"] for volume in POD["volumes"] if "secret" in volume] == ["cognito-scim"]
    assert KUBERNETES["Service"]["spec"]["selector"] == KUBERNETES["Deployment"]["spec"]["selector"]["matchLabels"]


def test_kubernetes_finds_every_secret_where_it_is_mounted():
    """Files that the configuration names are in the folder of the secret."""
    mounted = POD["containers"][0]["volumeMounts"][0]["mountPath"]
    named = {value for name, value in KUBERNETES["ConfigMap"]["data"].items() if name.endswith("_FILE")}
    made = re.findall(r"--from-file=(\w+)", (DEPLOY / "kubernetes.yaml").read_text())

    assert named == {f"{mounted}/{name}" for name in made}
