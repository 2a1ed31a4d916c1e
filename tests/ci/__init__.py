"""The GitHub Action and the GitLab component, run by the programs that run them without GitHub and GitLab."""
