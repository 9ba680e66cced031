# shellcheck shell=bash
# Steps about people: who logs in, who is a guest, who can't become somebody else.

# log_in NAME PASSWORD: over HTTPS, as the page does; prints the last status.
log_in() {
  local conversation
  conversation=$(web --json "{\"user\": \"$1\"}" "${site}/api/login/pam" \
    | sed -n 's/.*"conversation": *"\([0-9a-f]*\)".*/\1/p')
  web --output /tmp/answer --write-out '%{http_code}' \
    --json "{\"conversation\": \"${conversation}\", \"answers\": [\"$2\"]}" "${site}/api/login/pam"
}
page_shows() { web "${site}/api/terminals/$1/text?scrollback=1" | grep -qF -- "$2"; }
types() {
  web --fail --output /dev/null --json "{\"line\": \"terminal send $1 \\\"$2\\\\n\\\"\"}" "${site}/api/actions"
}

alices=
alices_shell=
a_user_logs_in_over_https_and_gets_their_own_shell() {
  inside useradd --create-home --shell /bin/bash --groups games alice
  inside sh -c 'echo "alice:correct horse" | chpasswd'
  same 'a wrong password' 401 "$(log_in alice 'wrong horse')"
  refused 'a terminal without a login' web --fail --json '{}' "${site}/api/terminals"
  same 'the right one' 204 "$(log_in alice 'correct horse')"
  alices=$(web --json '{}' "${site}/api/terminals" | sed -n 's/.*"terminal": *"\([a-z2-7]*\)".*/\1/p')
  [[ -n ${alices} ]] || fail 'no terminal was opened'
  types "${alices}" 'echo I am $(id -un) in $(pwd) of $(id -Gn)'
  until_true 'her own shell' page_shows "${alices}" 'I am alice in /home/alice of alice games'
  alices_shell=$(shell_pid "${alices}")
  same 'the shell is hers' alice "$(owner_of "${alices_shell}")"
}

her_login_is_a_session_of_logind() {
  until_true 'loginctl lists it' inside sh -c 'loginctl list-sessions --no-legend | grep -qw alice'
  inside grep -q 'user-[0-9]*[.]slice/session-' "/proc/${alices_shell}/cgroup" || fail 'her shell is not in the scope of her session'
  # Nothing of the server's sandbox, nor of the helper's.
  same 'no new privileges' 0 "$(status_of "${alices_shell}" NoNewPrivs)"
  same 'capabilities it could get' "$(status_of 1 CapBnd)" "$(status_of "${alices_shell}" CapBnd)"
  types "${alices}" 'touch ~/hers /tmp/hers-too'
  until_true 'she writes at home' inside test -e /home/alice/hers
  until_true 'she writes in the real /tmp' inside test -e /tmp/hers-too
}

the_keeper_is_neither_hers_nor_the_servers() {
  local keeper
  keeper=$(processes_of gatepost-keeper)
  [[ ${keeper} == *gatepost-keeper* ]] || fail "keepers run as: ${keeper}"
}

# checks PASSWORD: asks the line service as X2Go's broker does. Python and its files are this
# machine's; it runs as a process of the container, so that the helper can see who asks.
checks() {
  nsenter --target "${leader}" --pid -- python3 - "/proc/${leader}/root/run/gatepost-auth/auth.sock" "$1" << 'PYTHON'
import socket, sys
line = socket.socket(socket.AF_UNIX)
line.settimeout(20)
line.connect(sys.argv[1])
line.sendall(f"alice\r{sys.argv[2]}\rx2gobroker\n".encode())
print(line.recv(1024).decode().strip())
PYTHON
}
password_checks_for_x2go_are_off_and_then_locked_up() {
  same 'at first' disabled "$(inside systemctl is-enabled gatepost-auth.socket || true)"
  inside systemctl start gatepost-auth.socket
  same 'a wrong password' fail "$(checks 'wrong horse')"
  same 'the right one' ok "$(checks 'correct horse')"
  inside systemctl stop gatepost-auth.socket
  inside cp /usr/lib/systemd/system/gatepost-auth@.service /tmp/gatepost-auth.service
  inside systemd-analyze security --offline=yes --threshold=25 --no-pager /tmp/gatepost-auth.service > "${work}/score" \
    || fail "gatepost-auth@.service: $(tail -n 1 "${work}/score")"
  say "gatepost-auth@.service$(tail -n 1 "${work}/score" | grep -o ': [0-9.]*')"
}

