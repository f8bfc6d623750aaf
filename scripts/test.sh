# shellcheck shell=bash
# ./dev test: install, tests, update, demo data, uninstall, coverage. Each on a database of its own.

tests() {
    local fast=
    if [ "${1:-}" = --fast ]; then
        fast=yes
        shift
    fi
    if [ -n "$fast" ] || [ $# -gt 0 ]; then
        prepare_tests
        step "installing the add-on" install install_addon "$TEST_DB"
        run_pytest "$@"
    else
        full_tests
    fi
}

# Databases of a test run carry its process id; those of runs that were killed are removed.
prepare_tests() {
    setup_template "${1:-}"
    setup_browser
    TEST_DB=${DB_PREFIX}_test_$$
    trap 'drop_databases "${TEST_DB}%"' EXIT
    local name pid
    for name in $(query postgres "SELECT datname FROM pg_database WHERE datname LIKE '${DB_PREFIX}\_test\_%'"); do
        pid=${name#"${DB_PREFIX}_test_"}
        kill -0 "${pid%%_*}" 2>/dev/null || drop_db "$name"
    done
}

# run_pytest [ARGUMENT…]: pytest on TEST_DB, with Odoo's web server for the browser tests.
run_pytest() {
    warm_up_browser
    pytest --odoo-config="$ODOO_RC" --odoo-database="$TEST_DB" --odoo-http "$@" </dev/null
}

full_tests() {
    local started=$SECONDS
    prepare_tests demo
    rm -rf "$DEV/coverage"
    mkdir -p "$DEV/coverage"
    export COVERAGE_RCFILE=$ROOT/.coveragerc

    checked_step "installing the add-on" install test_install
    clone_db "$TEST_DB" "${TEST_DB}_update"
    clone_db "$TEST_DB" "${TEST_DB}_uninstall"
    clone_db "$TEST_DB" "${TEST_DB}_workshop"
    # The longest part needs only one of two cores: it runs beside the others.
    load_demo "${TEST_DB}_workshop" "$DEV/coverage/logins.json" covered odoo >"$LOGS/demo-progress.log" 2>&1 &
    local loader=$!
    checked_step "updating it" update \
        covered odoo -d "${TEST_DB}_update" -u "$ADDON" --stop-after-init --no-http
    checked_step "uninstalling it" uninstall test_uninstall
    checked_step "installing it with demo data" demo-data test_demo_data
    say "→ tests"
    warm_up_browser
    covered -m pytest --odoo-config="$ODOO_RC" --odoo-database="$TEST_DB" --odoo-http \
        -o console_output_style=classic </dev/null | tee "$LOGS/pytest.log" ||
        fail "Tests failed (log: .dev/log/pytest.log)." "One of them alone: ./dev test -k part_of_its_name"
    say "→ demo workshop, loaded meanwhile"
    wait "$loader" || fail "Loading it failed: $(tail -n 30 "$LOGS/demo-progress.log")" "$(advice demo-load)"
    tail -n 2 "$LOGS/demo-progress.log"
    check_log demo-load
    say "→ coverage"
    coverage combine --quiet
    coverage html --quiet --skip-empty --fail-under=0
    coverage report || fail "Less than 95 % of the add-on was run by the tests." "Line by line: .dev/coverage/html/index.html"
    say "All of it took $(((SECONDS - started) / 60)) min $(((SECONDS - started) % 60)) s."
    tail -n 1 "$LOGS/pytest.log"
}

covered() {
    if [ "$1" = odoo ]; then
        shift
        set -- "$DEV/venv/bin/odoo" "$@"
    fi
    coverage run "$@"
}

# A step whose Odoo log must be free of warnings.
checked_step() {
    step "$@"
    check_log "$2"
}

check_log() {
    checklog-odoo --config checklog-odoo.cfg --no-echo "$LOGS/$1.log" ||
        fail "Odoo warned; the whole log is .dev/log/$1.log" "$(advice "$1")"
}

test_install() {
    clone_db "$TEMPLATE" "$TEST_DB"
    covered odoo -d "$TEST_DB" -i "$ADDON_LIST" --stop-after-init --no-http
    [ "$(addon_state "$TEST_DB")" = installed ]
}

# Uninstalled, with its bridges, the add-on leaves no table, column, view, sequence or record identifier behind.
test_uninstall() {
    local db=${TEST_DB}_uninstall
    covered odoo module uninstall -c "$ODOO_RC" -d "$db" "$ADDON"
    [ "$(addon_state "$db")" = uninstalled ]
    diff <(schema "$TEMPLATE") <(schema "$db") || {
        say "The lines with > are what the add-on left in the database."
        return 1
    }
    [ "$(query "$db" "SELECT count(*) FROM ir_model_data 
        WHERE module = ANY (string_to_array('$ADDON_LIST', ','))")" = 0 ]
}

schema() {
    query "$1" "SELECT table_name || '.' || column_name FROM information_schema.columns
        WHERE table_schema = 'public' UNION SELECT sequence_name FROM information_schema.sequences ORDER BY 1"
}

test_demo_data() {
    local db=${TEST_DB}_demo
    clone_db "$DEMO_TEMPLATE" "$db"
    odoo -d "$db" -i "$ADDON_LIST" --with-demo --stop-after-init --no-http
    [ "$(query "$db" "SELECT state, demo FROM ir_module_module WHERE name = '$ADDON'")" = "installed|t" ]
}

# ./dev host-tests a,b,c [--without]: Odoo's own suites beside the add-on. Odoo runs the tests of
# modules that it installs or updates, and tests that are marked post_install whenever asked.
host_tests() {
    local modules=${1:-} without=${2:-} log=$LOGS/host-tests.log
    [ -n "$modules" ] || fail "Which modules? For example: ./dev host-tests repair,sale,account"
    [ -z "$without" ] || [ "$without" = --without ] || fail "The second argument can only be --without."
    prepare_tests
    if [ -n "$without" ]; then
        clone_db "$TEMPLATE" "$TEST_DB"
    else
        step "installing the add-on" install install_addon "$TEST_DB"
    fi
    say "→ tests of $modules ${without:-with} the add-on; log: ${log#"$ROOT"/}"
    odoo -d "$TEST_DB" -u "$modules" --test-tags "/${modules//,/,/}" --stop-after-init \
        --http-port "$(free_port 8169)" </dev/null >"$log" 2>&1 || true
    grep -E ' (ERROR|FAIL): |: (FAIL|ERROR): ' "$log" || true
    grep -E 'failed, [0-9]+ error\(s\) of [0-9]+ tests|Module .*: [0-9]+ failures' "$log" | tail -n 1 |
        sed 's/.*odoo[^:]*: //' | grep . || fail "Odoo did not get as far as running tests." "$(tail -n 5 "$log")"
    ! grep -q -E '(FAIL|ERROR): ' "$log"
}
