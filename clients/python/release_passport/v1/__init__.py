"""Generated code of the API, version 1: messages and stubs. Made by `make generate`; do not edit."""
