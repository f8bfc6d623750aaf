# shellcheck shell=bash
# Packages of the machine itself, from the sources its apt is set up with.

APT_UPDATED=

# need_package COMMAND PACKAGE WHY: make sure COMMAND is there.
need_package() {
    have "$1" || system_packages "$3" "$2"
    hash -r
    have "$1" || fail "$1 is still not on the PATH after the package $2 was installed."
}

# system_packages WHY PACKAGE…
system_packages() {
    local why=$1
    shift
    have apt-get || fail "Missing on this machine: $* ($why)." "Install it, then run this again."
    is_root || fail "Missing on this machine: $* ($why)." "Install it as root, then run this again: apt-get install $*"
    [ -n "$APT_UPDATED" ] || step "package lists (apt-get update)" system-update apt-get update
    APT_UPDATED=yes
    step "installing $* ($why)" "system-$1" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold "$@"
}

# Odoo's browser tests look for Chromium, its PDF reports for wkhtmltopdf.
setup_browser() {
    have chromium || have chromium-browser || have google-chrome ||
        need_package chromium chromium "browser tests"
    need_package wkhtmltopdf wkhtmltopdf "printing PDF"
}

# Read from a cold disk, Chromium starts more slowly than Odoo waits for it: the first browser
# tests would be skipped.
warm_up_browser() {
    local name
    for name in chromium chromium-browser google-chrome; do
        have "$name" || continue
        timeout 60 "$name" --headless --no-sandbox --dump-dom about:blank >/dev/null 2>&1 || true
        return
    done
}
