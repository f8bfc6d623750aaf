# shellcheck shell=bash
# The Python environment .dev/venv and the Node packages .dev/node.

python_works() {
    "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

# The first that really runs (a name on the PATH may be an empty shim).
choose_python() {
    local candidate
    if [ -n "${PYTHON:-}" ]; then
        say "$PYTHON"
        return
    fi
    for candidate in python3.12 python3.11 python3.13 python3.10 python3 /usr/bin/python3; do
        if python_works "$candidate"; then
            say "$candidate"
            return
        fi
    done
    return 1
}

# What is there stays in use, unless the requirements have changed or PYTHON names another one.
setup_python() {
    local python key used
    PATH=${PATH//"$DEV/venv/bin:"/}
    [ -z "${PYTHON:-}" ] || python_works "$PYTHON" || fail "PYTHON=$PYTHON is not a working Python 3.10 to 3.13."
    key=$(cat requirements.txt requirements-dev.txt | hash_of)
    used=$(sed -n "s/^$key //p" "$DEV/venv/ready" 2>/dev/null || true)
    if [ -z "$used" ] || ! python_works "$DEV/venv/bin/python" ||
        { [ -n "${PYTHON:-}" ] && [ "$(real_python "$PYTHON")" != "$used" ]; }; then
        if ! python=$(choose_python); then
            system_packages "Python 3.10 to 3.13" python3 python3-venv
            python=$(choose_python) ||
                fail "No Python 3.10 to 3.13 on this machine." "Name one with PYTHON=/path/to/python3"
        fi
        "$python" -c 'import ensurepip, venv' 2>/dev/null || system_packages "Python environments" python3-venv
        used=$(real_python "$python")
        step "Python requirements ($("$python" -V 2>&1))" python make_venv "$used" "$key"
    fi
    BASE_PYTHON=$used
    PATH=$DEV/venv/bin:$PATH
    hash -r
}

real_python() { "$1" -c 'import sys; print(sys.executable)'; }

make_venv() {
    rm -rf "$DEV/venv"
    "$1" -m venv "$DEV/venv"
    "$DEV/venv/bin/python" -m pip install --disable-pip-version-check --no-input -r requirements-dev.txt
    say "$2 $1" >"$DEV/venv/ready"
}

setup_node() {
    local key
    key=$(cat package.json package-lock.json | hash_of)
    [ "$(cat "$DEV/node/ready" 2>/dev/null)" != "$key" ] || return 0
    need_package npm npm "prettier and two files that Odoo needs"
    step "Node packages" node make_node "$key"
}

make_node() {
    rm -rf "$DEV/node"
    mkdir -p "$DEV/node"
    cp package.json package-lock.json "$DEV/node/"
    (cd "$DEV/node" && npm ci --ignore-scripts --no-audit --no-fund)
    say "$1" >"$DEV/node/ready"
}
