"""Groups of commands of `passport-server`."""
