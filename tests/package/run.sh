#!/usr/bin/env bash
# The Debian package under a real systemd: installed, used, restarted, upgraded, removed and purged
# in a container made for it. tests/package/run.sh BIN [SUITE…]: BIN has the executables, built
# against a C library no newer than the suites'.
# Quoted commands are for the shell inside; an answer that didn't come fails its comparison.
# shellcheck disable=SC2016,SC2312
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/gatepost/roots
bin=${1:?folder with the executables}
shift
# Longest wait for anything that should happen, on a machine that is very busy.
patience=120
# Where the server is found, inside.
site=https://localhost
# What a container has besides the bare minimum: systemd as on any Debian, a web client, and the one library of the
# executables that no minimal Debian has.
packages=systemd-sysv,dbus,libpam-systemd,login,passwd,curl,libgssapi-krb5-2,libnss-systemd
readonly here cache bin patience site packages

say() { printf '    %s\n' "$*" >&2; }
fail() {
  printf '\n    FAILED: %s\n' "$*" >&2
  return 1
}

# shellcheck source=container.sh
. "${here}/container.sh"
# shellcheck source=people.sh
. "${here}/people.sh"

# ---- the journey ---------------------------------------------------------------------------

installs_in_one_step_and_runs() {
  bring "${work}/1/${deb}" /tmp/first.deb
  inside dpkg -i /tmp/first.deb > "${work}/dpkg" 2>&1 || {
    cat "${work}/dpkg" >&2
    fail 'dpkg -i'
    return 1
  }
  until_true 'gatepost.service is active' active gatepost.service
  until_true 'the sockets are active' active gatepost.socket gatepost-redirect.socket gatepost-login.socket gatepost-terminal.socket gatepost-guest.socket
  same 'enabled at boot' enabled "$(inside systemctl is-enabled gatepost.service)"
  same 'failed units' '' "$(inside systemctl list-units --failed --plain --no-legend)"
}

the_page_answers_over_https() {
  until_true 'the page' page_answers
  same 'HTTP leads to HTTPS' "308 ${site}/" \
    "$(web --output /dev/null --write-out '%{http_code} %{redirect_url}' http://localhost/)"
}

the_server_is_started_by_a_connection() {
  inside systemctl --quiet stop gatepost.service
  same 'stopped' inactive "$(inside systemctl is-active gatepost.service || true)"
  page_answers
  active gatepost.service
}

nobody_is_refused_during_a_restart() {
  # Connections one after another for as long as two restarts take. One that was just being made may
  # be cut, and a browser tries it again; 7 is "nobody listens".
  inside sh -c 'while [ ! -e /tmp/enough ]; do
      curl --silent --insecure --max-time 20 --output /dev/null https://localhost/
      [ "$?" != 7 ] || echo refused
    done > /tmp/refusals' &
  local asking=$!
  inside systemctl restart gatepost.service
  inside systemctl restart gatepost.service
  inside touch /tmp/enough
  wait "${asking}"
  same 'refused connections' '' "$(inside cat /tmp/refusals)"
}

units_are_clean_and_locked_up() {
  local -a units
  mapfile -t units < <(inside sh -c 'dpkg -L gatepost | grep -E "systemd/system/.*[.](service|socket)$"' | sed 's/@\./@x./' || true)
  inside systemd-analyze verify --man=no "${units[@]}"
  inside systemd-analyze security --offline=yes --threshold=15 --no-pager /usr/lib/systemd/system/gatepost.service > "${work}/score" \
    || fail "gatepost.service: $(tail -n 1 "${work}/score")"
  say "gatepost.service$(tail -n 1 "${work}/score" | grep -o ': [0-9.]*')"
}

the_servers_sandbox_is_in_force() {
  local pid
  pid=$(server_pid)
  same 'capabilities' 0000000000000000 "$(status_of "${pid}" CapEff)"
  same 'capabilities it could get' 0000000000000000 "$(status_of "${pid}" CapBnd)"
  same 'no new privileges' 1 "$(status_of "${pid}" NoNewPrivs)"
  same 'system call filter' 2 "$(status_of "${pid}" Seccomp)"
  same 'its user' gatepost "$(owner_of "${pid}")"
  # In its mount namespace even root can't write, and sees no homes.
  inside mkdir -p /home/someone/secret
  local place
  for place in /etc /usr /var /home /root; do
    refused "writing to ${place}" inside nsenter --target "${pid}" --mount -- touch "${place}/gatepost-was-here"
  done
  refused 'seeing a home' inside nsenter --target "${pid}" --mount -- test -e /home/someone/secret
  inside nsenter --target "${pid}" --mount -- touch /var/lib/gatepost/may-write-here
  inside rm /var/lib/gatepost/may-write-here
}

