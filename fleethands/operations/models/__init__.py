"""Models: pulled, made from a Modelfile, checked, loaded, removed."""
