# shellcheck shell=bash
# The container: made, booted, and how the steps speak to what runs in it.

# Whoever else tests from the same cache waits here: a folder can be made, and boots, once at a time.
lock_root() {
  mkdir -p "${cache}"
  exec 9> "${cache}/$1.lock"
  if ! flock --nonblock 9; then
    say "another test uses the ${1} root; waiting for it"
    flock --wait 1800 9
  fi
}

root_of() {
  local suite=$1 folder=${cache}/$1-3
  if [[ ! -e ${folder}/.complete ]]; then
    say "making a ${suite} root in ${folder} (once)"
    rm -rf "${folder}"
    mmdebstrap --quiet --variant=minbase --include="${packages}" --aptopt='Acquire::Retries "5"' \
      "${suite}" "${folder}" >&2
    touch "${folder}/.complete"
  fi
  printf '%s' "${folder}"
}

nspawn=
leader=
boot() {
  local root=$1 end=$((SECONDS + patience))
  # What is changed in it is in memory and gone with it. The lock is ours alone to hold.
  systemd-nspawn --quiet --directory="${root}" --volatile=overlay --boot --register=no --keep-unit \
    --link-journal=no --private-network --machine="gatepost-test-$$" > "${work}/console" 2>&1 < /dev/null 9>&- &
  nspawn=$!
  until leader=$(pgrep -P "${nspawn}") && [[ -n ${leader} ]] \
    && inside systemctl is-system-running --wait > /dev/null 2>&1; do
    if ! kill -0 "${nspawn}" 2> /dev/null || ((SECONDS > end)); then
      cat "${work}/console" >&2
      inside systemctl list-units --failed --plain --no-legend >&2 || true
      fail 'the container does not boot'
      return 1
    fi
    sleep 0.2
  done
}
halt() {
  if [[ -n ${nspawn} ]] && kill -0 "${nspawn}" 2> /dev/null; then
    # Three times at once is systemd-nspawn's "now".
    kill "${nspawn}" 2> /dev/null || true
    wait "${nspawn}" 2> /dev/null || true
  fi
  nspawn=
}

# Longest a single command may take, in seconds.
readonly command_limit=180
# inside COMMAND…: as root in the container.
inside() {
  timeout "${command_limit}" nsenter --target "${leader}" --all -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
    LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}
bring() { inside sh -c 'cat > "$1"' sh "$2" < "$1"; }

# until_true WHAT COMMAND…: waits for something another process does.
until_true() {
  local what=$1 end=$((SECONDS + patience))
  shift
  until "$@" > /dev/null 2>&1; do
    if ((SECONDS > end)); then
      fail "waited in vain: ${what}"
      return 1
    fi
    sleep 0.1
  done
}
# same WHAT WANTED FOUND
same() { [[ $2 == "$3" ]] || fail "$1: wanted '$2', found '$3'"; }
refused() {
  local what=$1
  shift
  if "$@" > /dev/null 2>&1; then
    fail "${what} was not refused"
  fi
}

server_pid() { inside systemctl show --property=MainPID --value gatepost.service; }
active() { inside systemctl is-active --quiet "$@"; }
tell() { inside sh -c 'kill -s "$1" "$2"' sh "$@"; }
owner_of() { inside stat -c %U "/proc/$1"; }
status_of() { inside sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
# web ARGUMENTS…: a request with HTTPS, as a browser of somebody who accepted the certificate sends it.
web() {
  inside curl --silent --show-error --insecure --max-time 20 --cookie /tmp/cookies --cookie-jar /tmp/cookies \
    --header "Origin: ${site}" "$@"
}
page_answers() { web --fail --output /dev/null "${site}/"; }
shows() { inside gatepost terminal show "$1" | grep -qF -- "$2"; }
says_what_is_wrong() { inside gatepost status | grep -F 'gatepost.toml:1:1: hostnam: unknown key' > /dev/null; }
units_of() { inside systemctl list-units --plain --no-legend --all "$1" | awk '{ print $1 }'; }
# Every process whose program is ours, also one that was replaced or removed meanwhile.
processes() {
  inside sh -c 'for exe in /proc/[0-9]*/exe; do
    case $(readlink "$exe") in /usr/bin/gatepost* | /usr/libexec/gatepost/*) echo "$exe" ;; esac
  done'
}
# Who runs programs of this name.
processes_of() {
  inside sh -c 'for exe in /proc/[0-9]*/exe; do
    case $(readlink "$exe") in */"$1"*) stat -c %U "${exe%/exe}" ;; esac
  done' sh "$1" | sort -u
}
shell_pid() {
  inside gatepost terminal list --json | python3 -c 'import json, sys
for terminal in json.load(sys.stdin)["terminals"]:
    if terminal["id"] == sys.argv[1]:
        print(terminal["pid"])' "$1"
}
