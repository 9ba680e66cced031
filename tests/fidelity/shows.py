#!/usr/bin/env python3
"""Prints the screens no everyday program prints all of: what record.py records beside real programs.

Usage: shows.py NAME. Each show leaves some state behind on purpose (a mode, a margin, a pen), because a
repaint has to carry that over too.
"""

import sys
import time

ESC = "\x1b"
CSI = "\x1b["


def out(*parts):
    sys.stdout.write("".join(parts))
    sys.stdout.flush()


def at(row, column):
    return f"{CSI}{row};{column}H"


def colours():
    out("plain ", CSI, "1mbold", CSI, "22;2mdim", CSI, "0;3mitalic", CSI, "0;4munder", CSI, "0;7minverse", CSI, "0;9mstruck", CSI, "m\r\n")
    for style in range(6):
        out(f"{CSI}4:{style}mstyle {style}{CSI}24m ")
    out(CSI, "21mdouble", CSI, "24m", CSI, "5mblink", CSI, "25m", CSI, "8mhidden", CSI, "28m", CSI, "m\r\n")
    for i, colour in enumerate(("5:196", "2::255:128:0", "2::0:200:255")):
        out(f"{CSI}4:3m{CSI}58:{colour}mcurly {i}{CSI}0m ")
    out(f"{CSI}4m{CSI}58;5;33mcoloured{CSI}59m not{CSI}0m\r\n")
    for bold in ("", "1;", "2;", "1;2;", "3;4;", "7;", "1;7;9;"):
        for i in range(8):
            out(f"{CSI}{bold}3{i}m {i}{CSI}0m{CSI}{bold}4{i}m {i}{CSI}0m{CSI}{bold}9{i}m {i}{CSI}0m{CSI}{bold}10{i}m {i}{CSI}0m")
        out("\r\n")
    for i in range(256):
        out(f"{CSI}48;5;{i}m{CSI}38;5;{255 - i}m{i:4}", f"{CSI}0m\r\n" if i % 16 == 15 else "")
    for row in range(4):
        for column in range(76):
            red, green, blue = 255 - column * 255 // 76, column * 510 // 76 % 256, row * 60
            out(f"{CSI}48;2;{red};{green};{blue}m{CSI}38:2::{255 - red}:{255 - green}:{255 - blue}m▀")
        out(f"{CSI}0m\r\n")
    out(f"{CSI}44mback colour erase{CSI}K\r\n{CSI}42mtwo{CSI}0K{CSI}m\r\n{CSI}41m{CSI}2Kwhole{CSI}m\r\n")
    out(f"{CSI}45m0123456789{CSI}5D{CSI}1K{CSI}m\r\n{CSI}46mABCDEFGHIJ{CSI}6D{CSI}3X{CSI}m\r\n")
    out(f"{CSI}43mabcdefghij{CSI}8D{CSI}3P{CSI}2@{CSI}m\r\n")
    out(f"{CSI}7m inverse to the end{CSI}K{CSI}m\r\n{CSI}4m    {CSI}m underlined blanks {CSI}9m    {CSI}m|{CSI}7m    {CSI}m|\r\n")
    out(f"{CSI}1;31mred {CSI}39mdefault {CSI}32;49mgreen {CSI}22mthin {CSI}3;4;53mmuch {CSI}23;24;55mless {CSI}0m\r\n")
    # trailing parameters, empty ones, and the pen left on
    out(f"{CSI};1mreset then bold{CSI};;mplain{CSI}38;5;208;48;5;17;1;4:3;58;5;46mpen left on ")


