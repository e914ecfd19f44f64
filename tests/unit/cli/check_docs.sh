#!/usr/bin/env bash
# Fails when docs/reference differs from what the option tables say now.
set -euo pipefail
telltale=$1 docs=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$telltale" components --docs "$dir"
diff -r "$docs" "$dir" || {
    echo "docs/reference is stale; run: telltale components --docs docs/reference" >&2
    exit 1
}