terminal=
shell=
a_terminal_without_a_login_has_its_own_unit_and_user() {
  terminal=$(inside gatepost terminal open --name first)
  shell=$(shell_pid "${terminal}")
  [[ -n ${shell} ]] || fail 'the shell has no process id'
  same 'its user' gatepost-kiosk "$(owner_of "${shell}")"
  inside grep -q 'gatepost-terminal@' "/proc/${shell}/cgroup" || fail 'its cgroup is not a unit of its own'
  # fork_bomb_tasksmax
  [[ $(inside systemctl show --property=TasksMax --value "$(units_of 'gatepost-terminal@*.service')") =~ ^[0-9]+$ ]] \
    || fail 'what it may start has no limit of its own'
  inside gatepost terminal send "${terminal}" --enter 'echo $((6 * 7))x; cd /tmp && touch mine && echo wr"ote"'
  until_true 'the shell computes' shows "${terminal}" 42x
  until_true 'the shell writes in the real /tmp' inside test -e /tmp/mine
}

# The window's package wants WebKitGTK and a screen; this unit of it neither.
a_kiosks_machine_stays_awake_and_keeps_its_keys_to_itself() {
  local unit
  bring "${here}/../../systemd/gatepost-awake.service" /run/systemd/system/gatepost-awake.service
  inside systemctl daemon-reload
  inside systemctl start gatepost-awake.service
  for unit in sleep.target suspend.target ctrl-alt-del.target autovt@tty2.service; do
    same "${unit}" masked "$(inside systemctl show -P LoadState "${unit}")"
  done
  refused 'sleep' inside systemctl start suspend.target
  inside systemd-inhibit --list --no-pager > "${work}/inhibitors"
  grep -q 'Gatepost.*idle.*block' "${work}/inhibitors" || fail "no lock against idleness: $(cat "${work}/inhibitors")"
  inside systemctl stop gatepost-awake.service
  same 'sleep.target' loaded "$(inside systemctl show -P LoadState sleep.target)"
  same 'ctrl-alt-del.target' loaded "$(inside systemctl show -P LoadState ctrl-alt-del.target)"
  inside rm /run/systemd/system/gatepost-awake.service
  inside systemctl daemon-reload
}

# everything_is_still_there TEXT: same shells, same screen, and it answers.
everything_is_still_there() {
  until_true 'the server answers' inside gatepost status
  same 'the shell' "${shell}" "$(shell_pid "${terminal}")"
  shows "${terminal}" 42x || fail 'its screen was lost'
  inside gatepost terminal send "${terminal}" --enter "echo still-\$((1 + 1))-$1"
  until_true 'the shell answers' shows "${terminal}" "still-2-$1"
  same 'her shell' "${alices_shell}" "$(shell_pid "${alices}")"
  # Her login is one still, too.
  types "${alices}" "echo hers-\$((1 + 1))-$1"
  until_true 'her shell answers' page_shows "${alices}" "hers-2-$1"
}

a_restart_loses_nothing() {
  local before
  before=$(server_pid)
  inside systemctl restart gatepost.service
  [[ $(server_pid) != "${before}" ]] || fail 'it was not restarted'
  everything_is_still_there restart
}

a_stop_loses_nothing() {
  inside systemctl --quiet stop gatepost.service
  inside test -e "/proc/${shell}" || fail 'the shell ended'
  inside systemctl start gatepost.service
  everything_is_still_there stop
}

a_killed_server_comes_back() {
  tell KILL "$(server_pid)"
  until_true 'the server is back' active gatepost.service
  everything_is_still_there kill
}

a_hung_server_is_replaced() {
  local before
  before=$(server_pid)
  inside mkdir -p /run/systemd/system/gatepost.service.d
  inside sh -c 'printf "[Service]\nWatchdogSec=4s\n" > /run/systemd/system/gatepost.service.d/soon.conf'
  inside systemctl daemon-reload
  inside systemctl restart gatepost.service
  before=$(server_pid)
  tell STOP "${before}"
  until_true 'another server' inside sh -c '[ "$(systemctl show -P MainPID gatepost.service)" != "$1" ] && systemctl is-active -q gatepost.service' sh "${before}"
  inside rm -r /run/systemd/system/gatepost.service.d
  inside systemctl daemon-reload
  inside systemctl restart gatepost.service
  everything_is_still_there hang
}

