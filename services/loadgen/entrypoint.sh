#!/bin/sh
# Files of a run belong to the owner of results/, on every host: start as root with two capabilities,
# become that owner, and keep none of them.
set -eu
exec setpriv --reuid "$(stat -c %u /results)" --regid "$(stat -c %g /results)" \
    --clear-groups --inh-caps=-all --no-new-privs python -m loadgen "$@"
