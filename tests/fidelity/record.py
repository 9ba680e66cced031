#!/usr/bin/env python3
"""Records what programs write to a terminal: by hand, once; the tests only read the recordings.

Usage: sudo tests/fidelity/record.py [NAME…]     (Debian: vim less htop mc tmux nano dialog git python3)

Each program runs in namespaces of its own (no process, host name or home folder of this machine gets into
a recording), in a PTY of a fixed size, and is sent keys whenever it has been silent for a moment. What it
asks a terminal (device attributes, cursor position, colours) is answered as an ordinary xterm would.
A recording is the raw bytes: recordings/NAME.COLSxROWS.raw.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SILENCE = 0.35  # seconds without output after which the program is taken to wait for a key
LONGEST = 4.0  # seconds until the next key is sent anyway (htop, top never fall silent)
MOST = 200_000  # bytes kept of one recording

SETUP = r"""
hostname demo; mount -t tmpfs -o size=64m tmpfs /home; mkdir /home/demo; cd /home/demo
mkdir -p src/lib docs .config/htop .config/mc
printf '%s\n' '[Midnight-Commander]' use_internal_edit=true use_internal_view=true > .config/mc/ini
printf '%s\n' 'fields=0 48 17 18 38 39 40 2 46 47 49 1' 'left_meters=AllCPUs Memory' 'left_meter_modes=1 1' 'right_meters=Tasks Clock' 'right_meter_modes=2 2' > .config/htop/htoprc
i=0; while [ $i -lt 60 ]; do i=$((i+1)); echo "$i  The quick brown fox jumps over the lazy dog; line $i of a text that sometimes is longer than the terminal is wide, and then it wraps."; done > docs/text.txt
printf 'Ünïcödé 日本語 😀\n\ttabbed\ttext\n\033[31mred\033[m \033[1mbold\033[m\nback\b\b\b\bspace\n' > docs/odd.txt
cat > src/main.c <<'C'
/* A small program, for its colours. */
#include <stdio.h>
#define LIMIT 42 // TODO: make it larger

static const char *words[] = { "alpha", "beta\n", "gamma", 0 };

