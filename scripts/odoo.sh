# shellcheck shell=bash
# Odoo 19.0: yours (ODOO_HOME), the one Python can import, or Debian's package unpacked in .dev/odoo.

DEBIAN_PACKAGES="odoo-19 fonts-inconsolata fonts-montserrat fonts-ocr-b fonts-roboto-unhinted
    libjs-jquery libjs-jquery-form libjs-underscore"

# The folder that holds the Python package `odoo`, inside a checkout or an installation.
odoo_in() {
    local folder
    for folder in "$1" "$1"/lib/python3*/site-packages "$1"/lib/python3/dist-packages \
        "$1"/usr/lib/python3/dist-packages "$1/.."; do
        if [ -f "$folder/odoo/release.py" ]; then
            (cd "$folder" && pwd -P)
            return
        fi
    done
    return 1
}

odoo_release() { sed -n 's/^version_info = (\([0-9]*\), *\([0-9]*\),.*/\1.\2/p' "$1/odoo/release.py"; }

choose_odoo() {
    if [ -n "${ODOO_HOME:-}" ]; then
        odoo_in "$ODOO_HOME" || fail "No Odoo in ODOO_HOME=$ODOO_HOME (no odoo/release.py there)."
        return
    fi
    (cd / && "$BASE_PYTHON" -c 'import odoo.release as r, os; assert r.version_info[:2] == (19, 0)
print(os.path.dirname(os.path.dirname(os.path.abspath(r.__file__))))' 2>/dev/null) && return
    say "$DEV/odoo/usr/lib/python3/dist-packages"
}

# After this `odoo`, `python`, `pytest`, `psql` … all work, with the private server running.
setup_odoo() {
    lock
    setup_host
    setup_postgres
    unlock
}

setup_host() {
    local line
    setup_python
    ODOO=$(choose_odoo) || exit 1
    if [[ $ODOO == "$DEV"/odoo/* ]]; then
        setup_node
        [ -f "$DEV/odoo/ready" ] || step "Odoo 19 from Debian" odoo fetch_odoo
    fi
    [ "$(odoo_release "$ODOO")" = 19.0 ] ||
        fail "$ODOO holds Odoo $(odoo_release "$ODOO"); the add-on is for 19.0."
    ODOO_VERSION=19.0
    [[ $ODOO != "$DEV"/odoo/* ]] || ODOO_VERSION=$(cat "$DEV/odoo/ready")
    for line in "$DEV"/venv/lib/python3*/site-packages; do
        say "$ODOO" >"$line/odoo-host.pth"
    done
    cat >"$DEV/venv/bin/odoo" <<PYTHON
#!$DEV/venv/bin/python
import odoo.cli

odoo.cli.main()
PYTHON
    chmod +x "$DEV/venv/bin/odoo"
    cat >"$DEV/odoo.conf" <<CONF
[options]
addons_path = $ROOT
data_dir = $DEV/data
http_interface = 127.0.0.1
max_cron_threads = 0
CONF
    export ODOO_RC=$DEV/odoo.conf
}

# The address of Debian's mirror in this machine's own apt.
debian_mirror() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(SITE) $(CODENAME)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null |
        grep -v -e '-security$' -e '-debug$' | awk 'NR == 1 { print $1 }'
}

fetch_odoo() {
    local new=$DEV/odoo.new apt=$DEV/odoo.new/apt mirror keyring deb package
    rm -rf "$new" "$DEV/odoo"
    mkdir -p "$apt/sources" "$apt/lists/partial" "$apt/cache/archives/partial" "$new/root"
    if ! have apt-get || ! have dpkg-deb; then
        say "This is no Debian: no apt-get. Set ODOO_HOME to a checkout or an installation of Odoo 19.0."
        return 1
    fi
    mirror=$(debian_mirror)
    if [ -z "$mirror" ] && is_root; then
        apt-get update
        mirror=$(debian_mirror)
    fi
    [ -n "$mirror" ] || {
        say "This machine's apt knows no mirror of Debian (or \"apt-get update\" never ran)."
        return 1
    }
    for keyring in /usr/share/keyrings/debian-archive-keyring.*; do [ ! -f "$keyring" ] || break; done
    printf '%s\n' 'Types: deb' "URIs: $mirror" 'Suites: sid' 'Components: main' "Signed-By: $keyring" \
        >"$apt/sources/debian.sources"
    private_apt() {
        apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$apt/sources" \
            -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
            -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Default-Release= \
            -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
    }
    private_apt update
    # shellcheck disable=SC2086
    (cd "$apt" && private_apt download $DEBIAN_PACKAGES)
    for deb in "$apt"/*.deb; do
        dpkg-deb -x "$deb" "$new/root"
    done
    package=$(dpkg-deb -f "$apt"/odoo-19_*.deb Version)
    mv "$new/root/usr" "$new/usr"
    complete_odoo "$new"
    rm -rf "$apt" "$new/root"
    say "$package" >"$new/ready"
    mv "$new" "$DEV/odoo"
    say "Odoo $package is in .dev/odoo"
}

# What Debian's package leaves out, and what its links point to in other packages.
complete_odoo() {
    local addons=$1/usr/lib/python3/dist-packages/odoo/addons link name dangling
    mkdir -p "$addons/mail/static/lib/selfie_segmentation"
    cp "$DEV/node/node_modules/@mediapipe/selfie_segmentation/selfie_segmentation.js" \
        "$addons/mail/static/lib/selfie_segmentation/"
    # Debian now has Font Awesome 7, Odoo wants 4.7.
    find "$addons" -xtype l | while read -r link; do
        name=$(basename "$link")
        if [ -f "$DEV/node/node_modules/font-awesome/fonts/$name" ]; then
            rm "$link"
            cp "$DEV/node/node_modules/font-awesome/fonts/$name" "$link"
        fi
    done
    find "$addons" -path '*selfie_segmentation.js' -exec chmod a+r {} +
    dangling=$(find "$addons" -xtype l)
    [ -z "$dangling" ] || {
        say "Files that Debian's package takes from elsewhere and that are still missing:"
        say "$dangling"
        ! grep -q -e '/web/' -e '/mail/' <<<"$dangling"
    }
    [ "$(odoo_release "$1/usr/lib/python3/dist-packages")" = 19.0 ] || {
        say "Debian's package is no longer Odoo 19.0; set ODOO_HOME."
        return 1
    }
}
