# What upstream's guide says: install.sh, and a model.
curl -fsSL https://ollama.com/install.sh | sh
until curl -fs -o /dev/null localhost:11434/api/version; do sleep 0.05; done
ollama pull codellama:7b >/dev/null 2>&1