a_program_that_eats_memory_dies_alone() {
  local unit
  unit=$(units_of 'gatepost-terminal@*.service')
  unit=${unit%%$'\n'*}
  inside systemctl set-property --runtime "${unit}" MemoryMax=64M MemorySwapMax=0
  inside gatepost terminal send "${terminal}" --enter 'tail -c 1G /dev/zero | cat > /dev/null; echo ate-$((2 + 3))'
  until_true 'the program ends' shows "${terminal}" ate-5
  inside systemctl set-property --runtime "${unit}" MemoryMax=infinity
  everything_is_still_there memory
}

an_upgrade_loses_nothing() {
  local before
  before=$(server_pid)
  bring "${work}/2/${deb_second}" /tmp/second.deb
  inside dpkg -i /tmp/second.deb > "${work}/dpkg" 2>&1 || {
    cat "${work}/dpkg" >&2
    fail 'dpkg -i'
    return 1
  }
  [[ $(server_pid) != "${before}" ]] || fail 'the new server was not started'
  everything_is_still_there upgrade
  # One more, by the new package's keeper beside the old one's.
  local second
  second=$(inside gatepost terminal open)
  inside gatepost terminal close "${second}"
}

a_disabled_service_stays_so_after_an_upgrade() {
  inside systemctl disable --now --quiet gatepost.service
  inside dpkg -i --force-downgrade /tmp/first.deb > /dev/null 2>&1
  same 'it is' disabled "$(inside systemctl is-enabled gatepost.service || true)"
  inside systemctl enable --now --quiet gatepost.service
  everything_is_still_there disable
}

# As on the image: a read-only filesystem with a file that names an administrator, and links into the folder
# of what comes of it.
what_is_on_the_card_is_taken_over_by_its_unit() {
  local left
  inside sh -c 'mkdir -p /boot/firmware && mount -t tmpfs tmpfs /boot/firmware && ln -s /var/lib/gatepost-provision/etc/userdb /etc/userdb
    printf "hostname = \"kiosk-7\"\n[wifi]\ncountry = \"DE\"\n[wifi.networks.Office]\npassword = \"a secret of the air\"\n[admin]\nname = \"ada\"\npassword = \"battery staple\"\n" > /boot/firmware/gatepost.toml
    mount -o remount,ro,nosuid /boot/firmware'
  inside systemctl start gatepost-provision.service
  left=$(inside cat /boot/firmware/gatepost.toml)
  [[ ${left} != *secret* && ${left} != *staple* && ${left} == *moved* ]] || fail "secrets are still there: ${left}"
  inside sh -c 'grep -q "/boot/firmware tmpfs ro,nosuid" /proc/mounts' || fail 'the card can be written to now'
  same 'the name' kiosk-7 "$(inside cat /proc/sys/kernel/hostname)"
  same 'her account' 'ada:x:1100:1100:ada:/home/ada:/bin/bash' "$(inside getent passwd ada)"
  same 'a wrong password' 401 "$(log_in ada 'battery horse')"
  same 'the right one' 204 "$(log_in ada 'battery staple')"
  # A mistake is no failed unit, and is said.
  inside sh -c 'mount -o remount,rw /boot/firmware && echo "hostnam = 1" > /boot/firmware/gatepost.toml'
  inside systemctl restart gatepost-provision.service
  # It may be as it was some seconds ago.
  until_true 'the status to say what is wrong' says_what_is_wrong
  same 'her account' 'ada:x:1100:1100:ada:/home/ada:/bin/bash' "$(inside getent passwd ada)"
  inside sh -c 'systemctl stop gatepost-provision.service; umount /boot/firmware; rm /etc/userdb'
}

removal_leaves_nothing_running() {
  inside dpkg -r gatepost > "${work}/dpkg" 2>&1 || {
    cat "${work}/dpkg" >&2
    fail 'dpkg -r'
    return 1
  }
  same 'processes' '' "$(processes)"
  # Ended is ended; that PID 1 has taken note of it may take a moment.
  until_true 'the shell is gone' inside test ! -e "/proc/${shell}"
  until_true 'her shell is gone' inside test ! -e "/proc/${alices_shell}"
  same 'running units' '' "$(inside systemctl list-units --plain --no-legend --state=active,activating,deactivating,failed 'gatepost*')"
  refused 'its runtime folder being there' inside test -e /run/gatepost
  same 'sockets' '' "$(inside sh -c 'ls -d /run/gatepost* 2> /dev/null || true')"
  # Settings and what it remembers are kept for the next installation.
  inside test -e /etc/gatepost/gatepost.toml
  inside test -d /var/lib/gatepost
}

