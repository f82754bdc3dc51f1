"""`deploy/` is what the product knows: its variables, its commands, no rights and no secrets."""

import configparser
import http.server
import json
import re
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import click
import pytest
import yaml
from packaging.requirements import Requirement

from connector.cli.main import cli
from connector.config.keys import key_names, secret_keys, variable
from connector.runner.executor import STOP_SECONDS
from connector.server.server import GRACE_SECONDS

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
        {"COGNITO_SCIM_STORE__URL": "sqlite:///%S/cognito-scim/cognito-scim.db"},
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
    assert DOCKERFILE.count("\nFROM ${PYTHON_IMAGE}") == DOCKERFILE.count("\nFROM ") == 2
    assert "ARG PYTHON_IMAGE=python:3.13-slim\n" in DOCKERFILE


def test_every_package_of_the_image_comes_with_its_hash():
    """What is installed is what was locked, file by file, from whichever index; nothing else is fetched."""
    installs = re.findall(r"/bin/pip (?:install|wheel) (.*?)(?: \\\n|$| && )", DOCKERFILE, re.MULTILINE)

    assert len(installs) == 4
    assert all("--require-hashes" in one or "--no-deps" in one for one in installs)
    assert all("--no-index" in one or "--no-build-isolation" in one for one in installs if "--no-deps" in one)
    for name in ("build.lock", "requirements.lock"):
        lock = (DEPLOY / name).read_text()
        entries = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", lock, flags=re.MULTILINE).strip())
        assert all(re.match(r"[\w.-]+==\S+", entry) and "--hash=sha256:" in entry for entry in entries)
        assert re.findall(r"https?://|--(?:extra-)?index-url|--find-links", lock) == []


def test_the_lock_holds_what_the_program_needs():
    """`make lock` was run after the last change of the dependencies, or the image would not start."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = dict(re.findall(r"^([\w.-]+)==([^ ;]+)", (DEPLOY / "requirements.lock").read_text(), re.MULTILINE))
    wanted = map(Requirement, project["dependencies"] + project["optional-dependencies"]["postgres"])

    assert {one.name: locked.get(one.name) for one in wanted if locked.get(one.name, "0") not in one.specifier} == {}


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


def test_kubernetes_lets_only_the_ingress_reach_the_pods():
    """Pods that believe forwarded addresses and speak plain HTTP are reached by what tells them, and no other."""
    policy = KUBERNETES["NetworkPolicy"]["spec"]

    assert policy["podSelector"] == KUBERNETES["Deployment"]["spec"]["selector"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert [[source.keys() for source in rule["from"]] for rule in policy["ingress"]] == [[{"namespaceSelector"}]]
    assert all(source["namespaceSelector"]["matchLabels"] for rule in policy["ingress"] for source in rule["from"])
    assert [rule["ports"] for rule in policy["ingress"]] == [[{"protocol": "TCP", "port": "http"}]]
    assert {port["port"] for rule in policy["egress"] for port in rule["ports"]} == {53, 443, 5432}


def test_kubernetes_is_patient_with_a_busy_node_and_at_an_end():
    """The default of a second fails on a busy node; an end waits for what routes here, then for what is under way."""
    (serve,) = POD["containers"]
    probes = [serve[f"{name}Probe"] for name in ("startup", "liveness", "readiness")]
    (_, pause) = serve["lifecycle"]["preStop"]["exec"]["command"]

    assert all(probe["timeoutSeconds"] >= 5 for probe in probes)
    assert probes[1]["periodSeconds"] * probes[1]["failureThreshold"] >= 60
    assert POD["terminationGracePeriodSeconds"] > int(pause) + GRACE_SECONDS + STOP_SECONDS


def test_kubernetes_finds_every_secret_where_it_is_mounted():
    """Files that the configuration names are in the folder of the secret."""
    mounted = POD["containers"][0]["volumeMounts"][0]["mountPath"]
    named = {value for name, value in KUBERNETES["ConfigMap"]["data"].items() if name.endswith("_FILE")}
    made = re.findall(r"--from-file=(\w+)", (DEPLOY / "kubernetes.yaml").read_text())

    assert named == {f"{mounted}/{name}" for name in made}
