# Shared by the scripts beside it: sourced, never run. Each works from any folder, since this one goes to the project's top.
# Progress and errors go to stderr, so that stdout stays the result.
# shellcheck shell=bash

LAB_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
export LAB_ROOT
cd "$LAB_ROOT" || exit 2

# shellcheck disable=SC2034  # for the scripts that source this
LAB_IMAGES=(django-lab/api django-lab/app django-lab/loadgen)

say() { printf '%s\n' "$*" >&2; }

# Says what is wrong and what to do about it; leaves with the code for wrong configuration.
fail() {
    say "$*"
    exit 2
}

# Prints the comment at the top of the calling script, when --help is among its arguments.
help_if_asked() {
    local argument
    for argument in "$@"; do
        case $argument in
            -h | --help)
                sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
                exit 0
                ;;
        esac
    done
}

have() { command -v "$1" >/dev/null 2>&1; }

on_debian_or_ubuntu() { grep -qE '^ID=(debian|ubuntu)$' /etc/os-release 2>/dev/null; }

may_install() { [ "$(id -u)" = 0 ] && have apt-get && on_debian_or_ubuntu; }

# Runs a command and shows the end of its output only if it fails.
quietly() {
    local log
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1 </dev/null; then
        tail -n 40 "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}

apt_install() {
    quietly apt-get update || true # one broken source need not matter: what it would have offered may not be needed
    quietly env DEBIAN_FRONTEND=noninteractive apt-get install -y "$@"
}

# The mirror that a Debian machine's own apt settings name for its release; nothing elsewhere.
debian_mirror() {
    grep -q '^ID=debian$' /etc/os-release 2>/dev/null && have apt-get || return 0
    local codename
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    # shellcheck disable=SC2016  # apt expands these names itself
    apt-get indextargets --format '$(CREATED_BY) $(RELEASE) $(REPO_URI)' |
        awk -v release="$codename" '$1 == "Packages" && $2 == release { print $3; exit }'
}

# A variable of the environment, else of .env.
lab_setting() {
    if [ -n "${!1:-}" ]; then
        printf '%s\n' "${!1}"
    else
        sed -n "s/^$1=//p" .env | tail -n 1
    fi
}

# Docker clients before 23 build without BuildKit by default, so without secrets.
export DOCKER_BUILDKIT=1

have_image() { docker image inspect "$@" >/dev/null 2>&1; }

# Builds behind a proxy that signs with its own CA need the machine's CA bundle: compose passes it to them as a secret.
if [ -z "${CA_BUNDLE:-}" ]; then
    for CA_BUNDLE in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt \
        /etc/ssl/cert.pem /dev/null; do
        [ -r "$CA_BUNDLE" ] && break
    done
fi
export CA_BUNDLE
