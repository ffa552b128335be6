#!/usr/bin/env bash
# Walk one release from HOLD to ALLOW_WITH_CANARY and on to ROLLBACK_RECOMMENDED; see README.md here.
exec python "$(dirname "$0")/demo.py" "$@"
