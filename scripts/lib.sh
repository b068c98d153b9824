# Shared by the scripts beside it: sourced, never run. Each works from any folder, since this one goes to the project's top.
# Progress and errors go to stderr, so that stdout stays the result.
# shellcheck shell=bash

LAB_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
export LAB_ROOT
cd "$LAB_ROOT" || exit 2

# shellcheck disable=SC2034  # for the scripts that source this
LAB_IMAGES=(django-lab/api django-lab/app django-lab/loadgen)
STAND_IN=django-lab/base:python3.13-trixie # what scripts/base-image builds where no base image can be had

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
                sed -n '2,/^$/s/^# \{0,1\}//p' "scripts/${0##*/}"
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
have_base_image() { have_image "$(lab_setting BASE_IMAGE)" || have_image "$STAND_IN"; }

# Builds behind a proxy that signs with its own CA need the machine's CA bundle: compose passes it to them as a secret.
if [ -z "${CA_BUNDLE:-}" ]; then
    for CA_BUNDLE in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt \
        /etc/ssl/cert.pem /dev/null; do
        [ -r "$CA_BUNDLE" ] && break
    done
fi
export CA_BUNDLE

# --- what a script has started, and what it leaves

# A reader may keep services, volumes and networks of his own in the lab's Compose project, start more of them while a
# script runs, or run another one beside it. So nothing is taken down as a whole: a script looks before and after it starts
# services, and at its end stops and removes the containers that were added between.

# project_containers [FILTER…]: names of the project's containers, running or not, without those of `docker compose run`.
# By name, not by id: Compose makes a container anew where its image has changed, and it stays the one that was found.
project_containers() {
    local filter filters=()
    for filter in "$@"; do filters+=(--filter "$filter"); done
    docker ps --all --format '{{.Names}}' --filter "label=com.docker.compose.project=$LAB_PROJECT" \
        --filter label=com.docker.compose.oneoff=False ${filters[@]+"${filters[@]}"} | sort
}

find_project() {
    LAB_PROJECT=$(docker compose config 2>/dev/null | sed -n 's/^name: //p') || LAB_PROJECT=
    # Asked once more for its own words, where Compose cannot read the files.
    [ -n "$LAB_PROJECT" ] || { docker compose config --quiet || true; fail "Docker Compose cannot read this project: see above."; }
    is_starting=no
    containers_added=''
    containers_begun=''
}

begin_to_start() {
    containers_found=$(project_containers)
    running_found=$(project_containers status=running)
    is_starting=yes
}

have_started() {
    local running
    running=$(project_containers status=running) || return 0
    containers_added=$(comm -13 <(printf '%s\n' "$containers_found") <(project_containers)) || return 0
    containers_begun=$(comm -13 <(printf '%s\n%s\n' "$running_found" "$containers_added" | sort) <(printf '%s\n' "$running")) || return 0
    is_starting=no
}

# say_end_of_log SERVICE: that it does not run, and how its log ends; fails, and says nothing, where that is not so.
say_end_of_log() {
    local container
    container=$(project_containers "label=com.docker.compose.service=$1" status=exited status=restarting status=dead) || return 1
    container=${container%%$'\n'*}
    [ -n "$container" ] || return 1
    say "$1 does not run. Its log ends with:"
    docker logs --tail 5 "$container" 2>&1 | sed 's/^/  | /' >&2
}

# Never fails, so that the exit code stays that of what was run.
take_down_what_was_started() {
    [ "$is_starting" = no ] || have_started # interrupted amid it
    # shellcheck disable=SC2086  # names of containers have no spaces
    [ -z "$containers_added$containers_begun" ] || quietly docker stop --time 5 $containers_added $containers_begun || true
    # shellcheck disable=SC2086
    [ -z "$containers_added" ] || quietly docker rm $containers_added || true
    remove_if_unused volume lab-ca
    remove_if_unused network default
}

# remove_if_unused KIND NAME: of the volume or network that compose.yaml declares by that name, what Compose has made.
# A stopped container needs its network as well: it could not be started without.
remove_if_unused() {
    local it
    it=$(docker "$1" ls --format '{{.Name}}' --filter "label=com.docker.compose.project=$LAB_PROJECT" \
        --filter "label=com.docker.compose.$1=$2") || return 0
    [ -n "$it" ] || return 0
    # For a moment the engine may still hold on to it, for a container that has just gone.
    local pause_s
    for pause_s in 0 1 2; do
        sleep "$pause_s"
        [ -z "$(docker ps --all --quiet --filter "$1=$it")" ] || return 0
        ! docker "$1" rm "$it" >/dev/null 2>&1 || return 0
    done
    say "Docker still holds on to the $1 $it, which nobody uses any more. To remove it later: docker $1 rm $it" || true
}
