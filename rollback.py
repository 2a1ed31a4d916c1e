"""Go back to the Ollama release and settings that served before these, on each host. A second time, to these again."""

from pyinfra import host

from fleethands import settings as fleet
from tasks import rollback

rollback.go_back(fleet.of(host))