int main(int argc, char **argv) {
	for (int i = 0; words[i]; i++) {
		if (i > LIMIT) return 1;
		printf("%s: %d %c 0x%02x\n", words[i], i, 'x', 3.14f > i);
	}
	return argc > 1 ? argv[1][0] : 0;
}
C
cp src/main.c src/lib/other.c; echo '#!/bin/sh' > run.sh; chmod +x run.sh; ln -s src/main.c link.c; mkfifo pipe
export GIT_CONFIG_GLOBAL=/home/demo/.gitconfig GIT_AUTHOR_DATE='2026-01-02T03:04:05Z' GIT_COMMITTER_DATE='2026-01-02T03:04:05Z'
"""

GIT = r"""
git init -q -b main . && git config user.name Demo && git config user.email demo@example.org
for n in 1 2 3 4 5 6 7 8 9; do echo "change $n" >> docs/text.txt; sed -i "s/4[0-9]/4$n/" src/main.c; git add -A src docs; git commit -q -m "Change number $n: a subject that says what is different"; [ $n = 4 ] && git checkout -q -b side; [ $n = 6 ] && git checkout -q main && git merge -q --no-ff -m 'Merge side' side; done
"""

ENTER, ESCAPE, TAB = "\r", "\x1b", "\t"
F3, F4, F5, F7, F9, F10 = "\x1bOR", "\x1bOS", "\x1b[15~", "\x1b[18~", "\x1b[20~", "\x1b[21~"
CONTROL_O = "\x0f"
UP, DOWN, RIGHT, LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"
SHELL = "PS1='\\[\\e[1;32m\\]demo\\[\\e[m\\]:\\[\\e[34m\\]\\w\\[\\e[m\\]\\$ ' exec bash --norc --noprofile -i"


def show(name):
    return f"exec /usr/bin/python3 -B {HERE}/shows.py {name}"


# name: (columns, rows, command for sh, keys one silence apart)
PROGRAMS = {
    "vim": (80, 24, "exec vim -u NONE -N --cmd 'syntax on | set number hlsearch mouse=a title laststatus=2' src/main.c",
            ["/LIMIT" + ENTER, "n", ":split docs/text.txt" + ENTER, "\x06", "\x06", "\x17w", "onew line äöü 日本" + ESCAPE, ":vsplit" + ENTER, "GA // end" + ESCAPE, "ggvjjj", ">", "u",
             ":set list cursorline" + ENTER, "\x17o", ":terminal echo inside vim" + ENTER, ":qa!" + ENTER, ":qa!" + ENTER]),
    "vim-wide": (132, 43, "exec vim -u NONE -N --cmd 'syntax on | set termguicolors wildmenu cursorcolumn' src/main.c",
                 [":colorscheme slate" + ENTER, ":help" + ENTER, "\x06", "\x04", "/window" + ENTER, "\x17H", ":e doc\t\t", ESCAPE, "i" + "typed text " * 14 + ESCAPE, ":vert ter echo hi" + ENTER]),
    "less": (80, 24, "exec less -RMS docs/text.txt", [" ", " ", "b", "/fox" + ENTER, "n", "n", RIGHT, LEFT, "G", "g", "50%", "&line 3" + ENTER, "&" + ENTER, ":n", "-S" + ENTER, " ", "q"]),
    "less-stays": (60, 20, "less -XFR docs/text.txt docs/odd.txt", [DOWN, DOWN, " ", "k", "/text" + ENTER, ":n", "G", "h", "q", "q"]),
    "htop": (100, 30, "sleep 600 & sh -c 'sleep 601 & sleep 602' & exec htop -d 5", [DOWN, DOWN, "t", "P", "/sleep" + ENTER, "\x1bOQ", DOWN, RIGHT, ESCAPE, "h", ESCAPE, "q"]),
    "top": (90, 25, "sleep 600 & exec top -d 0.4", ["z", "x", "1", "c", "V", "h", ESCAPE, "q"]),
    "mc": (80, 24, "exec mc -a -u . docs",
           [DOWN, DOWN, TAB, DOWN, F3, "\x1b[6~", F10, F9, RIGHT, DOWN, ESCAPE + ESCAPE, F5, ESCAPE + ESCAPE, "echo typed" + ENTER, CONTROL_O, CONTROL_O, "\x1b?", ESCAPE + ESCAPE, F10, ENTER]),
    "mc-colour": (120, 40, "cd src; exec mc -u -S dark . ../docs", [DOWN, DOWN, F4, DOWN, "int x;" + ENTER, F9, DOWN, ESCAPE + ESCAPE, F10, RIGHT, ENTER, F7, "newdir" + ENTER, TAB, DOWN, F3, "\x1b[6~", F10, F10, ENTER]),
    "tmux": (90, 28, "export PS1='$ ' TMUX_TMPDIR=/home/demo SHELL=/bin/bash; exec tmux -f /dev/null new-session 'bash --norc'",
             ["ls --color=always -la" + ENTER, "\x02%", "cat docs/text.txt" + ENTER, "\x02\"", "echo äöü 日本 😀; printf '\\033[31mred\\033[m'" + ENTER, "\x02[", "\x1b[5~", UP, "q", "\x02c", "vi -u NONE docs/text.txt" + ENTER, "\x06", "\x02p", "\x02z", "\x02z", "\x02w", ENTER, "\x02d"]),
    "nano": (80, 24, "exec nano -l docs/text.txt", ["Hello ünïcödé " + ENTER, "\x16", "\x17fox" + ENTER, "\x0b\x0b", "\x15", "\x07", "\x18", CONTROL_O, ENTER, "\x18", "n"]),
    "bash": (80, 24, SHELL, ["echo hello", LEFT * 3, "XY", "\x01", "\x0b", "\x19", ENTER, "echo " + "a long line that wraps " * 6, "\x01", "\x05", ENTER, "\x12hel", "\x12", ENTER, "ls --color=always -la src docs" + ENTER,
             "for i in 1 2 3; do" + ENTER + "echo $i 日本" + ENTER + "done" + ENTER, "cat docs/te\t", "| head -50" + ENTER, "ls \t\t", "\x03", UP, UP, DOWN, "\x15", "clear" + ENTER, "printf '%s' no-newline" + ENTER, "echo $'\\e]0;a title\\a'" + ENTER, "\x04"]),
    "python": (80, 24, "exec /usr/bin/python3 -q", ["for i in range(30): print(i, 'x' * i)" + ENTER, ENTER, "'日本語' * 12" + ENTER, "import this" + ENTER, "1/0" + ENTER, UP + UP, ENTER, "de\t", "f f(x):" + ENTER + "\treturn x" + ENTER + ENTER, "help()" + ENTER, "keywords" + ENTER, "q" + ENTER, "\x04"]),
    "dialog": (80, 24, "dialog --colors --title 'Install' --backtitle 'Gatepost setup' --yesno '\\Z1Erase\\Zn the disk and install?' 8 50; dialog --menu 'Which screen?' 15 50 6 1 'HDMI 日本' 2 'DSI' 3 'none'; dialog --checklist 'Parts' 15 50 5 kiosk window on ssh server off; "
               "dialog --inputbox 'Name of the device' 9 50 kiosk; dialog --passwordbox 'Password' 9 50; (for i in 0 20 40 60 80 100; do echo $i; sleep 0.1; done) | dialog --gauge 'Installing …' 8 60; dialog --textbox docs/text.txt 20 70; clear; echo finished",
               [TAB, TAB, ENTER, DOWN, DOWN, ENTER, " ", DOWN, " ", ENTER, "-äö", ENTER, "secret", ENTER, "\x1b[6~", RIGHT, "\x1b[6~", ENTER]),
    "git": (100, 30, GIT + "git --no-pager -c color.ui=always log --graph --stat --decorate; git --no-pager -c color.ui=always diff --word-diff HEAD~5; ls --color=always --hyperlink=always -la . src; GIT_PAGER='less -R' git -c color.ui=always log -p",
            [" ", " ", "/fox" + ENTER, "G", "q"]),
    "man": (72, 24, "MANPAGER='less -R' exec man ls", [" ", "/sort" + ENTER, "n", "G", "q"]),
    "watch": (80, 24, "exec watch -c -n 0.3 -t 'ls --color=always -la; cat docs/odd.txt; cut -c1-70 docs/text.txt'", ["", "", "q"]),
    "flood": (80, 24, "seq 1 4000; grep --color=always -n fox docs/text.txt; yes 'y 日本' | head -800", []),
    **{name: (80, 24, show(name), []) for name in ("colours", "unicode", "progress", "apt", "charsets", "margins", "screens", "links", "synchronized")},
    "unicode-narrow": (33, 12, show("unicode"), []),
    "margins-small": (40, 24, show("margins"), []),
}

ANSWERS = [
    (rb"\x1b\[0?c", b"\x1b[?62;22c"),
    (rb"\x1b\[>0?c", b"\x1b[>41;330;0c"),
    (rb"\x1b\[5n", b"\x1b[0n"),
    (rb"\x1b\[6n", b"\x1b[1;1R"),
    (rb"\x1b\]10;\?(?:\x07|\x1b\\)", b"\x1b]10;rgb:dddd/dddd/dddd\x1b\\"),
    (rb"\x1b\]11;\?(?:\x07|\x1b\\)", b"\x1b]11;rgb:0000/0000/0000\x1b\\"),
]


def record(name):
    columns, rows, command, keys = PROGRAMS[name]
    environment = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "HOME": "/home/demo", "USER": "demo", "LOGNAME": "demo", "SHELL": "/bin/sh",
                   "PATH": "/usr/local/bin:/usr/bin:/bin", "TZ": "UTC", "MANWIDTH": "70", "LESSHISTFILE": "-", "PYTHONDONTWRITEBYTECODE": "1"}
    child, master = pty.fork()
    if child == 0:
        os.execvpe("unshare", ["unshare", "-fpmu", "--kill-child", "--mount-proc", "sh", "-c", SETUP + command], environment)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    output, asked, pending = bytearray(), 0, [None] + list(keys)
    last = sent = time.monotonic()
    while len(output) < MOST:
        ready, _, _ = select.select([master], [], [], 0.05)
        now = time.monotonic()
        if ready:
            try:
                data = os.read(master, 65536)
            except OSError:
                break
            if not data:
                break
            output += data
            last = now
            for question, answer in ANSWERS:
                for _ in re.finditer(question, bytes(output[asked:])):
                    os.write(master, answer)
            # a question cut in two by a read is rare and only costs its answer
            asked = len(output)
        if now - last > SILENCE * (3 if not output else 1) or now - sent > LONGEST:
            if pending and pending[0] is None and not output and now - sent < LONGEST:
                continue
            sent = last = now
            if not pending:
                break
            key = pending.pop(0)
            if key:
                os.write(master, key.encode())
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(master)
    output = bytes(output[:MOST])
    for word in (os.uname().nodename, os.path.expanduser("~"), HERE):
        if word.encode() in output:
            print(f"  {name}: the recording has {word!r} in it; look at it before committing", file=sys.stderr)
    with open(f"{HERE}/recordings/{name}.{columns}x{rows}.raw", "wb") as file:
        file.write(output)
    print(f"{name}: {len(output)} bytes, {len(pending)} keys unsent")


if __name__ == "__main__":
    for program in sys.argv[1:] or PROGRAMS:
        record(program)
