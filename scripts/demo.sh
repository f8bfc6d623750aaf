# shellcheck shell=bash
# ./dev demo and what else works on the demo workshop: shell, benchmarks.

demo() {
    [ $# -eq 0 ] || [ "$*" = --reset ] || fail "./dev demo takes no argument but --reset."
    make_demo "${1:-}"
    local port
    port=$(free_port "${PORT:-8069}")
    say ""
    say "Garage Loyalty is at  http://localhost:$port"
    python -c 'import json, sys
for role, login, password in json.load(open(sys.argv[1])):
    print(f"  {role:<24} user {login:<24} password {password}")' "$DEMO_LOGINS"
    say "Ctrl-C stops it; what Odoo says goes to .dev/log/server.log"
    # The rest of the shell becomes Odoo, so that Ctrl-C and kill reach it.
    exec odoo -d "$DEMO_DB" --db-filter="^$DEMO_DB\$" --http-port="$port" --max-cron-threads=1 \
        --logfile="$LOGS/server.log"
}

# The demo database: made once under another name and renamed when complete; updated when the
# add-on's files have changed since.
make_demo() {
    setup_template
    DEMO_DB=${DB_PREFIX}_demo
    DEMO_LOGINS=$DEV/demo-logins.json
    local key
    key=$(addon_key)
    lock
    if [ "${1:-}" = --reset ] || ! db_exists "$DEMO_DB" || [ ! -f "$DEMO_LOGINS" ]; then
        step "installing the add-on" demo-install install_addon "${DEMO_DB}_new"
        load_demo "${DEMO_DB}_new" "$DEMO_LOGINS.new"
        rename_db "${DEMO_DB}_new" "$DEMO_DB"
        mv "$DEMO_LOGINS.new" "$DEMO_LOGINS"
        say "$key" >"$DEV/demo-key"
    elif [ "$(cat "$DEV/demo-key" 2>/dev/null)" != "$key" ]; then
        step "the add-on has changed: updating it" demo-update \
            odoo -d "$DEMO_DB" -i "$ADDON_LIST" -u "$ADDON" --stop-after-init --no-http
        say "$key" >"$DEV/demo-key"
    fi
    unlock
}

addon_key() {
    find "${ADDONS[@]}" -type f ! -name '*.pyc' ! -path '*/tests/*' -print0 | sort -z | xargs -0 sha256sum | hash_of
}

# load_demo DATABASE FILE [COMMAND…]: customers, vehicles, visits, points; FILE gets the logins.
# The loader says itself how far it is; Odoo's log goes to a file.
load_demo() {
    local name=$1 logins=$2 started=$SECONDS log=$LOGS/demo-load.log
    shift 2
    [ $# -gt 0 ] || set -- odoo
    say "→ demo workshop"
    rm -f "$log"
    if ! GARAGE_LOGINS=$logins PYTHONUNBUFFERED=1 "$@" shell -d "$name" --no-http --logfile="$log" \
        <scripts/load_demo.py 2> >(tee -a "$log" >&2) | sed -u 's/^/    /'; then
        step_failed "$log"
    fi
    say "  that took $((SECONDS - started)) s"
}

# The first port from $1 on that nobody listens on.
free_port() {
    python - "$1" <<'PYTHON'
import socket
import sys

for port in range(int(sys.argv[1]), 65536):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            continue
    print(port)
    break
PYTHON
}

demo_shell() {
    make_demo
    exec odoo shell -d "$DEMO_DB" --no-http "$@"
}

# bench [NAME …] [--OPTION …]: each benchmark is a program run as
# `python benchmarks/x.py DATABASE --OPTION …`, on a fresh database with the add-on installed.
# One that has an argument host_database gets a second one, without the add-on.
bench() {
    local names=() name databases failed=''
    while [ $# -gt 0 ] && [[ $1 != -* ]]; do
        name=$(basename "$1" .py)
        [ -e "benchmarks/$name.py" ] || fail "There is no benchmark \"$name\" in benchmarks/."
        names+=("$name")
        shift
    done
    # The other files are what the benchmarks are made of.
    [ ${#names[@]} -gt 0 ] || mapfile -t names < <(grep -l __main__ benchmarks/*.py | xargs basename -s .py)
    setup_template
    BENCH_DB=${DB_PREFIX}_bench
    step "installing the add-on" bench-install install_addon "$BENCH_DB"
    for name in "${names[@]}"; do
        say "→ benchmarks/$name.py"
        databases=("${BENCH_DB}_run")
        clone_db "$BENCH_DB" "${BENCH_DB}_run"
        if grep -q host_database "benchmarks/$name.py"; then
            databases+=("${BENCH_DB}_run_host")
            clone_db "$TEMPLATE" "${BENCH_DB}_run_host"
        fi
        python "benchmarks/$name.py" "${databases[@]}" "$@" || failed="$failed $name"
        drop_databases "${BENCH_DB}_run%"
    done
    [ -z "$failed" ] || fail "Bounds were not kept:$failed"
}
