#!/usr/bin/env bash
# Exit codes, texts and generated files of the commands that start nothing.
set -euo pipefail
telltale=$1 source=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
    echo "check_commands: $*" >&2
    exit 1
}

# expect CODE COMMAND…: runs it, keeps its output in $dir/out and $dir/err
expect() {
    local code=0 wanted=$1
    shift
    "$telltale" "$@" >"$dir/out" 2>"$dir/err" || code=$?
    [ "$code" -eq "$wanted" ] || fail "telltale $*: exit code $code, expected $wanted: $(cat "$dir/err")"
}

says() {
    grep -qF -- "$2" "$dir/$1" || fail "expected \"$2\" in: $(cat "$dir/$1")"
}

expect 0 --version
says out "telltale version "
expect 0 --help
says out "Usage: telltale"
expect 2 runn
says err 'did you mean "run"?'
expect 2 run --confg=x
says err 'did you mean --config?'
expect 2 validate --config
says err "--config needs a value: FILE"
expect 2 validate --config "$dir/none.yaml"
says err "none.yaml"

# A peer that is not there is named, also when most connections had nothing to send.
expect 1 loadgen --endpoint http://127.0.0.1:9 --requests 1 --connections 4 --retries 0
says err "http://127.0.0.1:9"
# At once, however often it would try again and however long the run would be; --wait gives a server the time to come.
for how in "" "--requests 1"; do
    before=$SECONDS
    # shellcheck disable=SC2086  # two words or none
    expect 1 loadgen --endpoint http://127.0.0.1:9 $how --duration 1h --export-interval 1h --json
    [ $((SECONDS - before)) -le 3 ] || fail "loadgen $how took $((SECONDS - before)) s to find that nobody listens"
    says err "connect to http://127.0.0.1:9: "
    says err "--wait"
    says out '"requests": 0'
done
before=$SECONDS
expect 1 loadgen --endpoint http://127.0.0.1:9 --wait 2s
[ $((SECONDS - before)) -ge 1 ] || fail "loadgen --wait 2s waited for $((SECONDS - before)) s"

# Every command explains itself.
"$telltale" --help | sed -n 's/^  \([a-z-]*\( [a-z]*\)\?\)  .*/\1/p' >"$dir/commands"
[ "$(wc -l <"$dir/commands")" -ge 6 ] || fail "too few commands in --help"
while read -r command; do
    # shellcheck disable=SC2086  # "dataset extract" is two words
    expect 0 $command --help
    says out "Usage: telltale $command"
done <"$dir/commands"

# A right configuration is silent, a wrong one names places.
for example in "$source"/config/examples/*.yaml; do
    expect 0 validate --config "$example"
    [ ! -s "$dir/out" ] || fail "validate is not silent about $example"
done
expect 0 validate
printf 'receivers:\n  otlp:\n    protocls:\n' >"$dir/wrong.yaml"
expect 2 validate --config "$dir/wrong.yaml"
says err "wrong.yaml:3:5: receivers.otlp.protocls: "
says err 'did you mean "protocols"?'

# otelcol's other places of a configuration; several are merged.
minimal='{receivers: {otlp: {protocols: {http: }}}, exporters: {debug: }, service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}}'
printf '%s\n' "$minimal" >"$dir/minimal.yaml"
expect 0 validate --config "file:$dir/minimal.yaml"
expect 0 validate --config "yaml:$minimal"
CONFIG=$minimal expect 0 validate --config env:CONFIG
expect 0 print-config --config "$dir/minimal.yaml" --config 'yaml:exporters::debug::verbosity: detailed'
says out "verbosity: detailed"
expect 2 validate --config "$dir/minimal.yaml" --config 'yaml:exporters::debug::verbosty: detailed'
says err 'yaml:1:1: exporters.debug.verbosty: unknown key; did you mean "verbosity"?'
expect 2 validate --config env:TELLTALE_NOT_SET
says err "env:TELLTALE_NOT_SET: the variable is not set"
expect 2 validate --config https://example.com/config.yaml
says err "fetch it to a file first"

# What is printed is right again and means the same.
expect 0 print-config
cp "$dir/out" "$dir/printed.yaml"
expect 0 validate --config "$dir/printed.yaml"
expect 0 print-config --config "$dir/printed.yaml"
cmp "$dir/out" "$dir/printed.yaml" || fail "print-config of its own output differs"
expect 0 print-config --format json
python3 -m json.tool "$dir/out" >/dev/null || fail "print-config --format json is not JSON"
expect 0 print-config --set exporters.file.path=/somewhere/else.jsonl
says out "/somewhere/else.jsonl"

expect 0 components --json
python3 -c '
import json, sys
listed = json.load(open(sys.argv[1]))
assert any(c["name"] == "debug" and c["stability"]["traces"] for c in listed["exporters"])
' "$dir/out" || fail "components --json"

# Completions are read by their shells, where they are installed; the man page by man.
expect 0 completion bash
bash -n "$dir/out"
bash -c 'source "$1"; COMP_WORDS=(telltale val); COMP_CWORD=1; _telltale; [ "${COMPREPLY[0]}" = validate ]
    COMP_WORDS=(telltale print-config --mode ""); COMP_CWORD=3; _telltale
    [ "${COMPREPLY[*]}" = "redacted unredacted" ]' _ "$dir/out" || fail "bash completion"
expect 0 completion zsh
says out "#compdef telltale"
if command -v zsh >/dev/null; then zsh -n "$dir/out"; fi
expect 0 completion fish
says out "complete -c telltale"
if command -v fish >/dev/null; then fish -n "$dir/out"; fi
expect 2 completion tcsh
expect 0 help --man
says out ".TH TELLTALE 1"
if command -v man >/dev/null; then
    for locale in C C.UTF-8; do
        warnings=$(LC_ALL=$locale man --warnings -l "$dir/out" 2>&1 >/dev/null) || fail "man: $warnings"
        [ -z "$warnings" ] || fail "man page, $locale: $warnings"
    done
fi