def unicode():
    out("ASCII, then: äöüß éèê ñ – „Anführung“ … €\r\n", "日本語のテキスト 中文文本 한국어 텍스트\r\n", "emoji: 😀 🚀 👍 ❤ ✅ 🎉 🐧 | after\r\n")
    out("combining: e\u0301 a\u0308 n\u0303 o\u0302\u0323 x\u0336y\u0336z\u0336 | thai ภาษาไทย | hindi हिन्दी | hebrew עברית | arabic العربية\r\n")
    out("joined: 👨\u200d👩\u200d👧 flags: 🇩🇪🇯🇵 tone: 👍🏽 heart: ❤\ufe0f keycap: 1\ufe0f\u20e3 |\r\n")
    out("boxes: ┌──┬──┐ ╔══╦══╗ ▁▂▃▄▅▆▇█ ░▒▓ ⠁⠃⠇⡇⣇⣧⣷⣿ ◢◣◤◥ ①② →←↑↓\r\n")
    out("powerline: \ue0b0\ue0b1\ue0b2 \uf115 nbsp[\u00a0] zwsp[\u200b] shy[\u00ad] wide ambiguous: ※ ± § ° Ω я\r\n")
    out("x" * 79, "日", "after the wide one that did not fit\r\n")
    out("x" * 78, "日", "wrapped behind\r\n", "x" * 80, "exactly full\r\n", "y" * 80, "\r\n")
    out("日" * 45, "\r\n", "é" * 85, "\r\n", "e\u0301" * 84, "\r\n")
    out(("long words that go on past the right edge and wrap softly, " * 5), "\r\n")
    out("over a wide one: 日本語日本語", CSI, "5D", "x", CSI, "3D", "y", CSI, "4C|\r\n")
    out("erase half of one: 日本語日本語", CSI, "5D", CSI, "2X", CSI, "8C|\r\n", "delete half: 日本語日本語", CSI, "5D", CSI, "1P", "|\r\n")
    out("insert: 日本語日本語", CSI, "5D", CSI, "1@", "|\r\n")
    out(at(3, 79), "日本", at(5, 80), "e\u0301\u0323z", at(6, 80), "|")
    for i in range(30):
        out(f"line {i}: ", "ab日cd😀" * (i % 9), "\r\n")
    out(at(24, 76), "pend日", "\u0301")
    time.sleep(0.1)
    out("\u4e00")
    out(at(10, 80), "x")
    time.sleep(0.1)
    out("\u0302", "\r\n", at(24, 1), "z" * 80)


