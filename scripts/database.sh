# shellcheck shell=bash
# Databases and their file stores. A template with what the add-on depends on is made once and cloned.

query() { psql -XAtq -v ON_ERROR_STOP=1 -d "$1" -c "$2"; }
db_exists() { [ "$(query postgres "SELECT 1 FROM pg_database WHERE datname = '$1'")" = 1 ]; }

drop_db() {
    ! db_exists "$1" || query postgres "DROP DATABASE \"$1\" WITH (FORCE)"
    rm -rf "${DEV:?}/data/filestore/${1:?}"
}

# drop_databases PATTERN [EXCEPT]
drop_databases() {
    local name
    query postgres "SELECT datname FROM pg_database WHERE datname LIKE '${1//_/\\_}'" | while read -r name; do
        [ "$name" = "${2:-}" ] || drop_db "$name"
    done
}

clone_db() {
    drop_db "$2"
    createdb -T "$1" "$2"
    if [ -d "$DEV/data/filestore/$1" ]; then
        cp -al "$DEV/data/filestore/$1" "$DEV/data/filestore/$2"
    fi
}

rename_db() {
    drop_db "$2"
    rm -rf "${DEV:?}/data/filestore/$2"
    [ ! -d "$DEV/data/filestore/$1" ] || mv "$DEV/data/filestore/$1" "$DEV/data/filestore/$2"
    query postgres "ALTER DATABASE \"$1\" RENAME TO \"$2\""
}

# What the add-on and its bridges depend on, but for themselves.
addon_depends() {
    python - "${ADDONS[@]}" <<'PYTHON'
import ast
import sys
from pathlib import Path

ours = sys.argv[1:]
manifests = [ast.literal_eval(Path(name, "__manifest__.py").read_text()) for name in ours]
depends = [name for manifest in manifests for name in manifest["depends"]]
print(",".join(name for name in dict.fromkeys(depends) if name not in ours))
PYTHON
}

# setup_template [demo]: sets TEMPLATE, a database with the dependencies installed
# (and with Odoo's demonstration data, when asked for).
setup_template() {
    lock
    setup_host
    setup_postgres
    make_template ""
    [ "${1:-}" != demo ] || make_template demo
    unlock
}

make_template() {
    local depends key name
    depends=$(addon_depends)
    key=$(printf '%s\n' "$depends" "$ODOO" "$ODOO_VERSION" "$(cat requirements.txt)" | hash_of)
    name=${DB_PREFIX}_host${1}_$key
    if ! db_exists "$name"; then
        step "template database${1:+ with demo data} ($depends)" "template$1" \
            build_template "$name" "$depends" ${1:+--with-demo}
        # Those of other versions are of no use any more.
        drop_databases "${DB_PREFIX}_host${1}_%" "$name"
    fi
    if [ -z "$1" ]; then TEMPLATE=$name; else DEMO_TEMPLATE=$name; fi
}

build_template() {
    local name=$1 depends=$2 missing
    shift 2
    drop_db "${name}_new"
    odoo --addons-path= -d "${name}_new" -i "$depends" --stop-after-init --no-http "$@" 9>&-
    missing=$(query "${name}_new" "SELECT string_agg(name, ', ') FROM ir_module_module
        WHERE name = ANY (string_to_array('$depends', ',')) AND state <> 'installed'")
    [ -z "$missing" ] || {
        say "Not installed: $missing"
        return 1
    }
    rename_db "${name}_new" "$name"
}

# install_addon DATABASE [OPTION…]: clone the template into DATABASE and install the add-on there.
install_addon() {
    local name=$1
    shift
    clone_db "$TEMPLATE" "$name"
    odoo -d "$name" -i "$ADDON_LIST" --stop-after-init --no-http "$@"
    [ "$(addon_state "$name")" = installed ]
}

# The state of the add-on and its bridges; several when they differ.
addon_state() {
    query "$1" "SELECT string_agg(DISTINCT state, ',') FROM ir_module_module
        WHERE name = ANY (string_to_array('$ADDON_LIST', ','))"
}

new_database() {
    [ $# = 1 ] || fail "./dev new-db needs the name of a database."
    setup_template
    step "database $1 with the add-on" new-db install_addon "$1"
    say "Open it with: ./dev odoo -d $1   or   ./dev odoo shell -d $1"
}