after_removal_it_installs_again() {
  inside dpkg -i /tmp/second.deb > /dev/null 2>&1
  until_true 'gatepost.service is active' active gatepost.service
  until_true 'the page' page_answers
}

purge_leaves_nothing() {
  inside gatepost terminal open > /dev/null
  inside dpkg -P gatepost > "${work}/dpkg" 2>&1 || {
    cat "${work}/dpkg" >&2
    fail 'dpkg -P'
    return 1
  }
  same 'processes' '' "$(processes)"
  same 'files' '' "$(inside sh -c 'find /etc /var/lib /run /usr -xdev -name "*gatepost*" ! -path "/var/lib/dpkg/*" ! -path "/run/systemd/*"')"
  same 'failed units' '' "$(inside systemctl list-units --failed --plain --no-legend)"
}

journey=(
  installs_in_one_step_and_runs
  the_page_answers_over_https
  the_server_is_started_by_a_connection
  nobody_is_refused_during_a_restart
  units_are_clean_and_locked_up
  the_servers_sandbox_is_in_force
  a_terminal_without_a_login_has_its_own_unit_and_user
  a_guest_leaves_nothing_behind
  a_user_logs_in_over_https_and_gets_their_own_shell
  her_login_is_a_session_of_logind
  the_keeper_is_neither_hers_nor_the_servers
  password_checks_for_x2go_are_off_and_then_locked_up
  a_taken_over_server_gets_no_shell_of_hers
  a_kiosks_machine_stays_awake_and_keeps_its_keys_to_itself
  a_restart_loses_nothing
  a_stop_loses_nothing
  a_killed_server_comes_back
  a_hung_server_is_replaced
  a_program_that_eats_memory_dies_alone
  a_flood_of_beginnings_keeps_nobody_from_logging_in
  an_upgrade_loses_nothing
  a_disabled_service_stays_so_after_an_upgrade
  what_is_on_the_card_is_taken_over_by_its_unit
  removal_leaves_nothing_running
  after_removal_it_installs_again
  purge_leaves_nothing
)

travel() {
  local suite=$1 root step began
  printf '%s\n' "==> the package on ${suite}" >&2
  lock_root "${suite}"
  root=$(root_of "${suite}")
  boot "${root}"
  for step in "${journey[@]}"; do
    began=${SECONDS}
    # Not in a condition, where the shell would go on after a failure inside.
    "${step}"
    say "ok ${step//_/ } ($((SECONDS - began)) s)"
  done
  halt
  exec 9>&-
}

if [[ $(id -u) != 0 ]]; then
  printf 'tests/package: NOT RUN: needs root (it boots a container)\n' >&2
  exit 0
fi
for tool in mmdebstrap systemd-nspawn nsenter pgrep flock dpkg-deb dpkg-shlibdeps; do
  command -v "${tool}" > /dev/null || {
    printf 'tests/package: there is no %s; ./dev setup installs what tests need\n' "${tool}" >&2
    exit 1
  }
done

work=$(mktemp -d)
trap 'status=$?; if ((status)) && [[ -n ${nspawn} ]]; then inside journalctl --no-pager -n 40 -u "gatepost*" >&2 || true; fi; halt; rm -rf "${work}"' EXIT
# The window's package is not what is tested here, and nothing is kept for long enough to be made small.
mkdir "${work}/bin"
for program in gatepost gatepost-keeper gatepost-login; do
  ln -s "$(realpath -- "${bin}/${program}")" "${work}/bin/${program}"
done
export GATEPOST_DEB_COMPRESSION=none
for version in 1 2; do
  GATEPOST_DEB_VERSION=0.0.${version} "${here}/../../packaging/build.sh" "${work}/bin" "${work}/${version}"
done
architecture=$(dpkg --print-architecture)
deb=gatepost_0.0.1_${architecture}.deb
deb_second=gatepost_0.0.2_${architecture}.deb
if (($# == 0)); then
  set -- bookworm trixie
fi
for suite; do
  travel "${suite}"
done