# Whatever the server's own uid can reach, it can't become somebody without a password.
a_taken_over_server_gets_no_shell_of_hers() {
  local pid
  pid=$(server_pid)
  local as=(inside nsenter --target "${pid}" --mount -- setpriv --reuid gatepost --regid gatepost --clear-groups --no-new-privs)
  refused 'reading her home' "${as[@]}" ls /home/alice
  refused 'reading passwords' "${as[@]}" cat /etc/shadow
  refused 'becoming her' "${as[@]}" setpriv --reuid alice true
  refused 'su' "${as[@]}" su alice -c true
  refused 'starting a unit' "${as[@]}" systemctl start gatepost-login@x.service
  refused 'running something as her' "${as[@]}" systemd-run --uid=alice true
  refused 'signalling her shell' "${as[@]}" sh -c "kill -0 ${alices_shell}"
  refused 'changing the settings' "${as[@]}" touch /etc/gatepost/conf.d/more.toml
  refused 'changing the helpers' "${as[@]}" touch /usr/libexec/gatepost/gatepost-login
  refused 'taking the place of the login socket' "${as[@]}" mv /run/gatepost-login/login.sock /run/gatepost-login/x
}

# Strangers can begin logins as fast as the network lets them, and each beginning is a connection: whatever
# comes of those, the socket stays. (systemd closes one for good that is asked 200 times in two seconds.)
a_flood_of_beginnings_keeps_nobody_from_logging_in() {
  nsenter --target "${leader}" --pid -- python3 - "/proc/${leader}/root/run/gatepost-login/login.sock" << 'PYTHON'
import socket, sys
for _ in range(400):
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(60)
    line.connect(sys.argv[1])
    line.close()
PYTHON
  active gatepost-login.socket
  until_true 'logging in after it' logs_in alice 'correct horse'
}
logs_in() { [[ $(log_in "$1" "$2") == 204 ]]; }

# As the machine's own screen asks, for which the other package makes the folder.
kiosk() { inside env GATEPOST_RUNTIME_DIR=/run/gatepost/screen gatepost "$@"; }
has_no() { ! shows "$@"; }
is_listed() { inside gatepost terminal list | grep -qF "$1"; }
is_gone() { ! is_listed "$1"; }
a_guest_leaves_nothing_behind() {
  local guest pid place unit
  local -a places=(/tmp /var/tmp /dev/shm /run/lock)
  inside install -d -o gatepost -g gatepost -m 750 /run/gatepost/screen
  inside sh -c 'printf "[\"kiosk\".kiosk]\nforget = [\"home\"]\n" > /etc/gatepost/conf.d/guest.toml
    echo laid-out > /var/lib/gatepost-kiosk/hello'
  inside systemctl restart gatepost.service
  guest=$(kiosk terminal open --name kiosk)
  pid=$(shell_pid "${guest}")
  same 'its user' gatepost-kiosk "$(owner_of "${pid}")"
  unit=$(units_of 'gatepost-guest@*.service')
  [[ -n ${unit} ]] || fail 'it is in no unit of its own'
  inside gatepost terminal send "${guest}" --enter "cat ~/hello; touch ~/theirs ${places[*]/%//theirs}; history -w"
  until_true 'what is laid out for all' shows "${guest}" laid-out
  inside gatepost terminal send "${guest}" --enter 'echo evil >> /var/lib/gatepost-kiosk/hello; (setsid nohup sleep 1000 &); echo wr"ote" $(ls -A ~ /tmp)'
  until_true 'files of their own' shows "${guest}" 'wrote'
  shows "${guest}" theirs || fail 'the guest has no files'
  for place in "${places[@]}"; do
    refused "being seen in ${place} by others" inside test -e "${place}/theirs"
  done
  same 'what is laid out' laid-out "$(inside cat /var/lib/gatepost-kiosk/hello)"
  inside gatepost terminal send "${guest}" --enter exit
  until_true 'the terminal ends with its shell' is_gone "${guest}"
  until_true 'the unit is gone' inside sh -c '! systemctl is-active --quiet "$1"' sh "${unit}"
  refused 'a program living on' inside sh -c 'grep -lsx sleep /proc/[0-9]*/comm'
  guest=$(kiosk terminal open --name kiosk)
  inside gatepost terminal send "${guest}" --enter "ls -A ~ ${places[*]}; cat ~/hello; echo li\"sted\""
  until_true 'a list' shows "${guest}" listed
  shows "${guest}" laid-out || fail 'what is laid out is not there'
  until_true 'nothing of the last guest' has_no "${guest}" theirs
  # The way it was killed makes no difference.
  inside gatepost terminal send "${guest}" --enter 'touch /tmp/killed'
  unit=$(units_of 'gatepost-guest@*.service')
  inside systemctl kill --signal=KILL "${unit}"
  until_true 'the unit is gone' inside sh -c '! systemctl is-active --quiet "$1"' sh "${unit}"
  guest=$(kiosk terminal open --name kiosk)
  inside gatepost terminal send "${guest}" --enter 'ls -A /tmp; echo li"sted"'
  until_true 'a list' shows "${guest}" listed
  has_no "${guest}" killed || fail 'a file of a guest who was killed is there'
  inside gatepost terminal close "${guest}"
  inside rm -r /etc/gatepost/conf.d/guest.toml /run/gatepost/screen
  inside systemctl restart gatepost.service
}
