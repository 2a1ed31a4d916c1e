# settings of fleethands
models = ["codellama:7b"]
ollama_keep_alive = "1h"
openhands_user = "agents"
openhands_workspace = "/srv/workspace"

# keys of this deploy: fleethands leaves them alone, whatever they begin with
agents_home = "/srv/agents"
ollama_backup_dir = "/srv/backup/ollama"
ollama_nice = 5
greeting = "This box runs Ollama and OpenHands: ask the platform team."
