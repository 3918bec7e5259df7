# What the scripts among the tests share; to be sourced. Gives them a folder of their own, gone at the end, and
# $retrace; `expect` runs a command and holds its exit status, `said` what it printed (a basic regular expression); at the end they `finish`.
retrace=${RETRACE:-build/retrace}
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
failed=0
fail() { # sentence
    echo "FAILED: $1"
    failed=1
}
expect() { # status, sentence, command…
    wanted=$1 sentence=$2
    shift 2
    "$@" >"$folder/said" 2>&1
    status=$?
    if [ "$status" -ne "$wanted" ]; then
        fail "$sentence (exit $status, not $wanted)"
        cat "$folder/said"
    fi
}
said() { # sentence, words
    if ! grep -q -- "$2" "$folder/said"; then
        fail "$1 (looked for: $2)"
        cat "$folder/said"
    fi
}
finish() {
    [ "$failed" -eq 0 ] && echo 'all sentences hold'
    exit "$failed"
}
