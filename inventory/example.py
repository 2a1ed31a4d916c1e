"""An inventory to start from: one group of hosts, each with what it should be. Every key has a default but `models`.

pyinfra inventory/example.py deploy.py --dry     what would change
pyinfra inventory/example.py deploy.py -y        change it
"""

gpu = (
    ["gpu-1.example.net", "gpu-2.example.net"],
    {
        "ssh_user": "root",  # or a user with passwordless sudo
        "ssh_strict_host_key_checking": "yes",
        "ollama_version": "0.24.0",
        "models": ["codellama:7b"],
        "openhands_image": "ghcr.io/all-hands-ai/openhands:main",
        # "ollama_env": {"OLLAMA_NUM_PARALLEL": 2},
        # "allow_from": ["10.20.0.0/16"],  # these networks reach Ollama and OpenHands; nobody else outside does
    },
)
