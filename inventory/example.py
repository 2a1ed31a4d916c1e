"""The hosts of a fleet, and the settings of each of them.

fleethands trust inventory/example.py     compare the hosts' SSH keys and accept them, once
fleethands plan inventory/example.py      show what would change
fleethands apply inventory/example.py     change it

`models` needs a value. The other settings have defaults: to change one, remove `# ` from its line.
`fleethands init DIR --all-settings` writes an inventory with all settings and their explanations.
"""

gpu = (
    ["gpu-1.example.net"],  # your hosts: names or addresses that `ssh` accepts
    {
        "ssh_user": "root",  # or a user with passwordless sudo
        "ssh_strict_host_key_checking": "yes",
        #
        # The models to install, each as a name or as a dictionary with more keys. OpenHands and the proof use
        # the first one.
        # Example: ["qwen3-coder:30b"]
        "models": ["codellama:7b"],
        #
        # Whether a GPU must run the model. `True` requires one that has room for all of it, `False` uses the
        # CPU on purpose.
        # Example: True
        # "gpu": None,
        #
        # The context length of models. OpenHands needs at least 22000.
        # Example: 65536
        # "ollama_context_length": None,
        #
        # Which OpenHands to run: the web app (`gui`) or Agent Canvas (`canvas`) in a container, either of
        # them built without a container (`source`), or none (`off`).
        # Example: "off"
        # "openhands_flavor": "gui",
        #
        # Networks that may reach Ollama and OpenHands from other machines.
        # Example: ["10.20.0.0/16"]
        # "allow_from": [],
    },
)
