"""
Remove from each host what deploy.py put there.

Models and workspaces stay without `fleethands_uninstall_models` and `fleethands_uninstall_workspaces`.
"""

from pyinfra import host

from fleethands.deploy_options import DeployOptions
from fleethands.tasks import removal

options = DeployOptions.from_host(host)

removal.remove(models=options.uninstall_models, workspaces=options.uninstall_workspaces)
