# shellcheck shell=bash
# PostgreSQL: the server that PGHOST names, or a private one in .dev/pg on a Unix socket.

setup_postgres() {
    if [ -n "${PGHOST:-}" ]; then
        use_server
        return
    fi
    choose_binaries
    choose_owner
    if [ ! -f "$PG/data/PG_VERSION" ]; then
        step "private PostgreSQL $(postgres_version)" postgres make_cluster
        rm -rf "$DEV/data"
    fi
    PGHOST=$(cat "$PG/socket")
    PGPORT=$(cat "$PG/port")
    PGUSER=odoo
    export PGHOST PGPORT PGUSER
    pg_isready -q || step "starting PostgreSQL" postgres start_cluster
    DB_PREFIX=garage
}

# Somebody's server: our databases there carry this checkout's mark.
use_server() {
    local version
    need_package psql postgresql-client "talking to PostgreSQL"
    [ "${PGUSER:-$(id -un)}" != postgres ] ||
        fail "Odoo refuses to work as the database user \"postgres\"." "Set PGUSER to another role that may create databases."
    version=$(psql -XAtq -d postgres -c 'SHOW server_version_num' 2>"$LOGS/postgres.log") ||
        fail "No answer from the PostgreSQL server at PGHOST=$PGHOST: $(head -n 1 "$LOGS/postgres.log")" \
            "Set PGHOST, PGPORT, PGUSER and PGPASSWORD, or unset PGHOST for a private server."
    [ "$version" -ge 130000 ] || fail "The PostgreSQL at PGHOST=$PGHOST is older than 13."
    [ "$(psql -XAtq -d postgres -c 'SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user')" = t ] ||
        fail "The role \"${PGUSER:-$(id -un)}\" may not create databases on $PGHOST." "Its administrator can say: ALTER ROLE … CREATEDB"
    export PGUSER=${PGUSER:-$(id -un)}
    DB_PREFIX=garage_$(printf '%s' "$ROOT" | hash_of | cut -c1-6)
}

postgres_version() { postgres --version | sed 's/[^0-9]*\([0-9]*\).*/\1/'; }

choose_binaries() {
    local wanted folder
    wanted=$(cat "$DEV/pg/data/PG_VERSION" 2>/dev/null || true)
    folder=$(postgres_binaries "$wanted")
    if [ -z "$folder" ] && [ -n "$wanted" ]; then
        fail "The databases in .dev/ were made by PostgreSQL $wanted, which is no longer here." "./dev clean starts over."
    fi
    if [ -z "$folder" ]; then
        if is_root && have apt-get; then
            # No server but ours is wanted: keep the package from making and starting one.
            mkdir -p /etc/postgresql-common
            [ -e /etc/postgresql-common/createcluster.conf ] ||
                say "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
            system_packages "databases" postgresql
        fi
        folder=$(postgres_binaries "")
    fi
    [ -n "$folder" ] || fail "No PostgreSQL 13 or newer on this machine, and no server named by PGHOST." \
        "Either install it as root (apt-get install postgresql)," \
        "or set PGHOST, PGPORT, PGUSER and PGPASSWORD to a server where you may create databases."
    PATH=$folder:$PATH
    hash -r
}

# postgres_binaries VERSION: the folder of that major version, or of the newest from 13 on.
postgres_binaries() {
    local initdb found='' best=12 version
    for initdb in $(command -v initdb) /usr/lib/postgresql/*/bin/initdb; do
        [ -x "$initdb" ] || continue
        version=$("$initdb" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
        if [ "$version" = "$1" ] || { [ -z "$1" ] && [ "$version" -gt "$best" ]; }; then
            best=$version
            found=$(dirname "$initdb")
        fi
    done
    say "$found"
}

# PostgreSQL refuses to run as root; then it runs as "postgres", or as "nobody".
choose_owner() {
    PG_OWNER=$(id -un)
    PG=$DEV/pg
    is_root || return 0
    PG_OWNER=postgres
    id postgres >/dev/null 2>&1 || PG_OWNER=nobody
    # That user must be able to reach the data: not so when the checkout lies in a closed home.
    if ! as_owner test -x "$DEV"; then
        PG=/var/tmp/garage-loyalty-$(printf '%s' "$ROOT" | hash_of)
        [ "$(readlink "$DEV/pg")" = "$PG" ] || rm -rf "$PG" "$DEV/pg"
        ln -sfn "$PG" "$DEV/pg"
    fi
}

as_owner() {
    if is_root; then
        (cd / && runuser -u "$PG_OWNER" -- "$@")
    else
        "$@"
    fi
}

make_cluster() {
    local socket=$PG/run
    rm -rf "$PG"
    mkdir -p "$PG"
    chmod 700 "$PG"
    chown "$PG_OWNER:" "$PG"
    # A socket's path may have 107 bytes.
    [ ${#socket} -lt 85 ] || socket=$(mktemp -d /tmp/garage-pg.XXXXXX)
    mkdir -p "$socket"
    chmod 700 "$socket"
    chown "$PG_OWNER:" "$socket"
    say "$socket" >"$PG/socket"
    # A number of its own, so that a server whose .dev was deleted cannot take this one's socket away.
    say $((RANDOM % 20000 + 20000)) >"$PG/port"
    as_owner "$(command -v initdb)" --pgdata="$PG/new" --username=odoo --auth=trust \
        --encoding=UTF8 --locale=C --no-sync
    # Speed before safety: everything in here can be made again.
    cat >>"$PG/new/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$socket'
port = $(cat "$PG/port")
shared_buffers = 256MB
max_wal_size = 2GB
work_mem = 16MB
fsync = off
synchronous_commit = off
full_page_writes = off
CONF
    mv "$PG/new" "$PG/data"
}

start_cluster() {
    as_owner "$(command -v pg_ctl)" start --wait --timeout=60 --pgdata="$PG/data" --log="$PG/server.log" 9>&- || {
        as_owner tail -n 15 "$PG/server.log"
        return 1
    }
}

stop_cluster() {
    [ -f "$PG/data/postmaster.pid" ] || return 0
    as_owner "$(command -v pg_ctl)" stop --mode=fast --pgdata="$PG/data" >/dev/null || true
}

clean() {
    [ -d "$DEV" ] || fail "There is no .dev/ here: nothing to clean."
    if [ -z "${PGHOST:-}" ] && [ -e "$DEV/pg/data/PG_VERSION" ]; then
        choose_binaries
        choose_owner
        stop_cluster
        case $(cat "$PG/socket") in /tmp/garage-pg.*) rm -rf "$(cat "$PG/socket")" ;; esac
        rm -rf "$PG"
    elif [ -n "${PGHOST:-}" ]; then
        use_server
        drop_databases "${DB_PREFIX}_%"
    fi
    rm -rf "$DEV"
    say "Done: .dev/ is gone, and its databases with it."
}
