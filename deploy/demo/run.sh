#!/usr/bin/env bash
# Walk one release from HOLD to ALLOW_WITH_CANARY and on to ROLLBACK_RECOMMENDED; see README.md here. With DEMO=flagger or
# DEMO=argo a simulated controller asks, and rolls back.
here="$(dirname "$0")"
case "${DEMO:-}" in
"") exec python "$here/demo.py" "$@" ;;
flagger | argo) exec python "$here/controllers.py" "$DEMO" ;;
*) echo "demo: DEMO is flagger or argo, or not set" >&2 && exit 2 ;;
esac