def progress():
    out("Fetching 3 parts\r\n")
    for part in ("kernel", "modules", "firmware"):
        for i in range(0, 101, 4):
            bar = "█" * (i // 4) + "▏" * (i % 4 > 0) + " " * (25 - i // 4)
            out(f"\r{CSI}K{CSI}1m{part:>9}{CSI}m {CSI}32m{bar}{CSI}m {i:3}% {'|/-' [i % 3]}")
            time.sleep(0.002)
        out("\r\n")
    for i in range(40):
        out("#", f"{CSI}s", f"{CSI}1;70H{i:3}/40", f"{CSI}u")
    out("\r\ndone\r\n", "50%\b\b\b75%\b\b\b99%", "\r\n")
    for i in range(12):
        # three lines redrawn in place
        for line in range(3):
            out(f"{CSI}2Kworker {line}: {'=' * ((i * (line + 3)) % 40)}>\r\n")
        out(f"{CSI}3A")
    out(f"{CSI}3B\x07finished")


def apt():
    rows = 24
    out("Reading package lists... 0%\rReading package lists... 100%\rReading package lists... Done\r\n")
    out("Building dependency tree... Done\r\n")
    for i in range(14):
        out(f"Get:{i + 1} http://deb.example.org stable/main arm64 package-{i} all 1.{i}-1 [{i * 37 + 12} kB]\r\n")
    out("\n", f"{ESC}7{CSI}0;{rows - 1}r{ESC}8{CSI}1A")
    for i in range(30):
        out(f"{ESC}7{CSI}{rows};0f{CSI}42m{CSI}30mProgress: [{i * 100 // 30:3}%]{CSI}49m{CSI}39m [{'#' * (i * 58 // 30)}{'.' * (58 - i * 58 // 30)}] {ESC}8")
        out(f"Selecting previously unselected package package-{i}.\r\n", f"Preparing to unpack .../package-{i}_1.{i}-1_all.deb ...\r\n")
        out(f"Unpacking package-{i} (1.{i}-1) ...\r\n" if i % 3 else f"{CSI}1mUnpacking{CSI}m package-{i} with a rather long description that wraps at the right edge of the region ...\r\n")
    out("\n", f"{ESC}7{CSI}0;{rows}r{ESC}8{CSI}1A{CSI}J")
    out("Processing triggers for man-db (2.11.2-2) ...\r\n")


def charsets():
    out(f"{ESC}(0lqqqwqqqk{ESC}(B G0 drawing\r\n{ESC}(0x{ESC}(B   {ESC}(0x{ESC}(B   {ESC}(0x{ESC}(B\r\n{ESC}(0mqqqvqqqj{ESC}(B\r\n")
    out(f"{ESC})0\x0elqqk\x0f plain \x0ex``x\x0f plain {ESC}(A#pound{ESC}(B # {ESC}(0abcdefghijklmnopqrstuvwxyz{{|}}~_{ESC}(B\r\n")
    out(f"{ESC}*0{ESC}nlqk{ESC}o G3 {ESC}+0lqk\x0fdefault again\r\n")
    # saved with a charset, restored with it
    out(f"{ESC}(0{CSI}31m{ESC}7{ESC}(B{CSI}m{at(8, 10)}elsewhere{ESC}8qqq restored{ESC}(B{CSI}m\r\n")
    out(f"{ESC}#8")
    time.sleep(0.05)
    out(f"{CSI}2J{at(1, 1)}after the alignment pattern\r\n")
    for row in range(2, 23):
        out(at(row, 1 + row), f"{ESC}(0x{ESC}(B{row}", at(row, 81 - row), f"\x0ex\x0f")
    out(f"{CSI}3;20r{CSI}?6h{at(1, 1)}origin one{at(99, 99)}corner{at(5, 70)}\x0emqq")


def margins():
    for i in range(40):
        out(f"history {i} ", "-" * (i % 60), "\r\n")
    out(f"{CSI}5;15r{at(15, 1)}")
    for i in range(14):
        out(f"\r\nin the region {i} {CSI}4{i % 8}m{i}{CSI}m")
    out(f"{at(5, 1)}{ESC}Mreverse index{at(5, 1)}{ESC}M{ESC}Mtwice", f"{at(15, 40)}{ESC}D{ESC}D index", f"{ESC}E next line")
    out(f"{at(8, 3)}{CSI}2Linserted", f"{at(11, 3)}{CSI}1Mdeleted", f"{CSI}2S", f"{CSI}44m{CSI}1T{CSI}m")
    out(f"{at(2, 1)}\n\n\nabove{at(20, 1)}below{at(24, 1)}bottom\nsame\n", f"{at(3, 5)}{CSI}4M{CSI}2L outside the region")
    out(f"{CSI}?6h{at(1, 1)}home{at(11, 1)}last{CSI}20Bstill last{CSI}?6l")
    out(f"{CSI}r{at(24, 1)}")
    for i in range(8):
        out(f"\r\nafter {i}")
    # a region that starts at the top sends lines to the scrollback
    out(f"{CSI}1;10r{at(10, 1)}")
    for i in range(8):
        out(f"\r\ntop region {i}")
    out(f"{CSI}41m\r\ncoloured\r\n\r\n{CSI}m")
    out(f"{CSI}3g{at(12, 1)}", "".join(f"{CSI}{column}G{ESC}H" for column in (5, 11, 30, 31, 77)), "\ra\tb\tc\td\te\tf\tg|\r\n", f"{at(13, 31)}{CSI}g\rA\tB\tC\tD{CSI}2Z<")
    out(f"{CSI}4h{at(12, 3)}inserted text{CSI}4l{at(14, 1)}", "0123456789" * 8, f"{at(14, 5)}{CSI}4hXX{at(14, 79)}YZ!")
    out(f"{CSI}4l{CSI}?7l{at(16, 70)}no wrap at the edge, only the last cell changes", f"{CSI}?7h{at(17, 75)}wraps again here")
    out(f"{CSI}20h{at(18, 1)}newline mode\nat the left{CSI}20l\nnot{at(20, 78)}{CSI}?45hab\b\b{CSI}?45l")
    out(f"{CSI}6;22r{CSI}?6h{at(3, 10)}left with origin and margins {CSI}?7l{CSI}4h")


def screens():
    for i in range(50):
        out(f"{CSI}3{i % 8}mmain {i}{CSI}m {'~' * i}\r\n")
    out(f"prompt $ {CSI}1;33m", f"{CSI}?1049h{CSI}2J{at(1, 1)}alternate{CSI}4;10r{at(4, 1)}")
    for i in range(12):
        out(f"scrolls {i}\r\n")
    out(f"{ESC}7{at(20, 20)}{CSI}32mfar{ESC}8saved there", f"{CSI}?1h{ESC}=", f"{CSI}?2004h{CSI}?1004h{CSI}?1002h{CSI}?1006h{CSI}?25l{CSI}4 q")
    time.sleep(0.05)
    out(f"{CSI}?1049l", " back on main", f"{CSI}?1000h{CSI}?1l{ESC}>{CSI}?25h\r\n")
    out(f"{CSI}?47h{at(3, 3)}old alternate{CSI}?47l{CSI}?1047h{at(5, 5)}another{CSI}?1047l")
    out(f"{at(12, 12)}{CSI}1;4;35m{ESC}7{CSI}m{at(1, 1)}top{ESC}8here with its pen{CSI}m{CSI}?1048h{at(2, 2)}two{CSI}?1048l three")
    out(f"{CSI}6 q{CSI}?12h{CSI}?9h{CSI}?1003h{CSI}?1016h{CSI}?1006l{CSI}?1005h{CSI}?1015h")
    out(f"{CSI}22;0t{ESC}]0;one title{ESC}\\{CSI}22;2t{ESC}]2;another äöü 日本\x07{CSI}23;2t{ESC}]1;icon\x07")
    out(f"{ESC}]4;1;rgb:12/34/56\x07{ESC}]4;200;#abcdef{ESC}\\{ESC}]10;#ffeedd\x07{ESC}]11;rgb:00/11/22\x07{ESC}]12;red\x07{ESC}]104;200\x07")
    out(f"{CSI}31mpalette one{CSI}38;5;200m two hundred{CSI}m\r\n")
    out(f"{ESC}[!p", "after a soft reset\r\n", f"{CSI}?2004h{CSI}?1h")
    out(f"{CSI}?1049h{CSI}2J{at(2, 2)}left on the alternate screen{CSI}7;9r{at(8, 8)}{CSI}7min the region")


def links():
    link = lambda uri, text, params="": f"{ESC}]8;{params};{uri}{ESC}\\{text}{ESC}]8;;{ESC}\\"
    out(f"{ESC}]2;links{ESC}\\", "see ", link("https://example.org/", "an address"), " and ", link("https://example.org/?a=1;b=2#c", "another; with semicolons"), "\r\n")
    out(link("https://example.org/long", "a link that goes on past the right edge of the terminal, where it wraps to the next line and ends", "id=long"), "\r\n")
    out(f"{CSI}4:3;58;5;9m", link("file:///home/demo/file%20name", "styled"), " styled without", f"{CSI}m\r\n")
    for i in range(30):
        out(f"{CSI}34m", link(f"https://example.org/{i}", f"commit {i:07x}", f"id=c{i % 4}"), f"{CSI}m ", link("mailto:demo@example.org", "author\x07"[:-1]), f" line {i}\r\n")
    out(f"{ESC}]8;;https://example.org/bel\x07ended by a bell{ESC}]8;;\x07 not\r\n", link("https://example.org/wide", "日本語 link 😀"), "\r\n")
    out(f"{ESC}]0;icon and title\x07{ESC}]7;file://demo/home/demo{ESC}\\{ESC}]133;A\x07$ {ESC}]133;B\x07ls\r\n{ESC}]133;C\x07file\r\n{ESC}]133;D;0\x07")
    out(f"{ESC}]52;c;aGVsbG8=\x07{ESC}]9;notification\x07{ESC}]777;notify;a;b\x07{ESC}]1337;SetMark\x07{ESC}P1$r0m{ESC}\\{ESC}_private{ESC}\\{ESC}^message{ESC}\\")
    out(f"{ESC}P0;1;0q\"1;1;8;6#0;2;0;0;0#0!8~-{ESC}\\", "after an image\r\n", f"{ESC}]8;;https://example.org/open{ESC}\\left open ")


def synchronized():
    out(f"{CSI}?1049h{CSI}2J")
    for frame in range(25):
        out(f"{CSI}?2026h{CSI}H")
        for row in range(1, 23):
            out(at(row, 1), f"{CSI}48;5;{(frame * 5 + row) % 256}mframe {frame} row {row}{CSI}K{CSI}m")
            if row % 9 == 0:
                time.sleep(0.002)
        out(f"{at(23, 1)}status {frame}{CSI}?2026l")
    out(f"{CSI}?1049l", "main\r\n", f"{CSI}?2026h", "inside an update\r\n", f"{CSI}1;5r{CSI}32mstill inside")
    time.sleep(0.05)
    out(f"{CSI}?2026l", "\r\noutside", f"{CSI}?2026h never ended")


if __name__ == "__main__":
    {name: show for name, show in globals().items() if callable(show)}[sys.argv[1]]()
