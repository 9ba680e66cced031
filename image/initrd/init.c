/*
 * /init of the initrd: arms the watchdog, loads the few modules that stand between the kernel and the
 * root file system, mounts the root read-only, makes sure that it is, and hands over to preinit.
 * Whatever is wrong ends in a restart, never in a root that can be written to: the boot loader counts
 * tries, so that a slot that can't start is left after some of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Who gets control; part of the root, and not to be chosen on the kernel's command line. */
static const char NEXT[] = "/usr/lib/gatepost/preinit";
/* How long the watchdog waits for systemd to take over, in seconds; preinit pats it in between. */
enum { WATCHDOG_SECONDS = 120 };
/* How long a card or a USB disk may take to appear, in hundredths of a second. */
enum { ROOT_WAIT = 3000 };

static int kmsg = -1;
static char command_line[4096];

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...) {
  char line[320];
  size_t used = (size_t)snprintf(line, sizeof line, "<5>gp-initrd: ");
  va_list values;
  va_start(values, format);
  int more = vsnprintf(line + used, sizeof line - used, format, values);
  va_end(values);
  if (more > 0) used += (size_t)more < sizeof line - used ? (size_t)more : sizeof line - used - 1;
  if (write(kmsg, line, used) < 0) { /* nobody to tell */ }
}

__attribute__((noreturn)) static void die(const char *what) {
  say("FATAL %s: %s; restarting in 5 s", what, strerror(errno));
  sleep(5);
  sync();
  reboot(RB_AUTOBOOT);
  for (;;) pause(); /* the watchdog ends this */
}

/* The value of the last "key=value" word, or NULL. */
static char *argument(const char *key, char *out, size_t size) {
  size_t length = strlen(key);
  char *found = NULL;
  for (char *at = command_line; (at = strstr(at, key)) != NULL; at += length) {
    if (at != command_line && at[-1] != ' ') continue;
    size_t value = strcspn(at + length, " \n");
    if (value >= size) continue; /* too long is not cut: it would be something else */
    memcpy(out, at + length, value);
    out[value] = 0;
    found = out;
  }
  return found;
}

/* Whether this word is among the arguments. */
static int has_word(const char *word) {
  size_t length = strlen(word);
  for (char *at = command_line; (at = strstr(at, word)) != NULL; at += length) {
    char after = at[length];
    if ((at == command_line || at[-1] == ' ') && (after == 0 || after == ' ' || after == '\n')) return 1;
  }
  return 0;
}

/* Loads the modules of a list, in its order; a module of hardware that isn't there is no fault. */
static void load(const char *list) {
  char line[256];
  FILE *order = fopen(list, "re");
  if (order == NULL) return;
  while (fgets(line, sizeof line, order) != NULL) {
    line[strcspn(line, "\n")] = 0;
    if (line[0] == 0) continue;
    int module = open(line, O_RDONLY | O_CLOEXEC);
    if (module < 0 || (syscall(SYS_finit_module, module, "", 0) != 0 && errno != EEXIST && errno != ENODEV))
      say("module %s: %s", line, strerror(errno));
    if (module >= 0) close(module);
  }
  fclose(order);
}

/* Left running: whatever hangs from here on ends in a restart. */
static void arm_watchdog(void) {
  if (has_word("gp.nowdt")) { /* QEMU's raspi3b resets the moment its watchdog is armed */
    say("watchdog left off (gp.nowdt)");
    return;
  }
  int seconds = WATCHDOG_SECONDS;
  int watchdog = open("/dev/watchdog", O_WRONLY | O_CLOEXEC);
  if (watchdog < 0) {
    say("no watchdog: %s", strerror(errno));
    return;
  }
  int result = ioctl(watchdog, WDIOC_SETTIMEOUT, &seconds);
  say("watchdog armed: %d s%s", seconds, result ? " (its own time-out)" : "");
}

static void mount_root(const char *device) {
  struct stat found;
  int waited = 0;
  while (stat(device, &found) != 0 || !S_ISBLK(found.st_mode)) {
    if (++waited > ROOT_WAIT) {
      errno = ENODEV;
      die(device);
    }
    usleep(10000);
  }
  /* It can't be written to by its nature. ext4 could be made writable by whoever is root. */
  if (mount(device, "/root", "squashfs", MS_RDONLY | MS_NOATIME, "") != 0) die("mounting the root");
  struct statvfs about;
  if (statvfs("/root", &about) != 0 || !(about.f_flag & ST_RDONLY)) {
    errno = EPERM;
    die("the root is not read-only");
  }
  /* Flags can lie: `mount -o remount,rw` says yes on squashfs. Writing tells. */
  int test = open("/root/.gatepost-write-test", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (test >= 0 || errno != EROFS) {
    errno = EPERM;
    die("the root can be written to");
  }
  say("root %s, read-only", device);
}

int main(void) {
  char root[128] = "";
  mkdir("/dev", 0755);
  mkdir("/proc", 0755);
  mkdir("/sys", 0755);
  mkdir("/root", 0755);
  mount("dev", "/dev", "devtmpfs", MS_NOSUID, "mode=0755");
  mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0);
  mount("sys", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0);
  kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
  int file = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
  ssize_t length = file < 0 ? -1 : read(file, command_line, sizeof command_line - 1);
  if (file >= 0) close(file);
  command_line[length > 0 ? length : 0] = 0;

  load("/m/first"); /* watchdogs */
  arm_watchdog();
  if (argument("root=", root, sizeof root) == NULL) {
    errno = EINVAL;
    die("no root= on the kernel's command line");
  }
  load("/m/order");
  mount_root(root);

  if (mount("/dev", "/root/dev", NULL, MS_MOVE, NULL) != 0 || mount("/proc", "/root/proc", NULL, MS_MOVE, NULL) != 0 ||
      mount("/sys", "/root/sys", NULL, MS_MOVE, NULL) != 0)
    die("moving /dev, /proc and /sys");
  if (chdir("/root") != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0 || chdir("/") != 0)
    die("changing to the root");
  file = open("/dev/console", O_RDWR);
  if (file >= 0) {
    dup2(file, 0);
    dup2(file, 1);
    dup2(file, 2);
    if (file > 2) close(file);
  }
  char *const words[] = {"init", NULL};
  execv(NEXT, words);
  die(NEXT);
}
