"""The command line of Release Passport."""
