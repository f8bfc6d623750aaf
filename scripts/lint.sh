# shellcheck shell=bash
# ./dev lint: style and conventions. Each check is a function, so that the output names it.

lint() {
    [ $# -eq 0 ] || [ "$*" = --fix ] || fail "./dev lint takes no argument but --fix."
    lock
    setup_python
    setup_node
    unlock
    if [ "${1:-}" = --fix ]; then
        ruff check --fix --quiet . || true
        ruff format --quiet .
        prettier_on --write --log-level=warn
    fi
    LINT_FAILED=
    check "Python: ruff check" ruff check --quiet --output-format=concise .
    check "Python: ruff format" ruff format --check --diff --quiet .
    check "Odoo: pylint-odoo" pylint "${ADDONS[@]}"
    check "Odoo: oca-checks-odoo-module" oca-checks-odoo-module "${ADDONS[@]}"
    check "translations: oca-checks-po" lint_po
    check "XML, JS, CSS, YAML: prettier" prettier_on --check --log-level=warn
    check "shell: shellcheck" shellcheck dev .ci/run scripts/*.sh
    check "compose.yaml" python scripts/check_compose.py
    [ -z "$LINT_FAILED" ] || fail "Failed:$LINT_FAILED" "./dev lint --fix repairs formatting."
    say "All checks passed."
}

check() {
    local text=$1 started=$SECONDS output
    shift
    printf '→ %s … ' "$text"
    if output=$("$@" 2>&1 </dev/null); then
        printf '%d s\n' $((SECONDS - started))
    else
        printf 'FAILED\n'
        printf '%s\n' "$output" | sed 's/^/  │ /'
        LINT_FAILED="$LINT_FAILED ${text%%:*} (${text##*: });"
    fi
}

lint_po() {
    local files
    mapfile -t files < <(find "${ADDONS[@]}" -path '*/i18n/*.po*')
    [ ${#files[@]} -eq 0 ] || oca-checks-po --disable=po-pretty-format "${files[@]}"
}

# All that git knows or would take, of the kinds prettier formats.
prettier_on() {
    local files
    mapfile -t files < <(git ls-files --cached --others --exclude-standard -- \
        '*.xml' '*.js' '*.cjs' '*.css' '*.scss' '*.yaml' '*.yml' '*.json' | while read -r file; do
        [ ! -f "$file" ] || say "$file"
    done)
    "$DEV/node/node_modules/.bin/prettier" "$@" "${files[@]}"
}
