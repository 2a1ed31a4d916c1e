"""An inventory to start from: one group of hosts, each with what it should be.

fleethands trust inventory/example.py     take over the hosts' keys, once you have compared them
fleethands plan inventory/example.py      what would change
fleethands apply inventory/example.py     change it

Every key stands at its default; take the `# ` off a line and change it. A secret is given as
Secret.env("NAME") or Secret.file("PATH"): add `from fleethands.settings import Secret` above.
"""

gpu = (
    ["gpu-1.example.net", "gpu-2.example.net"],  # names or addresses, as ssh takes them
    {
        "ssh_user": "root",  # or a user with passwordless sudo
        "ssh_strict_host_key_checking": "yes",
        #
        # -- Ollama ------------------------------------------------------------------------------------------
        #
        # how Ollama runs: as a service of systemd, as upstream's container under Docker, or elsewhere
        # why change it: a host where all runs in containers, or a team's own server, of which nothing is
        # managed
        # takes one of `service`, `container`, `external`
        # for example: "container"
        # "ollama_runtime": "service",
        #
        # container image, where `ollama_runtime` is `container`
        # why change it: a registry of your own, or upstream's `rocm` image for AMD GPUs
        # takes an image of the release in `ollama_version`, by tag or digest
        # for example: "registry.example/ollama/ollama:0.32.15-rocm"
        # by default: `ollama/ollama` with `ollama_version` as its tag
        # "ollama_image": None,
        #
        # where Ollama answers, where `ollama_runtime` is `external`
        # why change it: OpenHands uses, and the proof asks, an Ollama that somebody else runs
        # takes an address as `http://10.0.0.5:11434`
        # for example: "http://10.0.0.5:11434"
        # "ollama_address": None,
        #
        # Ollama release to serve, without a leading v
        # why change it: to hold a fleet at a release that you have tried, or to go back to one
        # takes a release, as `0.24.0`
        # for example: "0.24.0"
        # "ollama_version": "0.32.15",
        #
        # where releases lie, in upstream's layout
        # why change it: hosts that don't reach GitHub: name a mirror inside your network
        # takes an address by http, https or file
        # for example: "https://mirror.example/ollama"
        # "ollama_url": "https://github.com/ollama/ollama/releases/download",
        #
        # who fetches a release: each host, or the controller, which sends it over SSH
        # why change it: hosts without a way out; `ollama_url` is then an address or a file of the
        # controller's
        # takes one of `host`, `controller`
        # for example: "controller"
        # "ollama_transfer": "host",
        #
        # sha256 of the release's archive
        # why change it: to trust nobody's list but your own: the archive must be this one
        # takes 64 lower-case hex digits, or a dictionary of them by `amd64` and `arm64`
        # for example: "4d5f4d5f4d5f4d5f4d5f4d5f4d5f4d5f4d5f4d5f4d5f4d5f4d5f4d5f4d5f4d5f"
        # by default: what the release's own sha256sum.txt says
        # "ollama_sha256": None,
        #
        # what of a release is unpacked, by the hardware it is for
        # why change it: `cpu` leaves out gigabytes of GPU libraries; `rocm` and `jetpack` add the archive for
        # AMD or a Jetson
        # takes one of `cpu`, `cuda`, `rocm`, `jetpack5`, `jetpack6`
        # for example: "cpu"
        # by default: by the GPUs that are found: none `cpu`, AMD `rocm`, a Jetson `jetpack`, else the whole
        # archive
        # "ollama_variant": None,
        #
        # address and port Ollama listens on
        # why change it: another port, or one interface; on loopback no container reaches it
        # takes IP:PORT, as `0.0.0.0:11434`
        # for example: "0.0.0.0:11500"
        # "ollama_host": "0.0.0.0:11434",
        #
        # browser origins Ollama answers (CORS), as `["*"]`; no access control
        # why change it: pages of these origins only may use Ollama from a browser
        # takes a list of origins
        # for example: ["https://chat.example.com"]
        # "ollama_origins": ["*"],
        #
        # context of a model; OpenHands needs 22000 at least
        # why change it: more room for an agent's work, or less memory on the GPU
        # takes a whole number from 1, in tokens
        # for example: 65536
        # by default: 32768 where OpenHands runs, else Ollama's own, by the GPU's memory
        # "ollama_context_length": None,
        #
        # how long a model stays loaded after its last use; negative is for ever
        # why change it: an agent that pauses finds its model loaded, or a shared GPU gets free sooner
        # takes a duration as `30m` or `1h30m`, or a whole number, in seconds
        # for example: "-1"
        # by default: Ollama's own, 5m
        # "ollama_keep_alive": None,
        #
        # any other variable that Ollama reads, by its name
        # why change it: whatever has no key of its own: parallel requests, device choice, a proxy
        # takes a dictionary of variables
        # for example: {"OLLAMA_NUM_PARALLEL": 2}
        # "ollama_env": {},
        #
        # where models lie; the directory holds nothing else
        # why change it: models on a disk of their own: they are large
        # takes an absolute path below `/srv`, `/mnt` or `/opt`, or a directory of your own like `/data`;
        # nothing of the system's, of fleethands' or in a home
        # for example: "/srv/ollama/models"
        # by default: Ollama's own, /usr/share/ollama/.ollama/models
        # "ollama_models_dir": None,
        #
        # take over an Ollama that something else installed
        # why change it: a host where install.sh or a package put Ollama before; what was there is kept in
        # /opt/ollama/adopted
        # takes True or False
        # for example: True
        # "ollama_adopt": False,
        #
        # -- Models ------------------------------------------------------------------------------------------
        #
        # models to have: each by name, or as a dictionary with more; the first is OpenHands' and the proof's
        # why change it: the work decides: codellama:7b answers, but calls no tools
        # takes a list of models
        # for example: ["qwen3-coder:30b"]
        "models": ["codellama:7b"],
        #
        # remove models that are not listed
        # why change it: hosts whose models are all declared here, and whose disk is small
        # takes True or False
        # for example: True
        # "models_prune": False,
        #
        # -- OpenHands ---------------------------------------------------------------------------------------
        #
        # which OpenHands to run: the web app or Agent Canvas in a container, either without one, or none
        # why change it: hosts that only serve models: `off`
        # takes `gui`, `canvas`, `source` or `off`
        # for example: "off"
        # "openhands_flavor": "gui",
        #
        # image of the web app or of Agent Canvas, by tag or digest
        # why change it: the guide's own image, your registry's, or one release by its digest
        # takes an image as `registry/name:tag` or `registry/name@sha256:…`
        # for example: "ghcr.io/all-hands-ai/openhands:main"
        # by default: `docker.openhands.dev/openhands/openhands:0.62`; `ghcr.io/openhands/agent-canvas:1.16.0`
        # with `canvas`
        # "openhands_image": "docker.openhands.dev/openhands/openhands:0.62",
        #
        # generation of an image or a checkout: it decides which variables, directories and settings are
        # written
        # why change it: an image by digest, a branch or a name of your own, which do not tell
        # takes `v0` or `v1`; `v0` or `canvas` with the flavor `source`
        # for example: "v0"
        # by default: `v0` for tags 0.x and the name all-hands-ai, else `v1`, of a checkout `canvas`
        # "openhands_generation": None,
        #
        # git repository to build from, with the flavor `source`: generation V0's, or Agent Canvas'
        # why change it: the guide's own way, or a fork of your own
        # takes an address as `https://github.com/OpenHands/OpenHands`, without user and password
        # for example: "https://github.com/All-Hands-AI/OpenHands"
        # by default: none: upstream's release of Agent Canvas from npm
        # "openhands_repo": None,
        #
        # tag, branch or whole commit of `openhands_repo`, or the release from npm, with the flavor `source`
        # why change it: another release than the one that was tried
        # takes a tag, a branch or a commit's 40 digits, as `0.62.0`
        # for example: "0.62.0"
        # by default: `1.16.0`; `0.62.0` of generation V0
        # "openhands_ref": None,
        #
        # when to ask the image's registry
        # why change it: a tag that moves, as `main`: `always` asks at each apply
        # takes `missing` or `always`
        # for example: "always"
        # "openhands_pull": "missing",
        #
        # model that the user finds selected; a provider before it, as in `ollama/codellama:7b`, is understood
        # why change it: another than the first of several models
        # takes `model:tag`, as `codellama:7b`
        # for example: "qwen3-coder:30b"
        # by default: the first of `models`
        # "openhands_model": None,
        #
        # what becomes of another model that a person chose in the page
        # why change it: every host is to run the declared model, whoever chose another: `enforced`
        # takes `kept` or `enforced`
        # for example: "enforced"
        # "openhands_settings": "kept",
        #
        # take the place of a container of the same name that somebody else made; it is stopped and kept
        # why change it: the guide's own `docker run` was typed on this host
        # takes `True` or `False`
        # for example: True
        # "openhands_adopt": False,
        #
        # port of OpenHands' page
        # why change it: something else has the port
        # takes a port from 1 to 65535
        # for example: 3001
        # by default: 3000; 8000 for Agent Canvas
        # "openhands_port": 3000,
        #
        # address that the page is published on; it asks for no password
        # why change it: a network of your own should reach it without a tunnel: see `allow_from`
        # takes an IP address, as `127.0.0.1`
        # for example: "10.20.0.7"
        # "openhands_bind": "127.0.0.1",
        #
        # directory the agent works in, made if it is missing; it holds nothing else, and no models
        # why change it: the agent's files on another disk
        # takes an absolute path below `/srv`, `/mnt` or `/opt`, or a directory of your own like `/data`;
        # nothing of the system's, of fleethands' or in a home
        # for example: "/srv/workspace"
        # "openhands_workspace": "/opt/openhands/workspace",
        #
        # further variables of OpenHands, by name; those of proxies, npm, pip, uv and git also reach the build
        # why change it: tokens for the agent's work, or OpenHands' own switches
        # takes a dictionary of variables
        # for example: {"GITHUB_TOKEN": Secret.env("GITHUB_TOKEN")}
        # "openhands_env": {},
        #
        # user that owns the workspace, made if it is missing; never root, ollama or an account of the system
        # why change it: somebody who works on the same files by hand
        # takes a user's name
        # for example: "dev"
        # "openhands_user": "openhands",
        #
        # -- Access and hardware -----------------------------------------------------------------------------
        #
        # close Ollama's and OpenHands' ports to the outside, by a table of our own
        # why change it: another firewall does it: neither service asks for a password
        # takes True or False
        # for example: False
        # "firewall": True,
        #
        # networks that may reach both from outside
        # why change it: clients on other machines
        # takes a list of networks
        # for example: ["10.20.0.0/16"]
        # "allow_from": [],
        #
        # True: a GPU must carry the model; False: CPU on purpose
        # why change it: a host that falls back to its CPU is broken: say so
        # takes True, False or None
        # for example: True
        # by default: as found
        # "gpu": None,
    },
)
