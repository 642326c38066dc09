# shellcheck shell=bash
# Sourced by the other scripts: a virtual environment in .venv that holds what the locks say.
#
#   prepare_environment runtime|tests
#
# Installs only when a lock or pyproject.toml changed since the last time; an interrupted install is begun again.

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

find_python() {
    local name
    for name in python3.11 python3.12 python3.13 python3.14 python3 python; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$name"
            return
        fi
    done
    fail 'Python 3.11 or newer is needed; install it (apt install python3 python3-venv, or brew install python@3.12)'
}

make_venv() {
    local python
    python=$(find_python)
    "$python" -m venv .venv || {
        rm -rf .venv
        fail "$python cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv"
    }
}

checksum() {
    cat "$@" | cksum
}

prepare_environment() {
    local group=$1 lock stamp wanted
    case $group in
        runtime) lock=backend/requirements.txt ;;
        tests) lock=requirements.txt ;;
        *) fail "no group of requirements is called $group" ;;
    esac
    [ -x .venv/bin/python ] || make_venv
    stamp=.venv/installed-$group
    wanted=$(checksum "$lock" pyproject.toml)
    # The tests group holds the runtime too.
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        echo "installing the $group requirements (once; a minute or two)"
        # Explicitly, since `set -e` does not hold in a function whose caller tests its outcome.
        if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement "$lock" ||
            ! .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .; then
            fail "the $group requirements could not be installed; see above, then run this again"
        fi
        printf '%s' "$wanted" >"$stamp"
    fi
}
